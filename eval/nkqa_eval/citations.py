"""Citations checked against the documents themselves: cut exactly, placed rightly, and supporting."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nkqa.types import Answer, AnswerSentence, Citation, Document
from nkqa_eval.questions import Nugget, found


@dataclass(frozen=True, slots=True)
class Checked:
    """Counts over one answer; recall and precision are means over its sentences and its citations."""

    sentences: int
    verbatim: int
    citations: int
    valid: int
    recall: float | None
    precision: float | None


def cut_exactly(citation: Citation, documents: Mapping[str, Document]) -> bool:
    """Say whether the quote stands in its document at the offsets given, and has the hash given."""
    document = documents.get(citation.document)
    return (
        document is not None
        and document.text[citation.start : citation.end] == citation.quote
        and bool(citation.quote)
        and hashlib.sha256(citation.quote.encode()).hexdigest() == citation.sha256
    )


def placed_rightly(citation: Citation, documents: Mapping[str, Document]) -> bool:
    """Say whether the quote lies in the sentence that is named, with its locator, and the source is right."""
    document = documents.get(citation.document)
    if document is None or citation.source.id != document.id or not citation.locator.label:
        return False
    if not 0 <= citation.sentence < len(document.sentences):
        return False
    sentence = document.sentences[citation.sentence]
    inside = sentence.start <= citation.start and citation.end <= sentence.end
    return inside and sentence.locator == citation.locator


def check_citations(
    answer: Answer, documents: Mapping[str, Document], nuggets: Sequence[Nugget] = ()
) -> Checked:
    """Check all sentences and citations of an answer.

    Verbatim rate and locator validity are nkqa's own, after the guarantee of verbatim-rag (KRLabsOrg): a
    sentence is verbatim when it stands inside a quote that it cites and that is cut exactly; a citation is
    valid when it is cut exactly and placed rightly.

    Recall and precision follow ALCE (Gao et al., EMNLP 2023, arXiv 2305.14627), which asks a language model
    whether the cited text entails the sentence. Nothing is asked here: a cited text *entails* a sentence when
    the sentence stands in it word for word, or when it holds every gold nugget that the sentence holds and
    there is at least one. So recall is 1 by construction for sentences that were cut, and says something
    only of answers that a model wrote; precision says whether the further citations of a sentence carry the
    asked-for facts too, and where the sentence holds no nugget, a further citation counts as not supporting.
    """
    by_number = {citation.number: citation for citation in answer.citations}
    verbatim = 0
    recalls: list[float] = []
    precisions: list[float] = []
    for sentence in answer.sentences:
        cited = [by_number[n] for n in sentence.citations if n in by_number]
        exact = [citation for citation in cited if cut_exactly(citation, documents)]
        verbatim += any(sentence.text in citation.quote for citation in exact)
        entailed = _entails(" ".join(c.quote for c in exact), sentence, nuggets)
        recalls.append(float(entailed and len(cited) == len(sentence.citations)))
        for citation in cited:
            rest = " ".join(c.quote for c in exact if c is not citation)
            needed = _entails(citation.quote, sentence, nuggets) or not _entails(rest, sentence, nuggets)
            precisions.append(float(entailed and citation in exact and needed))
        precisions += [0.0] * (len(sentence.citations) - len(cited))
    valid = sum(cut_exactly(c, documents) and placed_rightly(c, documents) for c in answer.citations)
    return Checked(
        len(answer.sentences), verbatim, len(answer.citations), valid, _mean(recalls), _mean(precisions)
    )


def _entails(text: str, sentence: AnswerSentence, nuggets: Sequence[Nugget]) -> bool:
    if sentence.text in text:
        return True
    held = [nugget for nugget in nuggets if found(nugget, sentence.text)]
    return bool(held) and all(found(nugget, text) for nugget in held)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
