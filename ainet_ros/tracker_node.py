"""The lifecycle node `ainet`: two camera topics in, the tracked box out.

Thin on purpose: activation.py holds what lives while it is active, conversions.py, debug_image.py,
status.py and diagnostics.py make the messages. Here they are put together, and taken apart.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import RegionOfInterest
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Detection2DArray

from ainet_core.imaging.registration import Alignment
from ainet_ros import parameters
from ainet_ros.activation import Activation
from ainet_ros.answers import Answer, TrackerLike
from ainet_ros.conversions import detections, region_box
from ainet_ros.debug_image import DebugImage
from ainet_ros.diagnostics import alignment_entry, diagnostics
from ainet_ros.loading import (
    another_preset,
    give_back,
    load_alignment,
    load_tracker,
    set_thresholds,
    warm_up,
)
from ainet_ros.operator_page import OperatorPage
from ainet_ros.parameters import Box, Settings
from ainet_ros.process import Stop, answer_wrong_transitions, spin
from ainet_ros.status import status_message, values_of

NOT_ACTIVE = "the node is not active"
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class TrackerNode(LifecycleNode):
    """Tracks one target through `rgb/image_raw` and `thermal/image_raw`.

    Args:
        make_tracker: makes the tracker in configure; tests hand in one without a network.
        options: passed on to rclpy's node (namespace, parameter_overrides, ...).

    Raises:
        ValueError: a parameter is refused, with its sentence.
    """

    def __init__(
        self, make_tracker: Callable[[Settings], TrackerLike] = load_tracker, **options: Any
    ) -> None:
        super().__init__("ainet", **options)
        parameters.declare(self)
        self._make_tracker = make_tracker
        self._settings = parameters.read(self)
        self._tracker: TrackerLike | None = None
        self._alignment: Alignment | None = None
        self._facts: dict[str, Any] = {}
        self._trouble = ""
        self._active: Activation | None = None
        self._boxes = self.create_lifecycle_publisher(Detection2DArray, "~/bbox", 10)
        self._debug = DebugImage(self)
        # The state is told in every lifecycle state, and to those who come late.
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._status = self.create_publisher(DiagnosticStatus, "~/status", latched)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._told: dict[str, str] = {}  # the values of the last diagnostics
        self.create_subscription(RegionOfInterest, "~/set_target", self._on_set_target, 10)
        self.create_subscription(Detection2DArray, "~/detections", self._on_detections, 10)
        self.create_service(Trigger, "~/reset", self._on_reset)
        self.create_service(SetBool, "~/enable", self._on_enable)
        # Steady: the node must be able to say that simulated time stands still.
        self.create_timer(1.0, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._jumps = self.get_clock().create_jump_callback(
            JumpThreshold(
                min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
            ),
            post_callback=lambda jump: self._on_jump("the clock jumped"),
        )
        self.add_post_set_parameters_callback(self._on_changed_parameters)
        answer_wrong_transitions(self)
        self._page = OperatorPage(self, self._settings, self)

    # Lifecycle. rclpy swallows what these raise, so each says it itself and fails.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and run it once."""
        return self._attempt("configure", self._configure, state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the cameras and start the worker."""
        return self._attempt("activate", self._activate, state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe, end the worker, forget the target."""
        return self._attempt("deactivate", self._deactivate, state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give the network's memory back."""
        return self._attempt("cleanup", self._release, state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From any state to the last one."""
        return self._attempt("shutdown", self._shut_down, state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured, so that the node can be configured again."""
        return self._attempt("recover from the error", self._shut_down, state)

    def autostart(self) -> bool:
        """Configure and activate; False when either failed (its reason was logged)."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def close(self) -> None:
        """Stop the worker, the subscriptions and the page, in whatever state the node is."""
        self._stop_tracking()
        self._page.close()
        self._tracker = None

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """As rclpy does, with our sentence in every refusal."""
        results = super().set_parameters(parameter_list)
        return [
            parameters.explain([parameter], result)
            for parameter, result in zip(parameter_list, results, strict=True)
        ]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """As rclpy does, with our sentences in a refusal."""
        return parameters.explain(
            parameter_list, super().set_parameters_atomically(parameter_list)
        )

    def _attempt(
        self, what: str, step: Callable[[LifecycleState], None], state: LifecycleState
    ) -> TransitionCallbackReturn:
        try:
            step(state)
            self._trouble, outcome = "", SUCCESS
        except (ValueError, FileNotFoundError, ImportError) as error:  # says enough by itself
            self._trouble = f"{what} failed: {error}"
            self.get_logger().error(self._trouble)
            self.get_logger().debug(traceback.format_exc())
            outcome = FAILURE
        except Exception as error:
            self._trouble = f"{what} failed: {type(error).__name__}: {error}"
            self.get_logger().error(f"{self._trouble}\n{traceback.format_exc()}")
            outcome = FAILURE
        self._publish_status()
        return outcome

    def _configure(self, state: LifecycleState) -> None:
        self._settings = parameters.read(self)
        self._alignment = load_alignment(self._settings)
        tracker = self._make_tracker(self._settings)
        if sentence := another_preset(tracker, self._settings):
            self.get_logger().warning(sentence)
        set_thresholds(tracker, self._settings)
        warm_up(tracker)
        self._tracker = tracker
        self._facts = {
            name: getattr(tracker, name, "") for name in ("device", "backend", "preset")
        }
        told = ", ".join(f"{name} {value}" for name, value in self._facts.items() if value)
        self.get_logger().info(f"tracker ready: {told}")

    def _activate(self, state: LifecycleState) -> None:
        assert self._tracker is not None
        self._active = Activation(
            self, self._settings, self._tracker, self._publish, self._publish_status,
            self._show, self._alignment,
        )  # fmt: skip
        self._debug.start()
        super().on_activate(state)  # lets the lifecycle publishers speak

    def _deactivate(self, state: LifecycleState) -> None:
        self._stop_tracking()
        super().on_deactivate(state)

    def _release(self, state: LifecycleState) -> None:
        self._stop_tracking()
        self._tracker, self._facts = None, {}
        give_back()

    def _shut_down(self, state: LifecycleState) -> None:
        self._release(state)
        super().on_deactivate(state)

    def _stop_tracking(self) -> None:
        if self._active is not None:
            self._active.close()
        self._active = None
        self._debug.stop()

    # What an operator asks for, by topic, by service or on the page. False: it is not active.

    def set_target(self, box: Box) -> None:
        """Start on x, y, w, h in pixels of the RGB image, or say why not."""
        if self._active is not None:
            self._active.set_target(box)
            return
        self._trouble = f"target refused: {NOT_ACTIVE}"
        self.get_logger().error(self._trouble, throttle_duration_sec=5.0)
        self._publish_status()

    def reset(self) -> bool:
        """Forget the target."""
        if self._active is None:
            return False
        self._active.reset()
        return True

    def enable(self, enabled: bool) -> bool:
        """False: pairs are skipped and the target is kept."""
        if self._active is None:
            return False
        self._active.mailbox.enable(enabled)
        self._publish_status()
        return True

    # Callbacks of the executor: quick.

    def _on_jump(self, sentence: str) -> None:
        if self._active is not None:
            self._active.jump(sentence)

    def _on_set_target(self, region: RegionOfInterest) -> None:
        self.set_target(region_box(region))

    def _on_detections(self, message: Detection2DArray) -> None:
        if self._active is not None:
            self._active.detected(message)

    def _on_changed_parameters(self, changed: list[Parameter]) -> None:
        if not any(parameter.name in parameters.table() for parameter in changed):
            return
        self._settings = parameters.read(self)
        if self._tracker is not None:
            set_thresholds(self._tracker, self._settings)
        if self._active is not None:
            self._active.apply(self._settings)

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self.reset()
        response.message = "the target is forgotten" if response.success else NOT_ACTIVE
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = self.enable(request.data)
        told = "tracking" if request.data else "paused: pairs are skipped"
        response.message = told if response.success else NOT_ACTIVE
        return response

    def _on_timer(self) -> None:
        status = self._publish_status()
        now = self.get_clock().now().to_msg()
        alignment = self._alignment_entry(status)
        self._diagnostics.publish(diagnostics(now, status, self._told, alignment))
        self._told = values_of(status)
        if self.count_publishers("~/bbox") > 1:
            self.get_logger().warning(
                f"another node is called {self.get_fully_qualified_name()}: both answer on its "
                "~/bbox; give one of them a namespace",
                throttle_duration_sec=10.0,
            )
        if self._active is not None:
            self._active.advise(self.count_publishers("~/detections"))

    def _alignment_entry(self, status: DiagnosticStatus) -> DiagnosticStatus | None:
        limit = self._settings.alignment_limit
        if self._active is None or limit == 0:
            return None
        return alignment_entry(status, self._active.remaining_shift(), limit)

    # Called by the worker's thread.

    def _publish(self, answer: Answer) -> None:
        settings = self._settings
        header = answer.pair.header
        self._boxes.publish(
            detections(header, settings.class_id, answer.box, answer.score, answer.target_id)
        )

    def _show(self, answer: Answer) -> None:
        self._debug.show(answer, self._settings)
        self._page.show(answer)

    def _publish_status(self) -> DiagnosticStatus:
        active = self._active
        lifecycle = "active" if active else "inactive" if self._tracker else "unconfigured"
        message = status_message(
            self.get_fully_qualified_name(),
            lifecycle,
            self._facts | ({"operator_page": self._page.place} if self._page.place else {}),
            (active.mailbox, active.pairing, active.worker.progress) if active else None,
            self._trouble,
        )
        self._status.publish(message)
        self._page.tell(values_of(message))
        return message


def main(
    arguments: list[str] | None = None,
    make_tracker: Callable[[Settings], TrackerLike] = load_tracker,
) -> int:
    """Run the node until SIGINT or SIGTERM.

    Returns:
        0 after a signal, 1 when autostart failed, 2 when the command line or a parameter is wrong.
    """
    stop = Stop()
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        node = TrackerNode(make_tracker)
    except (ValueError, RuntimeError) as error:  # RCLError is a RuntimeError
        print(f"ainet: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    started = not node.get_parameter("autostart").value or node.autostart()
    if started:
        spin(node, lambda: stop.asked)
    node.close()
    node.destroy_node()
    rclpy.try_shutdown()
    return 0 if started else 1


if __name__ == "__main__":
    sys.exit(main())
