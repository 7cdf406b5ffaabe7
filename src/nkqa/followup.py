"""Follow-up questions made to stand alone: what they take from the conversation is put in."""

import re
from collections.abc import Sequence

from nkqa.dates import dates_in
from nkqa.names import Gazetteer, Name
from nkqa.text import clean, term, words
from nkqa.types import Turn

_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|there|then|one|ones|both|"
    r"the (?:same|other|others|latter|former))\b",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"^(?:and|but|or|so|what about|how about|and what about|and how about|also|what of)\b"
    r"|^(?:why|when|where|who|how|how many|how much|how long|since when|by when|until when|by whom|which ones?|"
    r"says who|really|why not|what else|anything else|any(?:one|body) else|more|go on|tell me more|such as|"
    r"like what|for example|and)\W*$",
    re.IGNORECASE,
)
_AND_X = re.compile(
    r"^(?:and|but|or|so)?\s*(?:what about|how about|what of|and|but|or|also)\s+"
    r"(?:(?:for|in|of|by|from|with|to|on)\s+)?(?P<x>.+?)\W*$",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"^(?:to|of|for|by|from|with|in|on|at|under|about|against|before|after)\b", re.IGNORECASE
)
_AUXILIARY = "is|are|was|were|do|does|did|has|have|had|will|would|can|could|must|should|may|might|to|of|in|on|from|that"
_WHAT_IS = re.compile(
    r"^(?:what|who)(?:'s| is| are| was| were) (?P<x>[\w'-]+(?: [\w'-]+){0,5}?)(?: for| like| about)?$",
    re.IGNORECASE,
)
_CHOSEN_FROM = re.compile(
    rf"^(?:how many|which|what) (?P<x>(?!(?:{_AUXILIARY}|ones?)\b)[\w-]+(?: [\w-]+){{0,2}}?) (?:{_AUXILIARY})\b",
    re.IGNORECASE,
)
_HAPPENED = re.compile(rf"^(?:when|where|why|how) (?:{_AUXILIARY}) (?P<x>.+)$", re.IGNORECASE)
_MADE = re.compile(r"^who \w+ (?P<x>the (?:[\w-]+ )?[\w-]+)$", re.IGNORECASE)
"""Where the thing stands that a question is about: what is X, how many X did, when did X, who made the X."""
_ASKING = re.compile(r"^(?:how|when|where|who|whom|why|what|which|until|since)\b", re.IGNORECASE)
_COUNTED = re.compile(
    rf"^how many (?P<x>(?!(?:{_AUXILIARY})\b)[\w-]+(?: [\w-]+){{0,2}}?) (?:(?:{_AUXILIARY})\b|\w+ed\b)",
    re.IGNORECASE,
)
_ONE, _SEVERAL = frozenset({"it", "its"}), frozenset({"they", "them", "their", "theirs"})
_TRAILING = re.compile(r"\s+(?:there|then|too|as well)$", re.IGNORECASE)
_SHORT_X, _SHORT_QUESTION = 6, 3
"""Most words of what is swapped in after "and"; most content words of a question that leans on the one before."""


def stand_alone(text: str, history: Sequence[Turn], names: Gazetteer) -> str:
    """Return a follow-up question with what it takes from the conversation put in; others as they are."""
    asked = [clean(t.content) for t in history if t.role == "user" and t.content.strip()]
    if not asked:
        return text
    topic = _topic(asked, names)
    if (match := _AND_X.match(text)) and len(words(match["x"])) <= _SHORT_X:
        return _swap(_TRAILING.sub("", match["x"]), topic, names)
    if _ELLIPSIS.match(text):
        return f"{_bare(text)}: {topic}"
    if _PRONOUN.search(text):
        mended = _fill_pronoun(text, asked, history, names)
        return mended if mended != text else _with_subject(text, topic, names)
    content = [w for w in words(text) if term(w.text)]
    if _FRAGMENT.match(text) and len(content) <= _SHORT_QUESTION and "?" not in _bare(text):
        return f"{_bare(topic)} {text}"
    if not names.find(text) and len(content) <= _SHORT_QUESTION:
        return f"{_bare(text)} ({_bare(topic)})?"
    return text


