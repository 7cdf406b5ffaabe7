"""Follow-up questions that the corpus can answer, made from the names in claims near the cited ones."""

from collections.abc import Callable, Iterable, Sequence

from nkqa.evidence import Claim, Claims
from nkqa.names import Gazetteer, Name, NameKind
from nkqa.question import Question

MOST = 3
_TEMPLATES: dict[NameKind, str] = {
    "person": "What is said about {name}?",
    "place": "What happened in {name}?",
    "body": "What is the role of {name}?",
    "agreement": "What does {name} say?",
    "event": "What is said about {name}?",
    "people": "What is said about {name}?",
}
_THE = frozenset({"agreement", "event", "body"})


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
    article = "the " if entry.kind in _THE and not name[0].isdigit() and " " in name else ""
    return _TEMPLATES[entry.kind].format(name=f"{article}{name}")
