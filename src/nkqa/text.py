"""Pure functions on strings that keep offsets: clean, fold, words, sentences, search terms."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import sentencex
import Stemmer

from nkqa.types import Span

# A word is a number with its separators, an abbreviation with its dots, a model name with its hyphen
# (S-300), or letters with inner apostrophes. Other hyphens part words: "Russian-brokered" is two.
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)*(?:st|nd|rd|th|s)?\b|(?:[^\W\d_]\.){2,}|[^\W\d_]{1,3}-\d+\b|[^\W\d_]+(?:['’ʼ][^\W\d_]+)*|\d+",
    re.UNICODE,
)
_SPACES = re.compile(r"\s+")
_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")
_GROUPED = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")

NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINAL_WORDS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}

STOP_WORDS = frozenset(
    "a about all also am an and any are as at be been being but by can could did do does doing done for "
    "from get give given gave had has have he her here hers him his how i if in into is it its just let "
    "like me more most much many my no not of on one's or our out over please same say says said she should "
    "so some such tell than that the their them then there these they this those to under up us very was we "
    "were what whats when where which while who whom whose why will with would you your between during "
    "after before through because s t".split()
)

_stemmer = Stemmer.Stemmer("english")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: `text[start:end] == self.text`."""

    text: str
    start: int
    end: int


def clean(text: str) -> str:
    """Return `text` in NFC without control, format and tag characters, spaces made single and trimmed.

    Raises:
        ValueError: a lone surrogate, which no encoding can carry.
    """
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("the text holds half of a surrogate pair, which is not a character")
    kept = "".join(map(_visible, text))
    return _SPACES.sub(" ", unicodedata.normalize("NFC", kept)).strip()


def _visible(char: str) -> str:
    """The character, a space for one that nobody should see, nothing for one that stands inside words."""
    kind = unicodedata.category(char)
    if kind == "Cf":  # soft hyphens, joiners, marks of direction, tags
        return ""
    return " " if kind in ("Cc", "Co", "Cn") else char


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    special = {"ı": "i", "ə": "e", "Ə": "e", "’": "'", "ʼ": "'", "‘": "'", "–": "-", "—": "-"}
    if char in special:
        return special[char]
    plain = [c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)]
    folded = "".join(plain).casefold()
    return folded[0] if folded else char


def fold(text: str) -> str:
    """Return `text` without case and accents, one character for each, so that offsets stay."""
    return "".join(map(_fold_char, text))


def words(text: str) -> list[Word]:
    """Return the words of `text` in order."""
    return [Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]


def sentences(text: str, language: str = "en") -> list[Span]:
    """Return the spans of the sentences of `text`, trimmed of white space, in order."""
    spans = []
    for found in sentencex.get_sentence_boundaries(language, text):
        raw = text[found["start_index"] : found["end_index"]]
        start = found["start_index"] + len(raw) - len(raw.lstrip())
        if raw.strip():
            spans.append(Span(start, start + len(raw.strip())))
    return spans


def normal_number(word: str) -> str | None:
    """Return the digits of a folded number word, ordinal or grouped number, or None: five, 5th, 1,960."""
    if word in NUMBER_WORDS:
        return str(NUMBER_WORDS[word])
    if word in _ORDINAL_WORDS:
        return str(_ORDINAL_WORDS[word])
    ordinal = _ORDINAL.match(word)
    if ordinal:
        return ordinal.group(1)
    if _GROUPED.match(word):
        return word.replace(",", "")
    return None


@lru_cache(maxsize=65536)
def term(word: str) -> str:
    """Return the search term of one word: a number in digits, else the folded stem; "" for a stop word."""
    folded = fold(word)
    if folded in STOP_WORDS and not (word.isupper() and len(word) > 1):  # "US" is not "us"
        return ""
    if not folded[0].isdigit():
        folded = folded.replace(".", "")  # U.S. and US are one
    if folded.endswith("'s"):
        folded = folded[:-2]
    number = normal_number(folded)
    return number if number is not None else str(_stemmer.stemWord(folded))


def terms(text: str) -> list[str]:
    """Return the search terms of `text` in order, with repetitions."""
    return [t for w in words(text) if (t := term(w.text))]
