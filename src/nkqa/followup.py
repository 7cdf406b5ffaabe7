"""Follow-up questions made to stand alone: what they take from the conversation is put in."""

import re
from collections.abc import Sequence

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
        return mended if mended != text else f"{_bare(text)} ({_bare(topic)})?"
    content = [w for w in words(text) if term(w.text)]
    if not names.find(text) and len(content) <= _SHORT_QUESTION:
        return f"{_bare(text)} ({_bare(topic)})?"
    return text


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
        for mention in names.find(topic):
            if mention.entry.kind in alike and mention.entry.id != own[0].entry.id:
                return topic[: mention.start] + new + topic[mention.end :]
    return f"{_bare(topic)}: {new}?"


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
