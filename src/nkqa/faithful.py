"""A digest against its original: no figure, date or name that is not there, no nine words in a row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from nkqa.dates import DateMention, dates_in
from nkqa.errors import CorpusError
from nkqa.names import Gazetteer
from nkqa.text import NUMBER_WORDS, fold, words
from nkqa.types import Document, Source

SHARED = 9
"""Words in a row that a digest must not share with its original."""
_LONG_NAME = 3
"""A name of more words counts as one word when shared words are counted: it can be said in no other way."""
_LINK = re.compile(r"\[\[[^|\]]{0,200}\|([^\]]{0,300})\]\]")
_TAG = re.compile(r"<[^>]{0,500}>|\[\d\d:\d\d:\d\d\]|\]\([^)]{0,300}\)")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_FOOTNOTE = re.compile(r"(?m)^\d{1,3}$|(?<=[^\W\d_][.,;:!?)”\"’])\d{1,3}(?=\s|$)")
"""The number of a footnote, alone on its line or after the words that it belongs to."""
_LOOSE = re.compile(r"(?<=\d)(?=[^\W\d_])|[-–—/]")
"""Where a number touches letters or another number."""
_TIME = re.compile(r"\bdata-t=\"(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2})\"")
_SCALE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINALS = "first second third fourth fifth sixth seventh".split()
_OTHER_NUMBERS = {word: i for i, word in enumerate(_ORDINALS, 1)} | {
    "a": 1, "an": 1, "once": 1, "twice": 2, "both": 2, "pair": 2, "dozen": 12,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a sentence, by its position in the document."""

    sentence: int
    message: str


class _Allowance(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: str
    allow: list[str] = Field(min_length=1)
    reason: str = Field(min_length=8)


@dataclass(frozen=True, slots=True)
class Allowances:
    """Words and figures that a digest may have although its original has not, each with a reason."""

    entries: tuple[_Allowance, ...]
    met: set[tuple[str, str]] = field(default_factory=set)

    def allows(self, source: str, text: str) -> bool:
        """Whether a source may have this word or figure."""
        found = any(e.source == source and text in e.allow for e in self.entries)
        if found:
            self.met.add((source, text))
        return found

    def unused(self) -> list[str]:
        """Return what is allowed and nowhere needed."""
        given = [(e.source, text) for e in self.entries for text in e.allow]
        return [
            f"{text!r} is allowed in {source} and not needed there"
            for source, text in sorted(set(given) - self.met)
        ]


def load_allowances(file: Path) -> Allowances:
    """Read `allow.yaml`; a missing file allows nothing.

    Raises:
        CorpusError: it is not what it should be.
    """
    if not file.is_file():
        return Allowances(())
    try:
        read = TypeAdapter(list[_Allowance]).validate_python(yaml.safe_load(file.read_text("utf-8")) or [])
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file.name}: {error}") from error
    return Allowances(tuple(read))


def original_files(folder: Path, id: str, ids: Sequence[str]) -> list[Path]:
    """Return the originals of a source: the files whose names begin with its id and with no longer one."""
    longer = [other for other in ids if other != id and other.startswith(id)]
    found = [f for f in sorted(folder.glob(f"{id}*")) if f.is_file()]
    return [f for f in found if not any(f.name.startswith(other) for other in longer)]


# --- figures and dates -------------------------------------------------------------------------------------


def _value(number: str) -> float:
    plain = number.rstrip(".,")
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain)
    return float(plain.replace(",", "") if grouped else plain.replace(",", "."))


def _figures(text: str) -> Iterator[tuple[float, str]]:
    """Yield the figures in digits with their values, as they stand and with `million` and the like."""
    for match in _NUMBER.finditer(text):
        if match.group().count(".") > 1:
            continue
        value = _value(match.group())
        scale = re.match(r"[ -](hundred|thousand|million|billion)\b", text[match.end() :], re.IGNORECASE)
        yield value * (_SCALE[scale[1].lower()] if scale else 1), match.group()


def _without_dates(text: str) -> str:
    """Return `text` with days and months left out, so that the 25 of a date is no 25 of anything else."""
    out, at = "", 0
    for mention in dates_in(text):
        if mention.month is not None:
            year = f" {mention.year} " if mention.year else " "
            out, at = out + text[at : mention.start] + year, mention.end
    return out + text[at:]


def _worded(text: str) -> Iterator[float]:
    """Yield the numbers that are written in words: seven, twenty-five, one million, several hundred."""
    found = [fold(w.text) for w in words(text)]
    known = NUMBER_WORDS | _OTHER_NUMBERS
    for at, word in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else ""
        if word in known:
            yield known[word]
            if after in _SCALE:
                yield known[word] * _SCALE[after]
            if known[word] >= 20 and after in known:
                yield known[word] + known[after]


def _facts(text: str) -> set[float]:
    """Return all numbers of an original, in digits or words, those of `1998-2018` and `45-year-old` too."""
    text = _without_dates(_FOOTNOTE.sub(" ", text))
    loose = _LOOSE.sub(" ", text)
    return {value for part in (text, loose) for value, _ in _figures(part)} | set(_worded(loose))


def _same_date(one: DateMention, other: DateMention) -> bool:
    """Whether an original's date bears out a digest's: it is no less exact, `late June` counting as a month."""
    as_exact = one.day is None or one.vague or other.day is not None
    return one.agrees(other) and as_exact and (one.month is None or other.month is not None)


# --- names -------------------------------------------------------------------------------------------------


def _bare(word: str) -> str:
    return fold(word).removesuffix("'s").replace(".", "").rstrip("'")


def _known_words(text: str) -> set[str]:
    return {_bare(w.text) for w in words(text)}


