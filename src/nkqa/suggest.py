"""Follow-up questions that the corpus can answer: foreseen ones on claims near the cited ones, or made from names."""

import re
from collections.abc import Callable, Iterable, Sequence

from nkqa.evidence import Claim, Claims
from nkqa.foreseen import Foresight
from nkqa.names import Gazetteer, Name
from nkqa.protocols import Vector
from nkqa.question import Question

MOST = 3
_SPEAKS = frozenset({"person"})
_WRITTEN_OUT = re.compile(r"(?:Who|Whose|What|Which|Where|When|Why|How)\b[^:;()]{12,88}\?")
_SAME = 0.75
"""Cosine from which a foreseen question asks what was asked already."""


def suggest_foreseen(
    query: Vector, cited: Sequence[Claim], near: Iterable[Claim], foresight: Foresight, names: Gazetteer
) -> tuple[str, ...]:
    """Return up to three foreseen questions that claims near the cited ones answer, one of each claim.

    They name somebody or something, so that they can be read alone, and none is on who published what.

    Args:
        query: vector of what was asked.
        cited: the claims of the answer.
        near: the claims around them, nearest first.
        foresight: the foreseen questions.
        names: the gazetteer.
    """
    rows = {claim.row for claim in cited}
    made: list[str] = []
    for claim in near:
        asked = foresight.answered_by(claim.row, query) if claim.row not in rows and not claim.citing else []
        other = (text for text, cosine in asked if cosine < _SAME and _WRITTEN_OUT.fullmatch(text))
        text = next((text for text in other if names.find(text)), None)
        if text is not None and text not in made:
            made.append(text)
        if len(made) == MOST:
            break
    return tuple(made)


def suggest(
    question: Question,
    cited: Sequence[Claim],
    near: Iterable[Claim],
    claims: Claims,
    names: Gazetteer,
    answerable: Callable[[str], bool],
) -> tuple[str, ...]:
    """Return up to three questions about names that stand near the cited claims and were not asked about.

    Args:
        question: what was asked.
        cited: the claims of the answer.
        near: the claims around them, nearest first.
        claims: all claims, to prefer names that are neither everywhere nor nowhere.
        names: the gazetteer.
        answerable: says whether the corpus answers a question; one that it does not is not suggested.
    """
    known = {m.entry.id for m in question.names} | {m.entry.id for c in cited for m in names.find(c.text)}
    entries: dict[str, Name] = {}
    for claim in near:
        for mention in names.find(claim.text):
            if mention.entry.id not in known:
                entries.setdefault(mention.entry.id, mention.entry)
    ordered = sorted(entries.values(), key=lambda e: abs(claims.idf(f"@{e.id}") - _TELLING))
    made = []
    for entry in ordered[: 2 * MOST]:
        asked = _ask(entry)
        if answerable(asked):
            made.append(asked)
        if len(made) == MOST:
            break
    return tuple(made)


_TELLING = 4.2
"""Idf of a name that stands in about one sentence in seventy: known to the corpus, and not its whole subject."""


def _ask(entry: Name) -> str:
    name = entry.names[0]
    if entry.kind in _SPEAKS:
        return f"What did {name} say?"
    article = "the " if name[0].islower() else ""
    return f"What do the sources say about {article}{name}?"
