"""The lifecycle node `ainet`: two camera topics in, the tracked box out.

Thin on purpose: pairing.py makes pairs, mailbox.py keeps the newest, worker.py tracks on it,
conversions.py and status.py make the messages. Here they are put together, and taken apart.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import cv2
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, RegionOfInterest
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Detection2DArray

from ainet_core.box import as_box
from ainet_core.imaging.draw import draw_target
from ainet_ros import parameters
from ainet_ros.conversions import detections, image_message, region_box
from ainet_ros.loading import load_tracker, warm_up
from ainet_ros.mailbox import Mailbox
from ainet_ros.pairing import Pair, Pairing
from ainet_ros.parameters import Settings
from ainet_ros.process import Stop, spin
from ainet_ros.status import SILENCE_S, silence_sentence, status_message
from ainet_ros.worker import Answer, TrackerLike, Worker

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
        self._facts: dict[str, Any] = {}
        self._trouble = ""
        self._mailbox: Mailbox | None = None
        self._pairing: Pairing | None = None
        self._worker: Worker | None = None
        self._pairs_seen, self._silent_since = 0, time.monotonic()
        self._boxes = self.create_lifecycle_publisher(Detection2DArray, "~/bbox", 10)
        self._debug = self.create_lifecycle_publisher(Image, "~/debug_image", 2)
        # The state is told in every lifecycle state, and to those who come late.
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._status = self.create_publisher(DiagnosticStatus, "~/status", latched)
        self.create_subscription(RegionOfInterest, "~/set_target", self._on_set_target, 10)
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
        self._answer_wrong_transitions()

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
        """Stop the worker and the subscriptions, in whatever state the node is."""
        self._stop_tracking()
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
        tracker = self._make_tracker(self._settings)
        warm_up(tracker)
        self._tracker = tracker
        self._facts = {
            name: getattr(tracker, name, "") for name in ("device", "backend", "preset")
        }
        told = ", ".join(f"{name} {value}" for name, value in self._facts.items() if value)
        self.get_logger().info(f"tracker ready: {told}")

    def _activate(self, state: LifecycleState) -> None:
        try:
            self._start_tracking()
        except BaseException:
            self._stop_tracking()
            raise
        super().on_activate(state)  # lets the lifecycle publishers speak

    def _start_tracking(self) -> None:
        assert self._tracker is not None
        self._mailbox = Mailbox()
        box = self._settings.start_box
        if box is not None:
            self._mailbox.set_target(box)
        self._worker = Worker(
            self._tracker, self._mailbox, self._publish, self._warn, self._publish_status
        )
        self._worker.start()
        self._pairing = Pairing(self, self._settings, self._on_pair, self._on_jump)
        self._pairs_seen, self._silent_since = 0, time.monotonic()

    def _deactivate(self, state: LifecycleState) -> None:
        self._stop_tracking()
        super().on_deactivate(state)

    def _release(self, state: LifecycleState) -> None:
        self._stop_tracking()
        self._tracker, self._facts = None, {}

    def _shut_down(self, state: LifecycleState) -> None:
        self._release(state)
        super().on_deactivate(state)

    def _stop_tracking(self) -> None:
        if self._pairing is not None:
            self._pairing.close()
        if self._worker is not None and not self._worker.stop():
            self.get_logger().error("the tracker did not end its last pair within 10 s")
        self._pairing = self._worker = self._mailbox = None

    def _answer_wrong_transitions(self) -> None:
        """A transition asked for by its number in the wrong state gets a "no".

        rclpy answers a wrong label, but raises out of the executor for a wrong number and leaves
        the manager waiting.
        """

        def guarded(change: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            def answer(request: Any, response: Any) -> Any:
                try:
                    return change(request, response)
                except RuntimeError as error:  # RCLError
                    number = request.transition.id
                    self.get_logger().error(f"transition {number} is not possible now: {error}")
                    response.success = False
                    return response

            return answer

        for service in self.services:
            if service.srv_name.endswith("/change_state"):
                service.callback = guarded(service.callback)

    # Callbacks of the executor: quick, and none raises.

    def _on_pair(self, pair: Pair) -> None:
        if self._mailbox is not None:
            self._mailbox.put(pair)

    def _on_jump(self, sentence: str) -> None:
        if self._mailbox is None or self._worker is None or self._pairing is None:
            return
        self.get_logger().warning(f"{sentence}: image queues cleared, target reset")
        self._pairing.clear()
        self._mailbox.reset(forget_pairs=True)
        self._worker.reset()

    def _on_set_target(self, region: RegionOfInterest) -> None:
        box = region_box(region)
        if self._mailbox is None or self._worker is None:
            self._trouble = "target refused: the node is not active"
            self.get_logger().error(self._trouble)
            self._publish_status()
            return
        newest = self._mailbox.newest
        try:
            self._mailbox.set_target(as_box(box, newest.size if newest else None).tolist())
        except ValueError as error:
            self._worker.refuse(str(error))
        self._publish_status()

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._mailbox is None or self._worker is None:
            response.message = "the node is not active"
            return response
        self._mailbox.reset()
        self._worker.reset()
        self._publish_status()
        response.success, response.message = True, "the target is forgotten"
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if self._mailbox is None:
            response.message = "the node is not active"
            return response
        self._mailbox.enable(request.data)
        response.success = True
        response.message = "tracking" if request.data else "paused: pairs are skipped"
        return response

    def _on_timer(self) -> None:
        self._publish_status()
        if self._mailbox is None or self._pairing is None:
            return
        if self._mailbox.pairs != self._pairs_seen:
            self._pairs_seen, self._silent_since = self._mailbox.pairs, time.monotonic()
        elif time.monotonic() - self._silent_since >= SILENCE_S:
            sentence = silence_sentence(self._pairing, self._settings.slop)
            self.get_logger().warning(sentence, throttle_duration_sec=10.0)

    # Called by the worker's thread.

    def _publish(self, answer: Answer) -> None:
        header = answer.pair.rgb.header
        class_id = self.get_parameter("class_id").value
        self._boxes.publish(
            detections(header, class_id, answer.box, answer.score, answer.target_id)
        )
        if answer.rgb is not None and self._debug.get_subscription_count() > 0:
            drawn = draw_target(answer.rgb, answer.box, f"{answer.score:.2f}")
            width = self.get_parameter("debug_image_width").value
            if drawn.shape[1] > width:
                height = max(round(drawn.shape[0] * width / drawn.shape[1]), 1)
                drawn = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
            self._debug.publish(image_message(drawn, "rgb8", header))

    def _warn(self, sentence: str, throttled: bool = True) -> None:
        if throttled:
            self.get_logger().warning(sentence, throttle_duration_sec=2.0)
        else:
            self.get_logger().warning(sentence)

    def _publish_status(self) -> None:
        self._status.publish(
            status_message(
                self.get_fully_qualified_name(),
                "active" if self._worker else "inactive" if self._tracker else "unconfigured",
                {"class_id": self._settings.class_id, **self._facts},
                self._mailbox,
                self._pairing,
                self._worker.progress if self._worker else None,
                self._trouble,
            )
        )


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
