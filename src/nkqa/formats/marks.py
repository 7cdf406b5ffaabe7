"""Marks of places that travel inside a text until it is cut into sentences: here page 9 begins."""

import re
from dataclasses import dataclass
from typing import Literal

MarkKind = Literal["p", "t", "e"]
"""`p`: a page begins; `t`: a time begins; `e`: what was said at a time ends."""
OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(rf"{OPEN}([pte])(\d{{1,6}}){CLOSE}")
_KINDS: dict[str, MarkKind] = {"p": "p", "t": "t", "e": "e"}
_SPACES = re.compile(r"\s+")
_STUCK = ".,;:!?)]}»”’"


@dataclass(frozen=True, slots=True)
class Place:
    """A mark at an offset of a text."""

    at: int
    kind: MarkKind
    value: int


def mark(kind: MarkKind, value: int) -> str:
    """Return the mark as text."""
    return f"{OPEN}{kind}{value}{CLOSE}"


def unmark(text: str) -> tuple[str, list[Place]]:
    """Return `text` with its marks taken out and white space made single, and where the marks were."""
    plain = ""
    places: list[Place] = []
    parts = MARK.split(text)
    for at in range(0, len(parts), 3):
        part = _SPACES.sub(" ", parts[at])
        if plain.endswith(" ") and part[:1] and part[:1] in _STUCK:
            plain = plain[:-1]
        plain += part.lstrip() if not plain or plain.endswith(" ") else part
        if at + 1 < len(parts):
            places.append(Place(len(plain), _KINDS[parts[at + 1]], int(parts[at + 2])))
    return plain, places
