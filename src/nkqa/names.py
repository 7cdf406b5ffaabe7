"""The gazetteer: people, places, bodies and agreements, and every spelling of each."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from rapidfuzz import fuzz, process

from nkqa.errors import CorpusError
from nkqa.text import fold, words

NameKind = Literal["place", "person", "body", "agreement", "event", "people"]
_MIN_FUZZY = 5
"""Shorter words are too near to each other for typos to be told from other words."""
_FUZZY = 84.0
"""Least similarity (rapidfuzz ratio, 0 to 100) at which an unknown word is taken for a misspelt name."""


@dataclass(frozen=True, slots=True)
class Name:
    """One thing and all its spellings, the head name first; latitude and longitude in degrees, for places."""

    id: str
    kind: NameKind
    names: tuple[str, ...]
    description: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: `text[start:end]`; `typo` where it was only similar to a spelling."""

    entry: Name
    start: int
    end: int
    typo: bool = False


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    kind: NameKind
    names: list[str] = Field(min_length=1)
    description: str = Field(min_length=3)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)


def _plain(word: str) -> str:
    return fold(word).removesuffix("'s").replace(".", "")


def _key(spelling: str) -> tuple[str, ...]:
    return tuple(_plain(w.text) for w in words(spelling))


def _is_acronym(spelling: str) -> bool:
    return spelling.isupper() and len(spelling) <= 6


def _in_capitals(word: str) -> bool:
    return re.sub(r"['’ʼ]s$", "", word).isupper()


class Gazetteer:
    """Finds names in texts, whatever their spelling. Capitals-only names (NK, EU) must be in capitals."""

    def __init__(self, entries: Iterable[Name] = ()) -> None:
        self.entries: tuple[Name, ...] = tuple(entries)
        self._by_key: dict[tuple[str, ...], Name] = {}
        self._acronyms: set[tuple[str, ...]] = set()
        for entry in self.entries:
            for spelling in entry.names:
                self._by_key.setdefault(_key(spelling), entry)
                if _is_acronym(spelling):
                    self._acronyms.add(_key(spelling))
        self._longest = max((len(k) for k in self._by_key), default=0)

    def get(self, spelling: str) -> Name | None:
        """Return the entry that has this id or spelling, case and accents ignored."""
        return next((e for e in self.entries if e.id == spelling), None) or self._by_key.get(_key(spelling))

    def find(self, text: str) -> list[Mention]:
        """Return the names in `text`, in order, the longest where several begin at a word."""
        found = words(text)
        keys = [_plain(w.text) for w in found]
        mentions: list[Mention] = []
        at = 0
        while at < len(found):
            for size in range(min(self._longest, len(found) - at), 0, -1):
                key = tuple(keys[at : at + size])
                entry = self._by_key.get(key)
                if entry is None:
                    continue
                if key in self._acronyms and not all(_in_capitals(w.text) for w in found[at : at + size]):
                    continue
                mentions.append(Mention(entry, found[at].start, found[at + size - 1].end))
                at += size - 1
                break
            at += 1
        return mentions

    def find_typos(self, text: str, known: frozenset[str]) -> list[Mention]:
        """Return words of `text` that are no word of `known` but nearly one of the single-word names."""
        taken = {at for m in self.find(text) for at in range(m.start, m.end)}
        mentions = []
        for word in words(text):
            folded = _plain(word.text)
            if len(folded) < _MIN_FUZZY or folded in known or word.start in taken or folded[0].isdigit():
                continue
            best = process.extractOne(folded, self._single, scorer=fuzz.ratio, score_cutoff=_FUZZY)
            if best is not None:
                mentions.append(Mention(self._by_key[(best[0],)], word.start, word.end, typo=True))
        return mentions

    @cached_property
    def _single(self) -> Sequence[str]:
        return [
            k[0] for k in self._by_key if len(k) == 1 and len(k[0]) >= _MIN_FUZZY and k not in self._acronyms
        ]

    @staticmethod
    def rewrite(text: str, mentions: Sequence[Mention]) -> str:
        """Return `text` with each of `mentions` written as its head name."""
        out, at = [], 0
        for mention in sorted(mentions, key=lambda m: m.start):
            if mention.start >= at:
                out += [text[at : mention.start], mention.entry.names[0]]
                at = mention.end
        return "".join([*out, text[at:]])


def load_names(path: Path) -> Gazetteer:
    """Read `names.yaml`; a missing file is an empty gazetteer.

    Raises:
        CorpusError: the file is not what it should be, or an id or a spelling belongs to two entries.
    """
    if not path.is_file():
        return Gazetteer()
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        read = TypeAdapter(list[_Entry]).validate_python(raw or [])
    except (OSError, yaml.YAMLError, ValidationError, ValueError, RecursionError) as error:
        raise CorpusError(f"{path}: {error}") from error
    owner: dict[tuple[str, ...], str] = {}
    ids: set[str] = set()
    for entry in read:
        if entry.id in ids:
            raise CorpusError(
                f"{path}: two entries have the id {entry.id!r}; put them together or rename one"
            )
        ids.add(entry.id)
        for spelling in entry.names:
            if not _key(spelling):
                raise CorpusError(
                    f"{path}: {entry.id!r} has the spelling {spelling!r}, in which no word stands"
                )
            other = owner.setdefault(_key(spelling), entry.id)
            if other != entry.id:
                raise CorpusError(
                    f"{path}: {spelling!r} belongs to {other!r} and to {entry.id!r}; keep it in one"
                )
    return Gazetteer(Name(e.id, e.kind, tuple(e.names), e.description, e.latitude, e.longitude) for e in read)
