"""Which sources a question asks for by name: "according to PISM", "what does the video say"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from nkqa.names import Gazetteer
from nkqa.text import fold
from nkqa.types import Document, Source

_KINDS = {"broadcast": "video broadcast", "article-newspaper": "newspaper", "article-magazine": "magazine"}
"""What people call a source of a CSL type, after "the"."""
_PERIODICALS = frozenset({"bulletin", "briefing", "journal", "magazine", "newspaper", "review", "brief"})
_INSTITUTE = re.compile(r"(?:the )?(\w+) (?:Institute|Centre|Center|Academy)\b", re.IGNORECASE)
_SCHOLARS = ("analyst", "expert", "researcher", "author", "institute", "think tank")
"""What a source is called after the country of its institute: the Polish analyst."""
_SAYING = r"according to|as (?:told|reported|said|described|seen) by|in the (?:view|opinion|words|account) of"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The phrases by which sources are called, folded, each with the documents that it means."""

    documents: dict[str, frozenset[str]] = field(default_factory=dict)
    phrase: re.Pattern[str] = re.compile(r"(?!)")
    said_by: re.Pattern[str] = re.compile(r"(?!)")

    @classmethod
    def of(cls, documents: Iterable[Document], names: Gazetteer) -> "Attribution":
        """Gather what the sources of the documents are called: publisher, series, authors, kind of publication."""
        found: dict[str, set[str]] = {}
        for document in documents:
            for phrase in _phrases(document.source, names):
                found.setdefault(fold(phrase), set()).add(document.id)
        if not found:
            return cls()
        longest_first = sorted(found, key=len, reverse=True)
        one = rf"(?:the )?(?:{'|'.join(map(re.escape, longest_first))})"
        several = rf"{one}(?:(?:,| and|, and)(?: to| in)? {one})*"
        return cls(
            {phrase: frozenset(ids) for phrase, ids in found.items()},
            re.compile(rf"\b(?P<name>{'|'.join(map(re.escape, longest_first))})\b"),
            re.compile(
                rf",?\s*\b(?:(?:{_SAYING}) {several}|in {one}(?:'s?)? (?:view|opinion|words|account|eyes))\b,?",
                re.IGNORECASE,
            ),
        )

    def asked(self, text: str) -> frozenset[str]:
        """Return the ids of the documents whose sources are named in a question; none where any will do."""
        named = [self.documents[m["name"]] for m in self.phrase.finditer(fold(text))]
        return frozenset[str]().union(*named)

    def without(self, text: str) -> str:
        """Return a question without "according to ...", which the sentences that answer seldom repeat."""
        kept, at = [], 0
        for match in self.said_by.finditer(fold(text)):
            kept.append(text[at : match.start()])
            at = match.end()
        rest = " ".join(" ".join([*kept, text[at:]]).split())
        return rest if len(rest.split()) > 1 else text


NO_SOURCES = Attribution()


def _phrases(source: Source, names: Gazetteer) -> Iterable[str]:
    given = [source.publisher, source.container_title, *source.author]
    for name in filter(None, given):
        for part in (part.strip(" )") for part in name.split("(")):
            if len(part) > 2:
                yield part
                yield from (
                    s for m in names.find(part) if m.end - m.start == len(part) for s in m.entry.names
                )
    for author in source.author:
        if len(author.split()) > 1 and names.find(author.split()[-1]):
            yield author.split()[-1]
    if institute := _INSTITUTE.match(source.publisher or ""):
        yield from (f"the {institute[1]} {called}" for called in _SCHOLARS)
    words = {w.casefold() for w in re.findall(r"\w+", f"{source.container_title} {source.title}")}
    for called in [*_KINDS.get(source.type, "").split(), *sorted(words & _PERIODICALS)]:
        yield f"the {called}"
