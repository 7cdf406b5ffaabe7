"""Pages of printed lines -> blocks: no running heads, footnotes set apart, broken sentences made whole."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nkqa.formats.draft import Block
from nkqa.formats.marks import CLOSE, mark
from nkqa.formats.repair import joined, vocabulary

_EDGE = 4
"""Lines at the top and at the bottom of a page among which running heads are looked for."""
_PAGE_NUMBER = re.compile(
    r"^[\s\-–—|·]*(?:page|p\.|seite|стр\.|с\.)?\s*(?P<n>\d{1,4})(?:\s*(?:/|of|von|из)\s*\d{1,4})?[\s\-–—|·]*$",
    re.I,
)
_NUMBER_ONLY = re.compile(r"^\d{1,3}$")
_NUMBERED = re.compile(r"^\[?(?P<n>\d{1,3})[\]).]?\s+(?P<text>\S.*)$")
_REFERENCE = re.compile(r"(?<=[.,;:!?)”\"’'\]»])(?P<n>\d{1,3})(?=\s|$|[)\]”\"’])")
_RAISED = re.compile("\ue002(\\d{1,3})\ue003")
_POWER = re.compile(r"(?:\d|\b[kcmd]?m)$")
"""What makes a raised number a power: 10², km²."""
_AFTER_REFERENCE = ".,;:!?)]»”’'\""
_SENTENCE_END = re.compile(r"[.!?…:;][)\]”\"’'»]*(?:\d{1,3})?$")
_BULLET = re.compile(r"^(?:[•●▪◦‣∙*]|[–—-](?=\s+[^\W\d_a-zа-я])|\(?[a-z0-9]{1,2}[.)])\s+(?=\S)")
_WIDE = 200
"""Longest printed line; where lines are usually longer, each is a paragraph."""


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line. `gap`: space above it; `right`: where it ends; `size`: of its letters, 0: unknown."""

    text: str
    gap: bool = False
    right: float = 0.0
    left: float = 0.0
    size: float = 0.0


Page = list[Line]


def raised(number: str) -> str:
    """Return a raised number, the reference to a footnote where the layout shows it."""
    return f"\ue002{number}\ue003"


def unraised(text: str) -> str:
    """Return `text` with raised numbers written as plain ones."""
    return _RAISED.sub(r"\1", text)


# --- running heads -----------------------------------------------------------------------------------------


def _key(text: str) -> str:
    return re.sub(r"\d+", "#", " ".join(unraised(text).casefold().split()))


def _edges(page: Page) -> set[int]:
    return {*range(min(_EDGE, len(page))), *range(max(0, len(page) - _EDGE), len(page))}


def _outermost(page: Page) -> set[int]:
    """Where a page's number can stand: first or last; beside the running head where the layout is known."""
    deep = 2 if any(line.size for line in page) else 1
    return {*range(min(deep, len(page))), *range(max(0, len(page) - deep), len(page))}


def _printed(line: Line) -> int | None:
    match = _PAGE_NUMBER.match(unraised(line.text))
    return int(match["n"]) if match else None


def _shift(pages: Sequence[Page]) -> int | None:
    """How far printed page numbers are from counted ones, if several pages print theirs and agree."""
    found: Counter[int] = Counter()
    for number, page in enumerate(pages, 1):
        printed = {_printed(page[at]) for at in _outermost(page)}
        found.update(n - number for n in printed if n is not None)
    shift, agree = found.most_common(1)[0] if found else (0, 0)
    enough = 2 if len(pages) < 6 else 3
    return shift if agree >= enough and agree * 2 >= found.total() else None


def without_running_heads(pages: Sequence[Page]) -> tuple[list[Page], list[str]]:
    """Return the pages without lines that repeat at their edges, and those lines, each once."""
    seen = Counter(key for page in pages for key in {_key(page[i].text) for i in _edges(page)})
    enough = max(2 if len(pages) < 6 else 3, round(len(pages) * 0.3))
    shift = _shift(pages)
    heads: dict[str, str] = {}
    kept = []
    for number, page in enumerate(pages, 1):
        lines = []
        for at, line in enumerate(page):
            key = _key(line.text)
            repeats = at in _edges(page) and seen[key] >= enough and any(c.isalpha() for c in key)
            if repeats:
                heads.setdefault(key, unraised(line.text))
            elif shift is None or at not in _outermost(page) or _printed(line) != number + shift:
                lines.append(line)
        kept.append(lines)
    return kept, list(heads.values())


# --- footnotes ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Note:
    """A footnote: its number, its lines, and the page that it stands on."""

    number: int
    lines: list[Line]
    page: int


def _is_reference(match: re.Match[str]) -> bool:
    """Whether what stands before a number is no other number: `war.3` and `in 1994.3`, not `2.3`."""
    return not re.search(r"(?<!\d)\d{1,3}\D$", match.string[: match.start()])


