"""Run the commands of a set-up one by one: what runs, for how long, and one line if it fails."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

CLOCK_S = 0.5  # how often a terminal's running clock is redrawn
SHORT_S = 2.0  # elsewhere a step that takes longer says so,
QUIET_S = 15.0  # and then that it goes on


class StepError(Exception):
    """A step failed; the message is one line that says which and why."""


class Progress:
    """Numbers the steps and keeps everything they print in a log file."""

    def __init__(self, total: int, log: Path, out: TextIO = sys.stdout) -> None:
        self.total = total
        self.count = 0
        self.log = log
        self.out = out
        self.terminal = out.isatty()
        log.unlink(missing_ok=True)

    def run(
        self, title: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None
    ) -> None:
        """Run a command to its end; StepError with its most telling line if it fails."""
        self.count += 1
        label = f"[{self.count}/{self.total}] {title}"
        start = time.monotonic()
        with self.log.open("a+b") as log:
            log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            first = log.tell()
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env or os.environ,
            )
            try:
                self._watch(process, label, start)
            except BaseException:
                process.terminate()
                process.wait()
                raise
            log.seek(first)
            printed = log.read().decode(errors="replace")
        self._say(f"{label}: {time.monotonic() - start:.0f} s")
        if process.returncode != 0:
            raise StepError(
                f"{title} failed: {telling_line(printed)} (everything it printed: {self.log})"
            )

    def _watch(self, process: subprocess.Popen[bytes], label: str, start: float) -> None:
        interval = CLOCK_S if self.terminal else SHORT_S
        while True:
            try:
                process.wait(timeout=interval)
                return
            except subprocess.TimeoutExpired:
                text = f"{label} ... {time.monotonic() - start:.0f} s"
            if self.terminal:
                self.out.write(f"\r\x1b[K{text}")
                self.out.flush()
            else:
                self._say(text)
                interval = QUIET_S

    def _say(self, text: str) -> None:
        self.out.write(f"\r\x1b[K{text}\n" if self.terminal else f"{text}\n")
        self.out.flush()


def telling_line(printed: str) -> str:
    """Return the line that says most about a failure: the first error, else the last line."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it printed nothing"])[0 if errors else -1][:300]
