"""Names and bytes that stay: what is asked of the disk so that a power cut takes nothing back."""

import os
import shutil
from pathlib import Path


def sync(path: Path) -> None:
    """Make a file's bytes durable, or of a folder the names in it (fsync(2))."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """A folder that stays, and those above it."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def write(path: Path, text: str) -> None:
    """Write a text file that is there whole or not at all, and stays. Who may read it does not change."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.touch()
        if path.exists():
            shutil.copymode(path, part)
        part.write_text(text, "utf-8")
        sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)