def _source_words(source: Source) -> set[str]:
    """Return the words of title, author and publisher, which a digest may always name."""
    said = [source.title, source.publisher, source.container_title, *source.author]
    return {word for text in said for word in _known_words(text)}


def _capitalised(quote: str) -> Iterator[tuple[str, int]]:
    """Yield words that begin with a capital; the first of a sentence only where a second one follows it."""
    found = words(quote)
    for at, word in enumerate(found):
        if not word.text[0].isupper():
            continue
        begins = at == 0 or quote[: word.start].rstrip("\"'( ").endswith((".", "?", "!", ":"))
        follows = at + 1 < len(found) and found[at + 1].text[0].isupper()
        if not begins or (follows and quote[word.end : found[at + 1].start] in (" ", "-")):
            yield word.text, word.start


def _is_short_for(word: str, before: str) -> bool:
    """Whether capitals are the first letters of the words before them: prisoners of war (POWs)."""
    letters = word.removesuffix("s").lower()
    initials = "".join(fold(w.text)[0] for w in words(before))
    return word[:2].isupper() and before.endswith("(") and initials.endswith(letters)


class _Original:
    """What an original holds: its figures, dates, words and names."""

    def __init__(self, texts: Sequence[str], names: Gazetteer, issued: str) -> None:
        text = "\n".join(_TAG.sub(" ", _LINK.sub(r"\1", t)) for t in texts)
        self.text = text
        self.figures = _facts(text) | {float(issued[:4])}
        self.dates = [*dates_in(_FOOTNOTE.sub(" ", text)), *dates_in(issued)]
        self.words = _known_words(re.sub(r"(?<=\w)-\n(?=\w)", "", text)) | _known_words(text)
        self.names = {mention.entry.id for mention in names.find(text)}


def _figure_faults(quote: str, original: _Original) -> Iterator[tuple[str, str]]:
    found = dates_in(quote)
    for mention in found:
        if mention.month and not any(_same_date(mention, other) for other in original.dates):
            said = quote[mention.start : mention.end]
            yield said, f"the original does not have the date {said!r}"
    for value, figure in _figures(_LOOSE.sub(" ", _without_dates(quote))):
        if value not in original.figures and _value(figure) not in original.figures:
            yield figure, f"the original does not have the figure {figure!r}"


def _name_faults(
    quote: str, original: _Original, names: Gazetteer, source: set[str]
) -> Iterator[tuple[str, str]]:
    known = [(m.start, m.end) for m in names.find(quote) if m.entry.id in original.names]
    months = [(d.start, d.end) for d in dates_in(quote)]
    for word, start in _capitalised(quote):
        inside = any(s <= start < e for s, e in (*known, *months))
        alone = names.get(word)
        second_name = alone is not None and alone.id in original.names
        fine = inside or second_name or _bare(word) in original.words | source
        if not fine and not _is_short_for(word, quote[:start]):
            yield word, f"the original does not have the name {word!r}"


def _time_faults(document: Document, texts: Sequence[str]) -> Iterator[Fault]:
    """Yield places in a recording that are none of those that its notes give, where they give any."""
    given = {
        int(m["h"]) * 3600 + int(m["m"]) * 60 + int(m["s"]) for text in texts for m in _TIME.finditer(text)
    }
    for at, sentence in enumerate(document.sentences):
        second = sentence.locator.second
        if given and second is not None and second not in given:
            yield Fault(at, f"the original has nothing at {sentence.locator.label}")


# --- shared words ------------------------------------------------------------------------------------------


def _tokens(text: str, names: Gazetteer) -> list[str]:
    """Return the folded words of a text, a long name as one."""
    out: list[str] = []
    at = 0
    long = [m for m in names.find(text) if len(words(text[m.start : m.end])) > _LONG_NAME]
    for mention in long:
        out += [_bare(w.text) for w in words(text[at : mention.start])] + [f"<{mention.entry.id}>"]
        at = mention.end
    return out + [_bare(w.text) for w in words(text[at:])]


def _runs(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(tokens[i : i + SHARED]) for i in range(len(tokens) - SHARED + 1))


def _shared_faults(
    document: Document, texts: Sequence[str], names: Gazetteer, quotes: Sequence[str]
) -> Iterator[Fault]:
    theirs = {run for text in texts for run in _runs(_tokens(text, names))}
    title = " ".join(_tokens(document.source.title, names))
    for at, quote in enumerate(quotes):
        following = quotes[at + 1] if at + 1 < len(quotes) else ""
        own = _tokens(quote, names)
        both = own + _tokens(following, names)[: SHARED - 1]
        shared = [run for run in _runs(both) if run in theirs and " ".join(run) not in title]
        if shared:
            yield Fault(at, f"shares {SHARED} words in a row with the original: {' '.join(shared[0])!r}")


def faults_against(
    document: Document, originals: Sequence[str], names: Gazetteer, allowances: Allowances
) -> list[Fault]:
    """Return figures, dates, names and times that the originals lack, and words that the digest shares with them.

    A name counts as being in the original where any spelling in `names` of the same thing is; numbers there
    may be in words; a date needs no year there. The source's own title, author and publisher are known.
    """
    original = _Original(originals, names, document.source.issued)
    own = _source_words(document.source)
    quotes = [document.text[s.start : s.end] for s in document.sentences]
    faults: list[Fault] = []
    for at, quote in enumerate(quotes):
        found = [*_figure_faults(quote, original), *_name_faults(quote, original, names, own)]
        faults += (Fault(at, why) for said, why in found if not allowances.allows(document.id, said))
    faults += _time_faults(document, originals)
    return faults + list(_shared_faults(document, [original.text], names, quotes))
