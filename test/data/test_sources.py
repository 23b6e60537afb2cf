"""From files to clips."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data import sources


def write_video(path: Path, frames: list[np.ndarray]) -> None:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (width, height))
    for frame in frames:
        writer.write(frame if frame.ndim == 3 else cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()


def walk(frames: int, seed: int = 3) -> tuple[list[np.ndarray], np.ndarray]:
    """A textured patch moves over a textured ground."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.integers(60, 110, (30, 40)).astype(np.uint8), (320, 240))
    patch = np.kron(rng.integers(0, 2, (6, 4)) * 120 + 120, np.ones((8, 8))).astype(np.uint8)
    images, boxes = [], []
    for number in range(frames):
        image = ground.copy()
        x, y = 60 + 6 * number, 80 + 2 * number
        image[y : y + 48, x : x + 32] = patch
        images.append(image)
        boxes.append([x, y, 32, 48])
    return images, np.array(boxes, dtype=np.float64)


def test_refuses_what_is_not_a_video_or_an_image(tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("no video")
    with pytest.raises(ValueError, match="cannot read .*text.mp4 as a video"):
        sources.read_video(path)
    with pytest.raises(ValueError, match="as an image"):
        sources.read_image(path)


def test_boxed_video_leaves_out_frames_without_a_box(tmp_path: Path) -> None:
    images, boxes = walk(12)
    boxes[5] = np.nan
    write_video(tmp_path / "a.mp4", images)
    np.savetxt(tmp_path / "a.txt", boxes, delimiter=",")
    (clip,) = sources.boxed_video(tmp_path / "a.mp4", tmp_path / "a.txt", "thermal")
    assert clip.rgb is None
    assert len(clip) == 11


def test_a_patch_is_followed(tmp_path: Path) -> None:
    images, boxes = walk(8)
    followed = sources.follow(images, boxes[0])
    assert len(followed) == 8
    np.testing.assert_allclose(np.array(followed), boxes, atol=1.5)


def test_what_moves_is_found(tmp_path: Path) -> None:
    images, boxes = walk(20)
    clips = list(sources.moving_targets(images, "thermal"))
    assert clips
    assert max(len(clip) for clip in clips) >= 10
    assert not any(clip.sized for clip in clips)  # a silhouette's size is a guess


def test_regions_have_texture() -> None:
    rng = np.random.default_rng(0)
    image = np.full((240, 320, 3), 80, np.uint8)
    image[:, 160:] = rng.integers(0, 255, (240, 160, 1))
    clips = list(sources.textured_regions(image, None, 10, rng))
    assert len(clips) == 10
    assert all(clip.rgb is not None and clip.rgb[0].std() > 10 for clip in clips)
