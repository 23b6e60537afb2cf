"""The images of a pair, decoded; one that cannot be read is a camera that is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.registration import Alignment
from ainet_ros.answers import Images
from ainet_ros.conversions import rgb_array, thermal_array
from ainet_ros.pairing import Pair

FROZEN_AFTER = 5  # equal thermal images in a row: at 9 Hz the half second of a shutter
_SAMPLE = 16  # every 16th row and column are enough to see sensor noise


class PairReader:
    """Decodes pairs, keeps the size of the last RGB image, notices a frozen thermal camera.

    Args:
        warn: gets a sentence and its kind.
        alignment: brings thermal images into the RGB camera's view.
    """

    def __init__(
        self, warn: Callable[[str, str], None], alignment: Alignment | None = None
    ) -> None:
        self._warn, self._alignment = warn, alignment
        self._sample: NDArray[np.generic] | None = None
        self._sample_stamp = (0, 0)
        self.rgb_size: tuple[int, int] | None = None  # (height, width) of the last RGB image
        self._thermal_size = (1, 1)
        self.frozen = 0
        self.trouble = ""  # of the newest pair

    @property
    def box_size(self) -> tuple[int, int]:
        """(height, width) of the image whose pixels boxes are in."""
        return self.rgb_size or self._thermal_size

    def read(self, pair: Pair) -> Images:
        """Both images, None for a camera that is silent or sent nonsense.

        Raises:
            ValueError: there is no image at all; says why.
        """
        troubles: list[str] = []
        rgb = thermal = None
        if pair.rgb is not None:
            try:
                rgb = rgb_array(pair.rgb)
                self.rgb_size = rgb.shape[0], rgb.shape[1]
            except ValueError as error:
                troubles.append(f"RGB image refused: {error}")
        if pair.thermal is not None:
            try:
                thermal = thermal_array(pair.thermal)
                self._watch_shutter(pair, thermal)
                thermal = self._aligned(thermal)
                self._thermal_size = thermal.shape[0], thermal.shape[1]
            except ValueError as error:
                thermal = None
                troubles.append(f"thermal image refused: {error}")
        self.trouble = "; ".join(troubles)
        for sentence in troubles:
            self._warn(sentence, sentence)
        if rgb is None and thermal is None:
            raise ValueError(self.trouble)
        return Images(rgb, thermal)

    def _aligned(self, thermal: NDArray[Any]) -> NDArray[Any]:
        if self._alignment is None:
            return thermal
        if self.rgb_size is not None:
            self._alignment.check_rgb(self.rgb_size)
        return self._alignment.warp(thermal)

    def _watch_shutter(self, pair: Pair, thermal: NDArray[np.generic]) -> None:
        assert pair.thermal is not None
        stamp = pair.thermal.header.stamp.sec, pair.thermal.header.stamp.nanosec
        if stamp == self._sample_stamp:  # rgb_leads hands one image over several times
            return
        sample = thermal[::_SAMPLE, ::_SAMPLE].copy()
        equal = self._sample is not None and np.array_equal(sample, self._sample)
        self._sample, self._sample_stamp = sample, stamp
        self.frozen = self.frozen + 1 if equal else 0
        if self.frozen == FROZEN_AFTER:
            self._warn(
                f"{FROZEN_AFTER} thermal images in a row are equal: the camera's shutter is "
                "closed, or its driver repeats an image",
                "frozen thermal camera",
            )
