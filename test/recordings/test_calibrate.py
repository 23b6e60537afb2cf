"""`ainet calibrate RECORDING`: the pairs of a recording align its cameras."""

from __future__ import annotations

from pathlib import Path

import bag_maker
import numpy as np
import pytest
from bag_maker import RGB, START, STEP, THERMAL, Sent

from ainet_core.cli import main
from ainet_core.data.synthetic import random_world
from ainet_core.imaging.registration import Alignment
from ainet_core.recordings.records import IMAGE


@pytest.fixture(name="bag", scope="module")
def _bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pairs of a generated scene; the second thermal image is lost."""
    world, sent = random_world(5), []
    for number in range(4):
        stamp = START + number * STEP
        rgb, thermal, _, _ = world.frame(20 * number)
        sent.append(Sent(RGB, IMAGE, stamp, bag_maker.image(rgb, "rgb8", stamp)))
        if number != 1:
            data = bag_maker.image(thermal, "mono8", stamp)
            sent.append(Sent(THERMAL, IMAGE, stamp + 1, data))
    return bag_maker.write(tmp_path_factory.mktemp("scene") / "my_bag", sent)


def test_refuses_in_one_line(bag, tmp_path, capsys):
    command = ["calibrate", "--scene", "--output", str(tmp_path / "alignment.yaml")]
    assert main([*command, str(tmp_path / "none")]) == 2
    assert "no recording at" in capsys.readouterr().err
    assert main([*command, str(bag), "--thermal-topic", "/none"]) == 2
    assert "/none" in capsys.readouterr().err
    one = bag_maker.write(tmp_path / "one", bag_maker.pairs(4)[::2])
    assert main([*command, str(one)]) == 2
    assert "no pair with images of both cameras" in capsys.readouterr().err


def test_the_scene_aligns_them(bag, tmp_path, capsys):
    output = tmp_path / "alignment.yaml"
    assert main(["calibrate", str(bag), "--scene", "--output", str(output)]) == 0
    told = capsys.readouterr()
    assert "3 pairs in" in told.err
    assert "blocks agree, off by" in told.out
    found = Alignment.load(output)
    scale = found.rgb_size[1] / found.thermal_size[1]
    middle = np.array(found.thermal_size[::-1]) / 2
    np.testing.assert_allclose(found.to_rgb([middle])[0], middle * scale, atol=2 * scale)
    assert output.with_suffix(".png").is_file()
