"""Write files so that a reader, and a run that is killed, finds the old one or the new one."""

from __future__ import annotations

import os
import tempfile
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
    part = _beside(path)
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
        raise OSError(f"cannot write {path} ({_reason(error)}); what it held is whole") from error
    finally:
        part.unlink(missing_ok=True)


def write_text_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all, errors as `write_whole`; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda part: _write_text(part, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _beside(path: Path) -> Path:
    """A new file in the same folder, its name nobody else's, readable as any file made here."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise OSError(f"cannot write {path} ({_reason(error)})") from error
    os.close(handle)
    mask = os.umask(0)  # mkstemp makes files for the owner only
    os.umask(mask)
    os.chmod(name, 0o666 & ~mask)
    return Path(name)


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error.__context__, OSError):
        return _reason(error.__context__)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
