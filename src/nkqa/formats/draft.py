"""What a reader makes of a file, and how that is written in the corpus's own source format."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from nkqa.errors import FormatError
from nkqa.formats.cut import sentence_spans
from nkqa.formats.marks import MARK, Place, unmark
from nkqa.text import clean, fold
from nkqa.types import Source

NOT_STATED = "not stated"
RIGHTS = "The reader's own document."
PERSPECTIVES = ("party", "neighbour", "mediator", "multilateral", "outside-analyst", "newsroom")
_LONGEST_HEADING = 120
_DEEPEST = 6
"""Most signs # before a heading."""
_LONGEST_TITLE = 150
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)$")
_URL = re.compile(r"^https?://[^\s<>\"@]{3,1990}$")
_DAY = re.compile(r"^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (`level` 1 to 6) or a paragraph (0); `item`: in a list, `note`: the footnote's number."""

    text: str
    level: int = 0
    item: bool = False
    note: str = ""


@dataclass(slots=True)
class Draft:
    """The blocks of a file in order, what it says of itself, and the kind of its places."""

    blocks: list[Block]
    meta: dict[str, str] = field(default_factory=dict)
    type: str = "document"
    locator: Literal["page", "timestamp", "paragraph"] = "paragraph"
    ready: str = ""
    """The file's own text, where it already is in the source format."""


def slug(name: str) -> str:
    """Return an id made of a name: small letters, digits and hyphens, 2 to 60 of them."""
    letters = unicodedata.normalize("NFKD", fold(name))
    made = re.sub(r"[^a-z0-9]+", "-", letters.encode("ascii", "ignore").decode()).strip("-")[:60].strip("-")
    if len(made) < 2 or _RESERVED.match(made):
        made = (
            f"document-{made}".strip("-")
            if made
            else "document-" + hashlib.sha256(name.encode()).hexdigest()[:8]
        )
    return made


def as_date(text: str) -> str | None:
    """Return the ISO date at the start of `text`, to the day or to the month, if there is a real one.

    A year alone, which a source cannot have, becomes its January: better too old than too new.
    """
    match = _DAY.match(text.strip())
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        found = date(year, month, day).isoformat()
    except ValueError:
        return None
    return found if match[3] else found[:7]


def as_url(text: str) -> str | None:
    """Return `text` if it is a web address, else None."""
    return text if _URL.match(text) else None


# --- places ------------------------------------------------------------------------------------------------


def _clock(second: int) -> str:
    hours, rest = divmod(second, 3600)
    clock = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{clock}" if hours else clock


def _last(places: Sequence[Place], kind: str, until: int, held: int | None) -> int | None:
    return next((p.value for p in reversed(places) if p.kind == kind and p.at <= until), held)


def _second(places: Sequence[Place], start: int, end: int, held: int | None) -> int | None:
    """The second of a sentence: of the first mark that ends in it or after it, else of the last begun."""
    ended = next((p.value for p in places if p.kind == "e" and p.at > start), None)
    if ended is not None:
        return ended
    begun = _last(places, "t", start, None)
    if begun is None:
        begun = next((p.value for p in places if p.kind == "t" and p.at < end), None)
    return begun if begun is not None else (places[-1].value if places and places[-1].kind == "e" else held)


class _Marker:
    """Writes the mark of each sentence, holding page and time from one paragraph to the next."""

    def __init__(self, draft: Draft) -> None:
        self.kind = draft.locator
        self.page: int | None = 1
        self.second = self._first_second(draft)
        self.paragraph = 0

    @staticmethod
    def _first_second(draft: Draft) -> int:
        marks = (m for b in draft.blocks for m in MARK.finditer(b.text) if m[1] != "p")
        first = next(marks, None)
        return int(first[2]) if first else 0

    def mark(self, places: Sequence[Place], start: int, end: int, note: str) -> str:
        if self.kind == "paragraph":
            return f"para. {self.paragraph}"
        if self.kind == "timestamp":
            second = _second(places, start, end, self.second)
            return _clock(second or 0)
        first = _last(places, "p", start, self.page)
        last = _last(places, "p", end - 1, first)
        if note:
            return f"p. {first}, fn. {note}"
        return f"p. {first}" if first == last else f"pp. {first}-{last}"

    def hold(self, places: Sequence[Place]) -> None:
        self.page = _last(places, "p", 1 << 60, self.page)
        if places and places[-1].kind != "p":
            self.second = places[-1].value


# --- writing -----------------------------------------------------------------------------------------------


def _heading(block: Block) -> str:
    return clean(unmark(block.text)[0]).lstrip("# ").replace(" > ", " › ")


def _quoted(text: str) -> str:
    return json.dumps(clean(text), ensure_ascii=False)


def front_matter(source: Source) -> str:
    """Return the front matter of a source, which `nkqa.corpus.read_front_matter` reads back."""
    lines = [
        f"id: {source.id}",
        f"type: {_quoted(source.type)}",
        f"title: {_quoted(source.title)}",
        "author:",
    ]
    lines += [f"  - literal: {_quoted(name)}" for name in source.author]
    lines.append(f"publisher: {_quoted(source.publisher)}")
    if source.container_title:
        lines.append(f"container-title: {_quoted(source.container_title)}")
    lines.append(f'issued: "{source.issued}"')
    if source.URL:
        lines.append(f"URL: {_quoted(source.URL)}")
    lines += [f"language: {_quoted(source.language)}", f"perspective: {source.perspective}"]
    lines += [f"locator: {source.locator}", f"rights: {_quoted(source.rights)}"]
    return "---\n" + "\n".join(lines) + "\n---\n"


def source_of(draft: Draft, id: str, stem: str, modified: str) -> Source:
    """Return the source that a draft describes, with defaults where it is silent.

    Args:
        draft: what was read.
        id: the document's id.
        stem: the file's name without its ending, the title where there is none.
        modified: the file's own date, which stands where the document gives none.
    """
    meta = {key: clean(value) for key, value in draft.meta.items()}
    authors = [a.strip()[:100] for a in meta.get("author", "").split(";") if a.strip()][:10]
    given = meta.get("perspective", "")
    perspective = next((p for p in PERSPECTIVES if p == given), "outside-analyst")
    language = meta.get("language", "")[:2].lower()
    return Source(
        id=id,
        type=meta.get("type", "")[:40] or draft.type,
        title=(meta.get("title") or clean(stem.replace("_", " ")) or id)[:_LONGEST_TITLE],
        author=tuple(authors) or (NOT_STATED,),
        publisher=meta.get("publisher", "")[:150] or NOT_STATED,
        container_title=meta.get("container-title", "")[:150],
        issued=as_date(meta.get("issued", "")) or modified,
        URL=as_url(meta.get("URL", "")),
        language=language if language.isascii() and len(language) == 2 and language.isalpha() else "en",
        perspective=perspective,  # type: ignore[arg-type]
        locator=draft.locator,
        rights=meta.get("rights", "")[:300] or RIGHTS,
    )


def _sentences(block: Block, marker: _Marker, language: str) -> Iterator[str]:
    plain, places = unmark(unicodedata.normalize("NFC", block.text))
    for span in sentence_spans(plain, language):
        text = clean(plain[span.start : span.end]).lstrip("# ")
        if any(c.isalnum() for c in text):
            yield f"{text} [{marker.mark(places, span.start, span.end, block.note)}]"
    marker.hold(places)


def heading_lines(before: Sequence[str], path: Sequence[str]) -> list[str]:
    """Return the headings to write between a sentence under the headings `before` and one under `path`."""
    if list(before) == list(path):
        return []
    same = next((i for i, (a, b) in enumerate(zip(before, path, strict=False)) if a != b), len(before))
    same = min(same, len(path) - 1)  # back to a heading above: it is written again
    return [
        line
        for depth in range(max(same, 0), len(path))
        for line in ("", f"{'#' * (depth + 2)} {path[depth]}")
    ]


class _Headings:
    """The headings above the text in hand; those without text of their own or below them are not written."""

    def __init__(self) -> None:
        self._open: dict[int, str] = {}
        self._written: list[str] = []

    def add(self, level: int, text: str) -> None:
        self._open = {k: v for k, v in self._open.items() if k < level} | {level: text}

    def lines(self) -> list[str]:
        """Return what has to be written before the next sentence."""
        path = [self._open[k] for k in sorted(self._open)][: _DEEPEST - 1]
        lines = heading_lines(self._written, path)
        self._written = path
        return lines


def to_source(draft: Draft, source: Source) -> str:
    """Return a draft in the source format: front matter, headings, one sentence a line with its place.

    Raises:
        FormatError: there is no sentence in it.
    """
    marker, headings = _Marker(draft), _Headings()
    lines: list[str] = []
    for block in draft.blocks:
        heading = _heading(block) if block.level else ""
        if heading and len(heading) <= _LONGEST_HEADING:
            headings.add(block.level, heading)
            marker.hold(unmark(block.text)[1])
        elif any(c.isalnum() for c in block.text):
            above = headings.lines()
            marker.paragraph = 1 if above else marker.paragraph + 1
            lines += [*above, "", *_sentences(block, marker, source.language)]
    if not any(line.endswith("]") for line in lines):
        raise FormatError("holds no text that could be read")
    return front_matter(source) + "\n".join(lines) + "\n"
