"""A printed line, and what a layout can say of it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

RAISED = re.compile("\ue002(\\d{1,3})\ue003")
SENTENCE_END = re.compile(r"[.!?…:;][)\]”\"’'»]*(?:\d{1,3})?$")


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
    return RAISED.sub(r"\1", text)


def body_size(pages: Sequence[Page]) -> float:
    """Return the size that most letters have, 0 where there is no layout."""
    sizes: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0
