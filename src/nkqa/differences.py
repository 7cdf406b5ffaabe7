"""What editors have confirmed that the sources differ on: corpus/differences.yaml, resolved to sentences."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from nkqa.errors import CorpusError
from nkqa.types import Document


@dataclass(frozen=True, slots=True)
class Side:
    """One claim of a position: `document.text[start:end]` are its telling words, in sentence `sentence`."""

    document_id: str
    sentence: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Known:
    """A known difference: at least two positions, each of claims that agree with each other."""

    id: str
    about: str
    positions: tuple[tuple[Side, ...], ...]

    def between(self, documents: Collection[str]) -> "Known | None":
        """Return what is left of it between some documents; None where fewer than two positions are."""
        kept = (tuple(s for s in position if s.document_id in documents) for position in self.positions)
        positions = tuple(position for position in kept if position)
        return replace(self, positions=positions) if len(positions) > 1 else None


class _Claim(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    source: str
    words: str = Field(min_length=1)
    within: str = Field("", alias="in")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    about: str = Field(min_length=3)
    positions: list[list[_Claim]] = Field(min_length=2)


def load_differences(path: Path, documents: Iterable[Document]) -> tuple[Known, ...]:
    """Read `differences.yaml` against the documents; a missing file holds none.

    Raises:
        CorpusError: the file is not what it should be, or a claim names no sentence or several.
    """
    if not path.is_file():
        return ()
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        entries = TypeAdapter(list[_Entry]).validate_python(raw or [])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise CorpusError(f"{path}: {error}") from error
    by_id = {d.id: d for d in documents}
    known = []
    for entry in entries:
        where = f"{path.name}: {entry.id}"
        positions = tuple(tuple(_resolve(c, by_id, where) for c in claims) for claims in entry.positions)
        known.append(Known(entry.id, entry.about, positions))
    return tuple(known)


def _resolve(claim: _Claim, documents: Mapping[str, Document], where: str) -> Side:
    if claim.source not in documents:
        raise CorpusError(f"{where}: there is no source {claim.source!r}")
    document = documents[claim.source]
    found = []
    for position, sentence in enumerate(document.sentences):
        text = document.text[sentence.start : sentence.end]
        if claim.words in text and claim.within in text:
            found.append((position, sentence.start + text.index(claim.words)))
    if len(found) != 1:
        raise CorpusError(
            f"{where}: {len(found)} sentences of {claim.source} hold {claim.words!r} and {claim.within!r}; "
            "name one by more of its words in `in`"
        )
    position, start = found[0]
    return Side(document.id, position, start, start + len(claim.words))
