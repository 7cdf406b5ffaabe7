"""Running heads and page numbers: lines that come back at the edges of pages."""

import re
from collections import Counter
from collections.abc import Sequence

from nkqa.formats.line import Line, Page, unraised

_EDGE = 4
"""Lines at the top and at the bottom of a page among which running heads are looked for."""
_PAGE_NUMBER = re.compile(
    r"^[\s\-–—|·]*(?:page|p\.|seite|стр\.|с\.)?\s*(?P<n>\d{1,4})(?:\s*(?:/|of|von|из)\s*\d{1,4})?[\s\-–—|·]*$",
    re.I,
)


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
