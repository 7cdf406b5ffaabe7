"""Changes one word of a question so that the right window no longer answers it.

After the rule-based unanswerable questions of Rajpurkar et al. 2018 (SQuAD 2.0, section 4.2) and the swaps of
Jia and Liang 2017: a name, number or date for another of its kind, a word for its opposite or for a near one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

_PAIRS = """
first last|first second|second third|third fourth|north south|east west|northern southern|eastern western
northeast southwest|northwest southeast|before after|increase decrease|increased decreased
increasing decreasing|increases decreases|more fewer|more less|most least|largest smallest
biggest smallest|highest lowest|higher lower|high low|larger smaller|large small|big small|long short
longest shortest|longer shorter|oldest youngest|older younger|old new|earliest latest|earlier later
early late|best worst|better worse|good bad|male female|men women|man woman|father mother|son daughter
brother sister|husband wife|king queen|boy girl|his her|win lose|won lost|winner loser|begin end
began ended|start end|started ended|start stop|open close|opened closed|above below|inside outside
inner outer|upper lower|left right|summer winter|day night|morning evening|positive negative|major minor
maximum minimum|strong weak|strongest weakest|fast slow|fastest slowest|rich poor|rise fall|rose fell
buy sell|bought sold|accept reject|accepted rejected|allow forbid|allowed forbidden|include exclude
included excluded|public private|internal external|domestic foreign|legal illegal|import export
imports exports|ancient modern|true false|love hate|success failure|successful unsuccessful|join leave
joined left|appear disappear|add remove|added removed|support oppose|supported opposed|attack defend
attacked defended|birth death|born died|create destroy|created destroyed|build demolish|built demolished
hot cold|warm cool|light dark|heavy light|wet dry|full empty|minority majority|same different
similar different|common rare|always never|many few|easy difficult|hard soft|hard easy|primary secondary
urban rural|liberal conservative|teacher student|employer employee|victory defeat|enter leave
arrive depart|arrived departed|gain lose|gained lost|give receive|gave received|send receive
sent received|lend borrow|raise lower|raised lowered|peace war|ceasefire offensive|withdraw deploy
withdrew deployed|withdrawal deployment|sign denounce|signed denounced|civilian military
civilians soldiers|government opposition|president vice-president|capital village
"""
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
_WORD = re.compile(r"[A-Za-z]{4,}")
_NAME = re.compile(r"(?<![\w])[A-Z][\w'-]+(?: (?:of |the |de |von |van )?[A-Z][\w'-]+)*")
_AUXILIARY = re.compile(r"\b(was|were|is|are|did|does|do|has|had|can|could|would)\b")
_SPELLED = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_MONTHS = "january february march april may june july august september october november december"
_RINGS = [_SPELLED, _ORDINALS, _MONTHS.split(" ")]
_FUNCTION_WORDS = """
with from into onto over under upon about through throughout during than then that this these those there
where when what which whom whose were been being have having does doing done their they them theirs would
could should might must will shall also very just only even such some many much more most less least other
another each every both either neither between among against within without toward towards across along
because since while until still ever never always often after before again once here into your yours mine
ours itself himself herself themselves according like same well back down part type kind name names called
"""
_FUNCTION = frozenset(_FUNCTION_WORDS.split())
_OPENER_WORDS = """what who whom whose which when where why how in on at the a an by for to from did does"""
_OPENERS = frozenset(_OPENER_WORDS.split())


@dataclass(frozen=True, slots=True)
class Swap:
    """`old` at `[start, end)` of a text becomes `new`; `kind` is number, name, opposite or word."""

    kind: str
    start: int
    end: int
    old: str
    new: str

    def on(self, text: str) -> str:
        """Return the text that the swap was made for, changed."""
        return text[: self.start] + self.new + text[self.end :]

    def everywhere(self, text: str) -> str:
        """Return any text with every `old`, as a whole word in any case, changed."""
        return re.sub(rf"(?<!\w){re.escape(self.old)}(?!\w)", lambda _: self.new, text, flags=re.IGNORECASE)


def _opposites() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for pair in _PAIRS.replace("\n", "|").strip("|").split("|"):
        one, other = pair.split()
        table.setdefault(one, []).append(other)
        table.setdefault(other, []).append(one)
    return table


OPPOSITES = _opposites()


def names_in(text: str) -> list[str]:
    """Capitalised names inside a text; words that merely open it do not count."""
    found = []
    for match in _NAME.finditer(text):
        opens = match.start() == 0 or text[: match.start()].rstrip()[-1:] in {".", "?", "!", '"'}
        name = match.group()
        if opens and " " not in name:
            continue
        if opens and name.split()[0].lower() in _OPENERS:
            name = name.split(" ", 1)[1]
            if not name[:1].isupper():
                continue
        found.append(name)
    return found


def numbers_in(text: str) -> list[str]:
    """Figures of a text as they are written, years among them."""
    return _NUMBER.findall(text)


@dataclass(frozen=True, slots=True)
class Stock:
    """What may be swapped in: near words from a vocabulary, and an article's own names and numbers.

    `near` maps a lower-case word to words used like it; `names` an article's name to its likest other names.
    """

    near: Mapping[str, Sequence[str]]
    names: Mapping[str, Sequence[str]]
    numbers: Sequence[str]


def _number(match: re.Match[str], text: str, stock: Stock, beside: str, random: Random) -> str | None:
    old = match.group()
    year = re.fullmatch(r"1[0-9]{3}|20[0-2][0-9]", old) is not None
    like = [n for n in [*numbers_in(beside) * 3, *stock.numbers] if n != old and len(n) == len(old)]
    if like and random.random() < 0.7:
        return random.choice(like)
    value = int(re.sub(r"\D", "", old) or "0")
    if year:
        return str(value + random.choice([-1, 1]) * random.randint(1, 20))
    if value < 50:
        return str(max(1, value + random.choice([-1, 1, 2, 3, 10])))
    return str(int(value * random.uniform(1.1, 3)))


def _swaps_of_numbers(text: str, stock: Stock, beside: str, random: Random) -> list[Swap]:
    swaps = []
    for match in _NUMBER.finditer(text):
        new = _number(match, text, stock, beside, random)
        if new and new != match.group():
            swaps.append(Swap("number", *match.span(), match.group(), new))
    for match in re.finditer(r"[A-Za-z]+", text):
        for ring in _RINGS:
            if match.group().lower() in ring and match.group() != "may":
                new = random.choice([word for word in ring if word != match.group().lower()])
                swaps.append(Swap("number", *match.span(), match.group(), new))
    return swaps


def _swaps_of_names(text: str, stock: Stock, beside: str, random: Random) -> list[Swap]:
    swaps = []
    for old in set(names_in(text)):
        words = set(old.lower().split())
        others = [name for name in names_in(beside) if name not in text]
        near = [name for name in others if not words & set(name.lower().split())]
        like = list(stock.names.get(old, ()))
        choices = near if near and random.random() < 0.5 else like or near
        if choices:
            start = text.index(old)
            swaps.append(Swap("name", start, start + len(old), old, random.choice(choices[:8])))
    return swaps


def _swaps_of_words(text: str, stock: Stock, random: Random) -> list[Swap]:
    opposite, near = [], []
    for match in re.finditer(r"[A-Za-z-]{3,}", text):
        word = match.group()
        if word.lower() in OPPOSITES:
            new = random.choice(OPPOSITES[word.lower()])
            opposite.append(Swap("opposite", *match.span(), word, new))
        elif word == word.lower() and len(stock.near.get(word, ())) > 0:
            near.append(Swap("word", *match.span(), word, random.choice(stock.near[word])))
    return opposite + near


def swaps(text: str, stock: Stock, beside: str, random: Random) -> list[Swap]:
    """All swaps that `text` offers, one a place; `beside` is the window, whose own names deceive best."""
    return [
        *_swaps_of_numbers(text, stock, beside, random),
        *_swaps_of_names(text, stock, beside, random),
        *_swaps_of_words(text, stock, random),
    ]


def negated(question: str) -> str | None:
    """The question with its first auxiliary verb denied, or None where it has none."""
    match = _AUXILIARY.search(question)
    if match is None or re.search(r"n't|\bnot\b|\bnever\b", question):
        return None
    verb = "ca" if match.group() == "can" else match.group()
    return question[: match.start()] + verb + "n't" + question[match.end() :]


def near_words(
    vocabulary: Sequence[str], nearest: Callable[[str], Sequence[tuple[str, float]]]
) -> dict[str, list[str]]:
    """For each word the words used like it that are no forms of it and, most likely, no synonyms.

    `nearest` gives (word, cosine) of the net's own word vectors, best first. Above 0.52 stand synonyms and
    forms, under 0.33 anything.
    """
    table: dict[str, list[str]] = {}
    for word in vocabulary:
        if not _WORD.fullmatch(word) or word in _FUNCTION:
            continue
        kept = [
            other
            for other, cosine in nearest(word)
            if 0.33 <= cosine <= 0.52 and _WORD.fullmatch(other) and other not in _FUNCTION
            and other[:4] != word[:4]
            and (other[-1] == "s") == (word[-1] == "s")
            and (other[-2:] == "ed") == (word[-2:] == "ed") and (other[-3:] == "ing") == (word[-3:] == "ing")
        ]  # fmt: skip
        if kept:
            table[word] = kept[:8]
    return table
