"""Whether a cited place is the gold place: the same page, footnote, moment or paragraph of a source."""

import re

from nkqa.types import Locator
from nkqa_eval.questions import GoldLocator

SECONDS_APART = 10


def same_place(gold: GoldLocator, source: str, place: Locator) -> bool:
    """Say whether `place` in `source` overlaps the gold place.

    The source must be the same. Then: a moment at most ten seconds away; the same page, and where both name a
    footnote, one in common; the same paragraph of the same section. What the gold place does not name is not
    asked for.
    """
    if gold.source != source:
        return False
    if gold.second is not None:
        return place.second is not None and abs(place.second - gold.second) <= SECONDS_APART
    if gold.section is not None and place.section and _plain(gold.section) != _plain(place.section):
        return False
    if gold.page is not None:
        if gold.page not in _pages(place):
            return False
        if gold.footnote and place.footnote:
            return bool(_numbers(gold.footnote) & _numbers(place.footnote))
        return gold.paragraph is None or place.paragraph is None or gold.paragraph == place.paragraph
    return gold.paragraph is None or gold.paragraph == place.paragraph


def _pages(place: Locator) -> set[int]:
    """Return the pages of a locator; its label names both ends of `pp. 9-10`."""
    pages = {place.page} if place.page is not None else set()
    if match := re.match(r"pp?\.\s*(\d+)\s*[-–]\s*(\d+)", place.label):
        pages |= set(range(int(match[1]), int(match[2]) + 1))
    return pages


def _numbers(footnotes: str) -> set[int]:
    """Return every footnote of `41`, `41-43` or `41, 43`."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*[-–]\s*(\d+))?", footnotes):
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def _plain(section: str) -> str:
    """Return a heading by its letters and digits only, so that quotes and dashes do not tell two apart."""
    return "".join(character for character in section.casefold() if character.isalnum())
