"""What a training run leaves behind: checkpoints, weights, figures, pictures, a summary."""

from __future__ import annotations

import csv
import platform
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch.utils.tensorboard.writer import SummaryWriter

from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import save_checkpoint
from ainet_core.whole import write_text_whole, write_whole


class RunFolder:
    """One run's files, all written by one process.

    `last.pt` (to go on from), `weights.safetensors` (averaged, 16-bit), `losses.csv`,
    `summary.yaml`, `unreadable.txt`, `pictures/`, and TensorBoard's events in `tensorboard/`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.weights = path / "weights.safetensors"
        self._checkpoint = path / "last.pt"
        self._losses = path / "losses.csv"
        self._board: SummaryWriter | None = None

    def start(self) -> None:
        """Make the folder for a new run. ValueError if it holds one."""
        if self._checkpoint.exists():
            raise ValueError(
                f"{self.path} holds a run: --resume goes on with it, "
                "another --output FOLDER begins a new one"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self._losses.unlink(missing_ok=True)
        self._board = SummaryWriter(str(self.path / "tensorboard"))

    def resume(self, device: torch.device) -> dict[str, Any]:
        """The state that was saved last.

        Raises:
            FileNotFoundError: there is none.
            ValueError: the file is not one of ours.
        """
        if not self._checkpoint.is_file():
            raise FileNotFoundError(f"nothing to resume: no {self._checkpoint}")
        try:
            state = torch.load(self._checkpoint, map_location=device, weights_only=True)
        except Exception as error:  # whatever a damaged file makes of the unpickler
            raise ValueError(
                f"{self._checkpoint} is not a readable checkpoint: {str(error).splitlines()[0]}"
            ) from error
        if not isinstance(state, dict) or "recipe" not in state or "config" not in state:
            raise ValueError(f"{self._checkpoint} is not a checkpoint of this program")
        return state

    def go_on(self, step: int) -> None:
        """Drop the figures of steps that were made after the last checkpoint."""
        if self._losses.is_file():
            with self._losses.open(newline="") as file:
                rows = list(csv.reader(file))
            kept = [row for row in rows[1:] if row and int(row[0]) <= step]
            write_whole(self._losses, lambda part: _write_rows(part, [rows[0], *kept]))
        self._board = SummaryWriter(str(self.path / "tensorboard"), purge_step=step + 1)

    def log(self, step: int, figures: dict[str, float]) -> None:
        """Add one line of figures. OSError if it cannot be written."""
        fresh = not self._losses.exists()
        rows: list[list[Any]] = [["step", *figures]] if fresh else []
        rows.append([step, *(f"{value:.6g}" for value in figures.values())])
        try:
            _write_rows(self._losses, rows, "a")
        except OSError as error:
            raise OSError(
                f"cannot write {self._losses} ({error.strerror}); the last checkpoint is whole"
            ) from error
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, picture: NDArray[Any]) -> None:
        """Keep a picture, RGB (H, W, 3) uint8."""
        folder = self.path / "pictures"
        folder.mkdir(exist_ok=True)
        path = folder / f"step_{step:07d}.png"
        if not cv2.imwrite(str(path), picture[..., ::-1]):
            raise OSError(f"cannot write {path}; the last checkpoint is whole")
        self._writer.add_image("samples", picture, step, dataformats="HWC")

    def save(
        self, state: dict[str, Any], average: AINet, summary: dict[str, Any], notes: dict[str, str]
    ) -> None:
        """Write checkpoint, weights and summary, each whole or not at all; OSError if not."""
        write_whole(self._checkpoint, lambda part: _write_state(part, state))
        write_whole(self.weights, lambda part: save_checkpoint(part, average, notes, half=True))
        text = yaml.safe_dump(summary, sort_keys=False, width=99)
        write_text_whole(self.path / "summary.yaml", text)

    def list_unreadable(self, lines: list[str]) -> None:
        """Write which files were skipped, if any."""
        if lines:
            text = "".join(f"{line}\n" for line in lines)
            write_text_whole(self.path / "unreadable.txt", text)

    def close(self) -> None:
        if self._board is not None:
            self._board.close()

    @property
    def _writer(self) -> SummaryWriter:
        assert self._board is not None
        return self._board


def describe_machine(device: torch.device, processes: int) -> dict[str, str]:
    """Versions and hardware, as far as they can change a result."""
    import lightning_fabric

    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "lightning-fabric": str(lightning_fabric.__version__),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "device": f"{device.type} ({name}), {processes} processes",
        "code": git_revision() or "not a git checkout",
    }


def git_revision() -> str | None:
    """The revision of this code, with `-dirty` after local changes; None outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    folder = Path(__file__).parent
    try:
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return None
    return told.stdout.strip() if told.returncode == 0 else None


def _write_rows(path: Path, rows: list[list[Any]], mode: str = "w") -> None:
    with path.open(mode, newline="") as file:
        csv.writer(file).writerows(rows)


def _write_state(path: Path, state: dict[str, Any]) -> None:
    with path.open("wb") as file:  # given a path, torch would hide why a write failed
        torch.save(state, file)