def leans(text: str) -> bool:
    """Whether a question has a word, such as "it" or "they", that stands for something said before."""
    return _PRONOUN.search(text) is not None


def _bare(text: str) -> str:
    return text.rstrip("?!. ")


def _topic(asked: Sequence[str], names: Gazetteer) -> str:
    """The newest question that stands alone, each made so from those before it."""
    standing = asked[0]
    for text in asked[1:]:
        standing = stand_alone(text, [Turn("user", standing)], names)
    return standing


def _swap(new: str, topic: str, names: Gazetteer) -> str:
    """The earlier question with `new` in the place of the name that is of its kind, or beside it."""
    own = names.find(new)
    if own:
        kind = own[0].entry.kind
        alike = {"people", "place", "body"} if kind in {"people", "body"} else {kind}
        name = new if len(own) > 1 else new[own[0].start : own[0].end]
        others = [m for m in names.find(topic) if m.entry.id != own[0].entry.id]
        for kinds in ({kind}, alike):
            for mention in (m for m in others if m.entry.kind in kinds):
                return topic[: mention.start] + name + topic[mention.end :]
    elif (old := dates_in(topic)) and (date := dates_in(new)):
        return topic[: old[-1].start] + new[date[0].start : date[0].end] + topic[old[-1].end :]
    elif not _ASKING.match(new) and (counted := _COUNTED.match(topic)) and len(words(new)) <= _SHORT_QUESTION:
        return topic[: counted.start("x")] + new + topic[counted.end("x") :]
    return f"{_bare(topic)}: {new}?"


def _with_subject(text: str, topic: str, names: Gazetteer) -> str:
    """The question with "it" or "they" replaced by what the earlier one is about, and that one's other names.

    Where that cannot be told, the earlier question is put beside it.
    """
    match = _PRONOUN.search(text)
    pronoun = match.group().casefold() if match else ""
    subject = _subject(topic, pronoun in _SEVERAL, names) if pronoun in _ONE | _SEVERAL else None
    if match is None or subject is None:
        return f"{_bare(text)} ({_bare(topic)})?"
    ending = "'s" if pronoun in {"its", "their"} else ""
    filled = _bare(text[: match.start()] + subject + ending + text[match.end() :])
    there = {m.entry.id for m in names.find(filled)}
    others = [topic[m.start : m.end] for m in names.find(topic) if m.entry.id not in there]
    return f"{filled} ({', '.join(others)})?" if others else f"{filled}?"


def _subject(topic: str, several: bool, names: Gazetteer) -> str | None:
    """The words of a question for what it is about, with their article; None where they cannot be told."""
    bare = _bare(topic)
    if match := _WHAT_IS.match(bare):
        named = names.find(match["x"])
        known = match["x"].split()[0].casefold() in {"the", "a", "an"} or (named and named[0].start == 0)
        return match["x"] if known else None
    if several and (match := _CHOSEN_FROM.match(bare)):
        return match["x"] if names.find(match["x"]) else f"the {match['x']}"
    if match := _HAPPENED.match(bare):
        named = names.find(match["x"])
        return match["x"][: named[0].end] if named and named[0].start == 0 else None
    match = None if several else _MADE.match(bare)
    return match["x"] if match else None


def _fill_pronoun(text: str, asked: Sequence[str], history: Sequence[Turn], names: Gazetteer) -> str:
    """The question with its first pronoun replaced by the newest fitting name of the conversation."""
    match = _PRONOUN.search(text)
    wanted = _fitting(match.group().casefold()) if match else None
    if match is None or wanted is None:
        return text
    present = {m.entry.id for m in names.find(text)}
    for said in [*asked[::-1], *(t.content for t in reversed(history) if t.role == "assistant")]:
        fitting: list[Name] = [
            m.entry for m in names.find(said) if m.entry.kind == wanted and m.entry.id not in present
        ]
        if fitting:
            ending = "'s" if match.group().casefold() == "his" else ""
            return text[: match.start()] + fitting[0].names[0] + ending + text[match.end() :]
    return text


def _fitting(pronoun: str) -> str | None:
    if pronoun in {"he", "him", "his", "she", "her"}:
        return "person"
    return "place" if pronoun == "there" else None