def _references(page: Page) -> set[int]:
    """The numbers on a page that can be references to footnotes."""
    text = "\n".join(line.text for line in page)
    plain = {int(m["n"]) for m in _REFERENCE.finditer(text) if _is_reference(m)}
    return plain | {int(m[1]) for m in _RAISED.finditer(text)}


def _body_size(pages: Sequence[Page]) -> float:
    sizes: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _starts(line: Line, small: bool, expected: int, references: set[int]) -> tuple[int, str] | None:
    """Return number and text if a line begins a footnote: a number alone, or before small print."""
    text = unraised(line.text)
    if _NUMBER_ONLY.match(text) and (int(text) in references or expected <= int(text) <= expected + 2):
        return int(text), ""
    head = _RAISED.match(line.text)
    if head and line.text[head.end() :].strip():
        return int(head[1]), unraised(line.text[head.end() :]).strip()
    match = _NUMBERED.match(text)
    if match and (small or line.gap) and "\ue002" not in line.text and int(match["n"]) in references:
        return (int(match["n"]), match["text"]) if int(match["n"]) >= expected or small else None
    return None


def _first_note(page: Page, body: float, expected: int) -> int | None:
    """Return where the footnotes of a page begin: from there on there is no body text."""
    references = _references(page)
    for at, line in enumerate(page):
        small = 0 < line.size < body * 0.95
        found = _starts(line, small, expected, references)
        rest_small = body == 0 or all(0 < below.size < body * 0.95 for below in page[at:])
        if (
            at
            and found
            and rest_small
            and expected <= found[0] <= expected + 40
            and (found[1] or page[at + 1 :])
        ):
            return at
    return None


def _notes_of(lines: Page, body: float, expected: int, references: set[int], number: int) -> list[Note]:
    notes: list[Note] = []
    raised_heads = any(_RAISED.match(line.text) for line in lines)
    for line in lines:
        found = _starts(line, body > 0 and not raised_heads, expected, references)
        if found is None:
            notes[-1].lines.append(line)
            continue
        expected = max(expected, found[0] + 1)
        notes.append(Note(found[0], [replace(line, text=found[1])] if found[1] else [], number))
    return _with_late_numbers(notes)


def _with_late_numbers(notes: list[Note]) -> list[Note]:
    """Give a footnote whose number came out last its text: the later lines of the one before it."""
    for late in [n for n in notes if not n.lines]:
        owner = next((n for n in notes if n.number == late.number - 1 and len(n.lines) > 1), None)
        ends = (
            [i for i, line in enumerate(owner.lines[:-1], 1) if _SENTENCE_END.search(line.text)]
            if owner
            else []
        )
        if owner and ends:
            owner.lines, late.lines = owner.lines[: ends[0]], owner.lines[ends[0] :]
    return sorted((n for n in notes if n.lines), key=lambda n: n.number)


def split_notes(pages: Sequence[Page]) -> tuple[list[Page], list[Note]]:
    """Return the pages without footnotes, and the footnotes in order."""
    body = _body_size(pages)
    expected = 1
    bodies: list[Page] = []
    notes: list[Note] = []
    for number, page in enumerate(pages, 1):
        at = _first_note(page, body, expected)
        if at is not None:
            found = _notes_of(page[at:], body, expected, _references(page[:at]), number)
            notes += found
            expected = max([expected, *(n.number + 1 for n in found)])
        rest = page if at is None else page[:at]
        expected = max([expected, *(n + 1 for n in _references(rest) if expected <= n <= expected + 3)])
        bodies.append([line for line in rest if not _is_lost_number(line, rest, expected)])
    return bodies, notes


def _is_lost_number(line: Line, page: Page, expected: int) -> bool:
    """Whether the last line of a page is the number of a footnote whose text is missing."""
    return (
        bool(page) and line is page[-1] and bool(_NUMBER_ONLY.match(line.text)) and int(line.text) <= expected
    )


def without_references(text: str, last: int, known: set[int]) -> tuple[str, list[int]]:
    """Return `text` without references to footnotes, and their numbers.

    Args:
        text: a paragraph.
        last: the last reference before it.
        known: the numbers of the footnotes that were found. Where there are none, only a number that is raised
            and follows the end of a clause is a reference.
    """
    found: list[int] = []

    def drop(match: re.Match[str]) -> str:
        number = int(match["n"])
        before = found[-1] if found else last
        if (
            known
            and _is_reference(match)
            and (before < number <= before + 2 or (number in known and number > before))
        ):
            found.append(number)
            return ""
        return match[0]

    def drop_raised(match: re.Match[str]) -> str:
        before = match.string[: match.start()]
        if _POWER.search(before) or not (known or before.rstrip()[-1:] in tuple(_AFTER_REFERENCE)):
            return match[1]
        found.append(int(match[1]))
        return ""

    plain = _REFERENCE.sub(drop, text)
    return _RAISED.sub(drop_raised, plain), found


# --- paragraphs --------------------------------------------------------------------------------------------


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
    ended = bool(_SENTENCE_END.search(unraised(before.text)))
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
    width, body = _width(pages), _body_size(pages)
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
