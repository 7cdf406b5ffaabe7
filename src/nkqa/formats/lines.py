"""Pages of printed lines -> blocks: no running heads, footnotes set apart, broken sentences made whole."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nkqa.formats.draft import Block
from nkqa.formats.heads import without_running_heads
from nkqa.formats.line import SENTENCE_END, Line, Page, body_size, unraised
from nkqa.formats.marks import CLOSE, mark
from nkqa.formats.notes import Note, split_notes, without_references
from nkqa.formats.repair import joined, vocabulary

_BULLET = re.compile(r"^(?:[•●▪◦‣∙*]|[–—-](?=\s+[^\W\d_a-zа-я])|\(?[a-z0-9]{1,2}[.)])\s+(?=\S)")
_WIDE = 200
"""Longest printed line; where lines are usually longer, each is a paragraph."""


def _width(pages: Sequence[Page]) -> float:
    """Where lines usually end."""
    ends = sorted(line.right for page in pages for line in page)
    return ends[len(ends) // 2] if ends else 0.0


def _titled(text: str) -> bool:
    """Whether a line is written like a heading: numbered, or with its longer words capitalised."""
    words = [w for w in re.findall(r"[^\W\d_]+", text) if len(w) > 3]
    if not words or (not text[:1].isalnum() and text[:1] not in "“\"'‘"):
        return False
    capitals = sum(1 for w in words if w[0].isupper())
    return (text[0].isupper() and capitals >= 0.6 * len(words)) or bool(
        re.match(r"^\d+(?:\.\d+)*\.?\s+[A-Z]", text)
    )


def _is_heading(line: Line, after: Line | None, width: float, body: float) -> bool:
    text = unraised(line.text)
    if after is None or not 2 < len(text) <= 90 or re.search(r"[.,;:]$", text) or _BULLET.match(text):
        return False
    if body and line.size > body * 1.1:
        return text[0].isupper() or text[0].isdigit()
    if body and line.size < body * 0.95:
        return False
    short = width == 0 or line.right <= width * 0.8
    goes_on = after.text[:1].islower() and not after.gap
    return line.gap and short and _titled(text) and not goes_on


def _breaks(before: Line, line: Line, width: float, indented: bool) -> bool:
    """Whether a new paragraph begins at `line`."""
    ended = bool(SENTENCE_END.search(unraised(before.text)))
    if _BULLET.match(line.text) and (ended or line.gap):
        return True
    if line.gap:
        return ended or not line.text[:1].islower()
    if width > _WIDE:
        return True
    short = before.right < width * 0.85
    return ended and (short or (indented and line.left > before.left + 4))


@dataclass(slots=True)
class _Run:
    """Consecutive lines of one paragraph, each with its page."""

    lines: list[tuple[int, Line]]
    heading: bool


def _runs(pages: Sequence[Page], width: float, body: float) -> list[_Run]:
    """Return the paragraphs; a heading is one of a single line."""
    flat: list[tuple[int, Line]] = [(number, line) for number, page in enumerate(pages, 1) for line in page]
    runs: list[_Run] = []
    for at, (number, line) in enumerate(flat):
        after = flat[at + 1][1] if at + 1 < len(flat) else None
        before = runs[-1].lines[-1] if runs else None
        # Space above the first line of a page says nothing where there is no layout.
        plain = replace(line, gap=False) if before and before[0] != number and body == 0 else line
        heading = _is_heading(line, after, width, body)
        if before is None or heading or runs[-1].heading or _breaks(before[1], plain, width, body > 0):
            runs.append(_Run([(number, line)], heading))
        else:
            runs[-1].lines.append((number, line))
    return runs


def _text(lines: Sequence[tuple[int, Line]], known: Counter[str]) -> str:
    """Return the text of a paragraph, with a mark where each page begins."""
    text = ""
    page = 0
    for number, line in lines:
        sign = mark("p", number) if number != page else ""
        text = joined(text, line.text, known, sign) if text else sign + line.text
        page = number
    return text


def _levels(pages: Sequence[Page], body: float) -> dict[float, int]:
    """Return the level of headings by the size of their letters."""
    sizes = (
        {round(line.size, 1) for page in pages for line in page if line.size > body * 1.1} if body else set()
    )
    return {size: min(level, 4) for level, size in enumerate(sorted(sizes, reverse=True), 1)}


class _Composer:
    """Puts blocks in order: the footnotes of a section after its text, under a heading of their own."""

    def __init__(self, notes: Iterable[Note], known: Counter[str]) -> None:
        self.blocks: list[Block] = []
        self._notes = list(notes)
        self._numbers = {note.number for note in self._notes}
        self._known = known
        self._referred: set[int] = set()
        self._last = 0
        self._level = 1

    def heading(self, text: str, level: int, page: int) -> None:
        self.flush(page)
        self._level = level
        self.blocks.append(Block(self._read(text), level))

    def paragraph(self, text: str) -> None:
        sign, body = (text[: text.index(CLOSE) + 1], text[text.index(CLOSE) + 1 :])
        bullet = _BULLET.match(body)
        self.blocks.append(
            Block(sign + self._read(body[bullet.end() :] if bullet else body), item=bool(bullet))
        )

    def _read(self, text: str) -> str:
        plain, referred = without_references(text, self._last, self._numbers)
        self._last = max([self._last, *referred])
        self._referred.update(referred)
        return plain

    def flush(self, page: int) -> None:
        """Write the footnotes that the section referred to, or that stand on a page before `page`."""
        due = [n for n in self._notes if n.number in self._referred or n.page < page]
        self._notes = [n for n in self._notes if n not in due]
        self._referred.clear()
        if due:
            self.blocks.append(Block("Notes", self._level + 1))
        for note in due:
            text = _text([(note.page, line) for line in note.lines], self._known)
            self.blocks.append(Block(unraised(text), note=str(note.number)))


def blocks_of(pages: Sequence[Page]) -> tuple[list[Block], list[str]]:
    """Return headings, paragraphs and footnotes in order, and the running heads that were taken out."""
    pages, heads = without_running_heads(pages)
    pages, notes = split_notes(pages)
    known = vocabulary("\n".join(line.text for page in pages for line in page))
    width, body = _width(pages), body_size(pages)
    levels = _levels(pages, body)
    composer = _Composer(notes, known)
    for run in _runs(pages, width, body):
        text = _text(run.lines, known)
        page, line = run.lines[0]
        if run.heading:
            composer.heading(text, levels.get(round(line.size, 1), 2), page)
        else:
            composer.paragraph(text)
    composer.flush(len(pages) + 1)
    return composer.blocks, heads
