"""The figures in a text with what they count: "almost 2,000 peacekeepers" is 1,800 to 2,000 peacekeepers."""

import re
from dataclasses import dataclass

from nkqa.dates import dates_in
from nkqa.text import NUMBER_WORDS, STOP_WORDS, fold, term, words

_SCALE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_TENS = "|".join(w for w, n in NUMBER_WORDS.items() if n in range(20, 100, 10))
_ONES = "|".join(w for w, n in NUMBER_WORDS.items() if n in range(1, 10))
_WORD_NUMBER = "|".join([rf"(?:{_TENS})[\s-](?:{_ONES})", *sorted(NUMBER_WORDS, key=len, reverse=True)])
# A number in a name is no figure: S-300, F16.
_DIGITS = r"(?<![^\W_])(?<![^\W\d_]-)(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d+)?(?!\d))"
_NUM = rf"(?:{_DIGITS}|\b(?:{_WORD_NUMBER})\b)"
_SCALED = rf"{_NUM}(?:[\s-]+(?:hundred|thousand|million|billion)\b)?"
_FIGURE = re.compile(
    rf"(?P<hedge>\b(?:between|about|around|almost|nearly|some|roughly|approximately|close to|over|more than|at least|"
    rf"up to|as many as|well over|under|less than|fewer than)\s+)?(?P<money>[$€£])?"
    rf"(?P<low>{_SCALED})(?:\s*(?:-|–|to|and)\s*[$€£]?(?P<high>{_SCALED}))?"
    rf"(?P<percent>\s*(?:%|per ?cent\b))?(?:\s+or (?P<after>so|more)\b)?"
    rf"|\b(?P<vague>tens|dozens|hundreds|thousands)(?: of (?P<of>thousands|millions))?\b",
    re.IGNORECASE,
)
_VAGUE = {"tens": 20, "dozens": 24, "hundreds": 200, "thousands": 2_000}
_ABOUT = {"about", "around", "some", "roughly", "approximately", "close to"}
_BELOW = {"almost", "nearly", "up to", "as many as", "under", "less than", "fewer than"}
_ABOVE = {"over", "more than", "at least", "well over"}
_TIME = {"year", "month", "week", "day", "hour", "minut"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in a text: `text[start:end]`, standing for anything from `low` to `high`, both included.

    `units` are the search terms of what it counts (`russian`, `peacekeep`; `%`; `$`), none where the text
    does not say; `exact` is False where the text hedges or gives a span. `stated` is the number as written.
    """

    start: int
    end: int
    low: float
    high: float
    units: tuple[str, ...]
    exact: bool
    stated: tuple[float, float]

    def meets(self, other: "Figure") -> bool:
        """Whether both can be the same figure, rounding and hedges allowed for."""
        return self.low <= other.high and other.low <= self.high

    @property
    def of_time(self) -> bool:
        """Whether it says how long: 5 years, 44 days."""
        return bool(self.units) and self.units[-1] in _TIME


def _value(text: str) -> float:
    number, scale = 0.0, 1
    for part in re.split(r"[\s-]+", text.strip().lower()):
        if part in _SCALE:
            scale = _SCALE[part]
        else:
            number += NUMBER_WORDS[part] if part in NUMBER_WORDS else float(part.replace(",", ""))
    return number * scale


def _rounding(value: float) -> float:
    """How far a figure that ends in zeros may be from what it rounds: 3% of it, as 2,000 is for 1,960."""
    return value * 0.03 if value >= 1000 and value % 100 == 0 else 0.0


def _bounds(hedge: str, low: float, high: float) -> tuple[float, float]:
    if hedge in _BELOW:
        return (low * 0.9, high)
    if hedge in _ABOVE:
        return (low, high * 1.25)
    if hedge in _ABOUT:
        return (low * 0.95, high * 1.05)
    return (low, high) if low != high else (low - _rounding(low), high + _rounding(high))


def _units(text: str, end: int) -> tuple[str, ...]:
    """The words that follow a figure up to a stop word, another figure or a comma: its noun is among them."""
    end += 3 if text[end : end + 4].lower() == " of " else 0  # thousands of refugees
    units: list[str] = []
    for word in words(text[end : end + 60])[:4]:
        between = text[end : end + word.start]
        if re.search(r"[.,;:]", between) or fold(word.text) in STOP_WORDS or word.text[0].isdigit():
            break
        units.append(term(word.text))
        if units[-1] in _TIME:
            break
    return tuple(units)


def figures_in(text: str) -> list[Figure]:
    """Return the figures of `text` in order, dates left out."""
    dates = [(d.start, d.end) for d in dates_in(text)]
    found = []
    for match in _FIGURE.finditer(text):
        if any(match.start() < end and start < match.end() for start, end in dates):
            continue
        if match.group("vague"):
            base = _VAGUE[match.group("vague").lower()] * {"thousands": 1e3, "millions": 1e6}.get(
                (match.group("of") or "").lower(), 1
            )
            units = _units(text, match.end())
            found.append(Figure(match.start(), match.end(), base, base * 5, units, False, (base, base * 5)))
            continue
        hedge = (match.group("hedge") or "").strip().lower()
        low = _value(match.group("low"))
        high = _value(match.group("high")) if match.group("high") else low
        scale = re.search(r"(thousand|million|billion)$", (match.group("high") or "").lower())
        if scale and not re.search(r"(hundred|thousand|million|billion)$", match.group("low").lower()):
            low *= _SCALE[scale.group(1)]
        if match.group("high") and high < low:
            high = low
        if match.group("after"):
            hedge = "about" if match.group("after").lower() == "so" else "over"
        sign = "%" if match.group("percent") else match.group("money")
        units = (sign,) if sign else _units(text, match.end())
        bottom, top = _bounds(hedge, low, high)
        exact = not hedge and low == high
        found.append(Figure(match.start(), match.end(), bottom, top, units, exact, (low, high)))
    return found
