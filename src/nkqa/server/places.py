"""Where in the corpus things stand: sentences with their places, by name and by date."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from nkqa.dates import DateMention, dates_in
from nkqa.engine import Engine
from nkqa.types import Document, Locator, Sentence, SourceInfo


def source_info(document: Document) -> SourceInfo:
    """Return the part of a document's source that a citation shows."""
    source = document.source
    return SourceInfo(
        source.id, source.type, source.title, source.author, source.publisher, source.issued, source.URL,
        source.perspective,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlacedSentence:
    """A sentence with its offsets and its place, as `schema.PlacedSentence` describes it."""

    text: str
    start: int
    end: int
    sha256: str
    heading: str
    paragraph: int
    locator: Locator


def placed(document: Document, sentence: Sentence) -> PlacedSentence:
    """Return a sentence of `document` with its text."""
    text = document.text[sentence.start : sentence.end]
    digest = sha256(text.encode()).hexdigest()
    return PlacedSentence(
        text, sentence.start, sentence.end, digest, sentence.heading, sentence.paragraph, sentence.locator
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence of a source."""

    source: SourceInfo
    sentence: PlacedSentence


@dataclass(frozen=True, slots=True)
class Dated(Place):
    """A sentence and a date in it; `first` and `last` are the days that the date spans."""

    date: str
    first: str
    last: str


class Places:
    """Which sentences name what and which dates; found once, when first asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @cached_property
    def _sentences(self) -> Sequence[Place]:
        documents = self._engine.documents.values()
        return [Place(source_info(d), placed(d, s)) for d in documents for s in d.sentences]

    @cached_property
    def names(self) -> dict[str, list[Place]]:
        """The sentences that name each entry, by its id."""
        found: defaultdict[str, list[Place]] = defaultdict(list)
        for place in self._sentences:
            for id in {m.entry.id for m in self._engine.names.find(place.sentence.text)}:
                found[id].append(place)
        return found

    @cached_property
    def timeline(self) -> list[Dated]:
        """The sentences with a date whose year is known, by date."""
        dated = [
            Dated(place.source, place.sentence, mention.iso, *_days(mention))
            for place in self._sentences
            for mention in {m.iso: m for m in dates_in(place.sentence.text) if m.year}.values()
        ]
        return sorted(dated, key=lambda d: (d.first, d.last))


def _days(mention: DateMention) -> tuple[str, str]:
    year, month, day = mention.year, mention.month, mention.day
    first = f"{year:04d}-{month or 1:02d}-{day or 1:02d}"
    last = f"{year:04d}-{month or 12:02d}-{mention.last or day or 31:02d}"
    return first, last
