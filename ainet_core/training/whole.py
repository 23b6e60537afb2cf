"""Write files so that a reader, and a run that is killed, finds the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside the place, wait until it is on the disk, then rename.

    Args:
        path: the file to be replaced.
        write: writes the file that it is given.

    Raises:
        OSError: it cannot be written, say because the disk is full; `path` is as it was.
    """
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch.save: a RuntimeError
        part.unlink(missing_ok=True)
        raise OSError(f"cannot write {path} ({_reason(error)}); what it held is whole") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error.__context__, OSError):
        return _reason(error.__context__)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
