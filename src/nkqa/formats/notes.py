"""Footnotes: where those of a page begin, what belongs to each, and the references to them in the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nkqa.formats.line import RAISED, SENTENCE_END, Line, Page, body_size, unraised

_NUMBER_ONLY = re.compile(r"^\d{1,3}$")
_NUMBERED = re.compile(r"^\[?(?P<n>\d{1,3})[\]).]?\s+(?P<text>\S.*)$")
_REFERENCE = re.compile(r"(?<=[.,;:!?)”\"’'\]»])(?P<n>\d{1,3})(?=\s|$|[)\]”\"’])")
_POWER = re.compile(r"(?:\d|\b[kcmd]?m)$")
"""What makes a raised number a power: 10², km²."""
_AFTER_REFERENCE = ".,;:!?)]»”’'\""


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
    return plain | {int(m[1]) for m in RAISED.finditer(text)}


def _starts(line: Line, small: bool, expected: int, references: set[int]) -> tuple[int, str] | None:
    """Return number and text if a line begins a footnote: a number alone, or before small print."""
    text = unraised(line.text)
    if _NUMBER_ONLY.match(text) and (int(text) in references or expected <= int(text) <= expected + 2):
        return int(text), ""
    head = RAISED.match(line.text)
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
    raised_heads = any(RAISED.match(line.text) for line in lines)
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
            [i for i, line in enumerate(owner.lines[:-1], 1) if SENTENCE_END.search(line.text)]
            if owner
            else []
        )
        if owner and ends:
            owner.lines, late.lines = owner.lines[: ends[0]], owner.lines[ends[0] :]
    return sorted((n for n in notes if n.lines), key=lambda n: n.number)


def split_notes(pages: Sequence[Page]) -> tuple[list[Page], list[Note]]:
    """Return the pages without footnotes, and the footnotes in order."""
    body = body_size(pages)
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
    return RAISED.sub(drop_raised, plain), found
