"""Pieces of text on a printed page -> lines in the order in which they are read, with gaps and margins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nkqa.formats.line import Line, Page, raised

_MARGIN = 0.065
"""Share of the page's height, at the top and at the bottom, where nothing but running heads stands."""
_PITCH = 1.35
"""Line distances over this many times the usual one begin a paragraph."""
_JUMP = 2.5
"""Line distances over this many times the size of the letters part blocks of lines."""
_WORD_GAP = 3.0
"""Most space within a line, in times the size of its letters."""
_SAME_COLUMN = 25.0
"""Points by which the left edges of one column's blocks may differ."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text on one row: from `left` to `right`, on `base`, all in points from the lower left corner."""

    text: str
    left: float
    right: float
    base: float
    size: float


Run = list[Piece]


def _follows(before: Piece, piece: Piece) -> bool:
    """Whether a piece stands on the row of the one before it, right behind it."""
    size = max(before.size, piece.size)
    near = -0.5 * size <= piece.left - before.right <= _WORD_GAP * size
    return near and abs(piece.base - before.base) < 0.6 * size


def _number(piece: Piece, size: float) -> str:
    """Return a piece's text, raised where it is a small number."""
    small = piece.size < size * 0.85 and re.fullmatch(r"\d{1,3}", piece.text.strip())
    return raised(piece.text.strip()) if small else piece.text


def rows(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with those of one row put together."""
    found: list[Piece] = []
    for piece in pieces:
        if not found or not _follows(found[-1], piece):
            found.append(piece)
            continue
        before = found[-1]
        size = max(before.size, piece.size)
        space = " " if piece.left - before.right > 0.15 * size else ""
        main = before if before.size == size else piece
        text = _number(before, size) + space + _number(piece, size)
        found[-1] = Piece(text, before.left, piece.right, main.base, size)
    return found


def _runs(pieces: Sequence[Piece]) -> list[Run]:
    """Return blocks of rows that go down the page at the pace of lines."""
    runs: list[Run] = []
    for piece in pieces:
        before = runs[-1][-1] if runs else None
        step = before.base - piece.base if before else 0.0
        if before and 0 < step <= _JUMP * max(before.size, piece.size):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _extent(run: Run) -> tuple[float, float]:
    return min(p.left for p in run), max(p.right for p in run)


def _above(upper: Run, lower: Run) -> bool:
    """Whether all of one block stands over another."""
    (left, right), (other_left, other_right) = _extent(upper), _extent(lower)
    return upper[-1].base > lower[0].base and left < other_right and other_left < right


def _in_reading_order(runs: Sequence[Run], height: float) -> list[Run]:
    """Return blocks as a page is read: a block that was written late, but stands over others, before them."""
    top = [r for r in runs if r[-1].base > height * (1 - _MARGIN)]
    bottom = [r for r in runs if r[0].base < height * _MARGIN]
    ordered: list[Run] = []
    for run in runs:
        if run in top or run in bottom:
            continue
        at = next((i for i, other in enumerate(ordered) if _above(run, other)), len(ordered))
        ordered.insert(at, run)
    return [*top, *ordered, *bottom]


def _usual_step(runs: Sequence[Run]) -> float:
    steps = sorted(a.base - b.base for run in runs for a, b in pairwise(run))
    return steps[len(steps) // 3] if steps else 0.0


def _column(run: Run, runs: Sequence[Run]) -> tuple[float, float]:
    """Return where the column of a block begins and how wide it is."""
    left = _extent(run)[0]
    alike = [_extent(r) for r in runs if abs(_extent(r)[0] - left) < _SAME_COLUMN]
    begins = min(edges[0] for edges in alike)
    return begins, max(1.0, max(edges[1] for edges in alike) - begins)


def page_of(pieces: Sequence[Piece], height: float) -> Page:
    """Return the lines of a page; `right` is in hundredths of the column's width, `left` from its edge."""
    runs = _runs(rows(pieces))
    usual = _usual_step(runs)
    lines: Page = []
    before: Piece | None = None
    for run in _in_reading_order(runs, height):
        begins, width = _column(run, runs)
        for piece in run:
            step = before.base - piece.base if before else 0.0
            gap = before is None or (usual > 0 and step > usual * _PITCH)
            right = 100.0 * (piece.right - begins) / width
            lines.append(Line(piece.text, gap, right, piece.left - begins, piece.size))
            before = piece
    return lines
