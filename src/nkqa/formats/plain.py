"""Plain text -> blocks: paragraphs, or the printed pages of a text that was taken from a PDF."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from nkqa.formats.draft import Draft
from nkqa.formats.line import Line, Page
from nkqa.formats.lines import blocks_of
from nkqa.formats.repair import restore_hyphens, vocabulary
from nkqa.formats.sniff import front_matter, settle
from nkqa.formats.transcript import timed_lines

_PRINTED = re.compile(r"^\s*(?:page|seite|стр\.)\s+(?P<n>\d{1,4})\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"^\s?\d{1,3}\s*$")


def _breaks(lines: Sequence[str]) -> set[int]:
    """Return the lines that begin a page: those with a form feed, else those few that a lone space begins."""
    feeds = {i for i, line in enumerate(lines) if "\f" in line}
    if feeds:
        return feeds
    spaced = {i for i, line in enumerate(lines) if re.match(r" \S", line)}
    indented = sum(1 for line in lines if line.startswith(("  ", "\t")))
    return spaced if 1 < len(spaced) <= len(lines) * 0.1 and indented <= len(lines) * 0.02 else set()


def _head_above(lines: Sequence[str], at: int, seen: Counter[str]) -> int:
    """Return the first line of the running head that stands right above the printed page number at `at`."""
    while at and (not lines[at - 1].strip() or seen[lines[at - 1].strip()] > 1):
        at -= 1
    return at


def _lost_numbers(lines: Sequence[str], breaks: set[int], pages: set[int]) -> dict[int, int]:
    """Return breaks that are none: a footnote's number was lost there, as its neighbours' numbers show.

    Between footnotes n and n + 2 the last break is the place of the missing number n + 1.
    """
    numbers = [(i, int(line)) for i, line in enumerate(lines) if _NUMBER.match(line)]
    lost: dict[int, int] = {}
    last = before = 0
    for at, number in numbers:
        if number == last + 2:
            since = [b for b in breaks if b < at and not any(b < i < at for i, _ in numbers)]
            same_page = [b for b in since if not any(p < b and p > before for p in pages)]
            if since:
                lost[max(same_page if any(before < p < at for p in pages) and same_page else since)] = (
                    number - 1
                )
        if number in (last + 1, last + 2):
            last, before = number, at
    return lost


def _reconciled(breaks: set[int], printed: dict[int, int], end: int) -> set[int]:
    """Return the breaks without those that make one page too many between two printed page numbers.

    Of the pages in between, the shortest is taken for the false one.
    """
    kept = set(breaks)
    anchors = sorted(printed.items())
    for (one, first), (two, second) in itertools.pairwise(anchors):
        while len(between := sorted(b for b in kept if one < b < two)) > max(0, second - first - 1):
            kept.discard(min(between, key=lambda b: min(c for c in (*between, two, end) if c > b) - b))
    return kept


def _lines(raw: Sequence[str], starts: set[int], drop: set[int], lost: dict[int, int]) -> list[Page]:
    pages: list[Page] = [[]]
    gap = True
    for at, line in enumerate(raw):
        if at in starts and pages[-1]:
            pages.append([])
        text = " ".join(line.split())
        if at in lost:
            pages[-1].append(Line(str(lost[at]), right=2))
        if not text or at in drop:
            gap = True
            continue
        pages[-1].append(Line(text, gap, float(len(text)), float(len(line) - len(line.lstrip()))))
        gap = False
    return pages


def paged(text: str) -> tuple[list[Page], int, list[str]]:
    """Return the pages of a text, how far printed page numbers are from counted ones, and the running heads.

    Pages begin at form feeds, at lines that a lone space begins (as some programs write a page break), and at
    the running head above a line such as `Page 4`. Without any of them there is one page.
    """
    raw = text.split("\n")
    seen = Counter(line.strip() for line in raw if line.strip())
    printed = {i: int(m["n"]) for i, line in enumerate(raw) if (m := _PRINTED.match(line))}
    heads = {_head_above(raw, at, seen): number for at, number in printed.items()}
    drop = {i for head, at in zip(heads, printed, strict=False) for i in range(head, at + 1)}
    breaks = _breaks(raw) - drop
    lost = _lost_numbers(raw, breaks, set(heads)) if printed or len(breaks) > 1 else {}
    starts = _reconciled(breaks - set(lost), heads, len(raw)) | set(heads)
    pages = _lines([line.replace("\f", "") for line in raw], starts, drop, lost)
    shift = 0
    if heads:
        head, number = min(heads.items())
        shift = number - 1 - sum(1 for start in starts if 0 < start <= head)
    running = dict.fromkeys(raw[i].strip() for i in sorted(drop - set(printed)) if raw[i].strip())
    return pages, max(0, shift), list(running)


def read_plain(text: str) -> Draft:
    """Return the blocks of a plain text."""
    meta, body = front_matter(text)
    timed = timed_lines(body)
    if timed is not None:
        return Draft(timed, meta, "broadcast", "timestamp")
    pages, shift, heads = paged(restore_hyphens(body, vocabulary(body)))
    blocks, more = blocks_of([[] for _ in range(shift)] + pages)
    return settle(Draft(blocks, meta, locator="page" if len(pages) > 1 else "paragraph"), [*heads, *more])
