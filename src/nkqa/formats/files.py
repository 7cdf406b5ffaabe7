"""The files under the paths that a person gave, and those that are not taken, with the reason."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".md", ".markdown", ".txt", ".text", ".html", ".htm", ".xhtml", ".pdf", ".vtt", ".srt")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not taken, and why."""

    path: Path
    reason: str


def _under(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder and its subfolders, in order; hidden files are left out."""
    for name, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        linked = [f for f in folders if (Path(name) / f).is_symlink()]
        yield from (Path(name) / f for f in sorted([*linked, *files]) if not f.startswith("."))


def _fault(path: Path, root: Path | None) -> str | None:
    """Return why a path is not taken, or None; what lies under `root` must really lie there."""
    try:
        real = path.resolve(strict=True)
        kind = real.stat().st_mode
    except (OSError, RuntimeError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if root is not None and not real.is_relative_to(root):
        return "is a link to something outside of the folder"
    if stat.S_ISDIR(kind):
        return "is a link to a folder; name that folder itself"
    if not stat.S_ISREG(kind):
        return "is not a regular file"
    if path.suffix.lower() not in SUFFIXES or real.suffix.lower() not in SUFFIXES:
        return f"is of no kind that is read here ({', '.join(SUFFIXES)})"
    return None


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[Refusal]]:
    """Return the files to read, in order and each once, and what is refused."""
    files: dict[Path, Path] = {}
    refused: list[Refusal] = []
    for given in paths:
        folder = given.is_dir()
        root = given.resolve() if folder else None
        for path in _under(given) if folder else (given,):
            fault = _fault(path, root)
            if fault is not None:
                refused.append(Refusal(path, fault))
            else:
                files.setdefault(path.resolve(), path)
    return list(files.values()), refused
