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
    except (ValueError, FileNotFoundError) as error:
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

    track = commands.add_parser("track", help="track one target in a pair of videos")
    track.add_argument("--rgb", metavar="VIDEO", help="RGB video or folder of images")
    track.add_argument("--thermal", metavar="VIDEO", help="thermal video or folder of images")
    track.add_argument("--box", required=True, metavar="X,Y,W,H", type=_box,
                       help="the target in the first frame, in RGB pixels")  # fmt: skip
    track.add_argument("--output", required=True, metavar="FILE.mp4",
                       help="annotated video; boxes go beside it as FILE.txt")  # fmt: skip
    _add_tracker_options(track)
    track.set_defaults(run=_track)

    evaluate = commands.add_parser("eval", help="score a tracker on a list of sequences")
    evaluate.add_argument(
        "--list",
        required=True,
        metavar="FILE.csv",
        help="name, group, rgb, thermal, groundtruth, first and last frame",
    )
    evaluate.add_argument(
        "--group", action="append", metavar="GROUP", help="only this group (may be repeated)"
    )
    evaluate.add_argument("--modality", choices=("both", "rgb", "thermal"), default="both")
    evaluate.add_argument("--output", metavar="FOLDER", help="write boxes as NAME.txt here")
    _add_tracker_options(evaluate)
    evaluate.set_defaults(run=_evaluate)

    train = commands.add_parser("train", help="train a network")
    train.add_argument("recipe", metavar="RECIPE.yaml", help="see config/training/")
    train.add_argument("--data", metavar="FOLDER", help="what the recipe's sources lie in")
    train.add_argument("--output", default="runs/last", metavar="FOLDER",
                       help="checkpoints and losses (default: runs/last)")  # fmt: skip
    train.add_argument("--start", metavar="FILE", help="weights to start from")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                       help="change a value of the recipe (may be repeated)")  # fmt: skip
    train.add_argument("--resume", action="store_true", help="go on where the run stopped")
    train.add_argument("--device", default="auto", help=DEVICE_HELP)
    train.set_defaults(run=_train)
    return parser


def _add_tracker_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="nano", help=PRESET_HELP)
    parser.add_argument("--checkpoint", metavar="FILE", help=CHECKPOINT_HELP)
    parser.add_argument("--device", default="auto", help=DEVICE_HELP)


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
    from ainet_core.data.readers import open_videos
    from ainet_core.recording import track_to_video

    sequence = open_videos(options.rgb, options.thermal)
    tracker = _make_tracker(options)
    video, text = track_to_video(tracker, sequence, options.box, Path(options.output))
    print(f"wrote {video} and {text}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ainet_core.data.boxes import write_boxes
    from ainet_core.data.readers import read_benchmark
    from ainet_core.evaluation.one_pass import StaticBox, by_group, run_sequence

    sequences = read_benchmark(options.list)
    if options.modality != "both":
        sequences = [s for s in sequences if getattr(s, options.modality) is not None]
    if options.group:
        sequences = [sequence for sequence in sequences if sequence.group in options.group]
    if not sequences:
        raise ValueError(f"no sequence of {options.list} fits the options")
    tracker = _make_tracker(options)
    results, static = [], []
    progress = tqdm(sequences, unit="sequence")
    for sequence in progress:
        result = run_sequence(tracker, sequence, options.modality)
        results.append(result)
        static.append(run_sequence(StaticBox(), sequence, options.modality))
        progress.set_postfix_str(f"{sequence.name} SR {result.success:.3f}")
        if options.output:
            write_boxes(Path(options.output) / f"{sequence.name}.txt", result.boxes)
    print(f"{'sequence':28} {'SR':>6} {'PR':>6} {'frames/s':>9} {'static box SR':>14}")
    for result, still in zip(results, static, strict=True):
        print(
            f"{result.sequence.name:28} {result.success:6.3f} {result.precision:6.3f} "
            f"{result.frames_per_second:9.1f} {still.success:14.3f}"
        )
    print(f"\n{'group':28} {'SR':>6} {'PR':>6} {'sequences':>9} {'static box SR':>14}")
    for row, still_row in zip(by_group(results), by_group(static), strict=True):
        print(
            f"{row.group:28} {row.success:6.3f} {row.precision:6.3f} "
            f"{row.sequences:9d} {still_row.success:14.3f}"
        )
    return 0


def _train(options: argparse.Namespace) -> int:
    from ainet_core.training.recipe import Recipe
    from ainet_core.training.trainer import Trainer, describe_run

    recipe = Recipe.load(Path(options.recipe), options.set)
    trainer = Trainer(
        recipe,
        Path(options.data) if options.data else None,
        Path(options.output),
        Path(options.start) if options.start else None,
        options.device,
    )
    print(describe_run(trainer))
    print(f"wrote {trainer.run(options.resume)}")
    return 0


def _make_tracker(options: argparse.Namespace):  # type: ignore[no-untyped-def]  # torch comes late
    from ainet_core.tracking.tracker import Tracker

    if options.checkpoint:
        return Tracker.from_checkpoint(options.checkpoint, options.device)
    return Tracker.from_preset(options.preset, options.device)


if __name__ == "__main__":
    sys.exit(main())
