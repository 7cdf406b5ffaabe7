"""Where a miss happened: the first stage at which what was needed was no longer there."""

from collections.abc import Mapping, Sequence
from typing import Literal

from nkqa.types import Document, Passage
from nkqa_eval.questions import Gold, found

Miss = Literal[
    "not_in_corpus",
    "not_retrieved",
    "wrongly_abstained",
    "not_selected",
    "too_late",
    "answered_unanswerable",
    "error",
]
MEANINGS: dict[Miss, str] = {
    "not_in_corpus": "no sentence of the right sources holds what is asked for",
    "not_retrieved": "the ten best passages do not hold it",
    "wrongly_abstained": "the passages held it, and no answer was given",
    "not_selected": "the passages held it, the sentences chosen do not",
    "too_late": "the answer holds it after its first hundred words",
    "answered_unanswerable": "an answer was given to what the sources do not answer",
    "error": "the question was turned down with an error",
}


def find_miss(
    gold: Gold,
    status: str,
    text: str,
    hits: Sequence[Passage],
    documents: Mapping[str, Document],
) -> Miss:
    """Return the stage at fault for a question that was not met; the stages are asked in their order.

    "Holds" means: as many different nuggets as the question needs, in texts of the right sources.
    """
    if not gold.answerable:
        return "answered_unanswerable"
    if status == "error":
        return "error"
    in_corpus = [
        text for name in gold.sources if name in documents for text in sentence_texts(documents[name])
    ]
    if not _holds(gold, in_corpus):
        return "not_in_corpus"
    if _holds(gold, [text]):
        return "too_late"
    if not _holds(gold, [hit.text for hit in hits if hit.document_id in gold.sources]):
        return "not_retrieved"
    return "wrongly_abstained" if status == "abstained" else "not_selected"


def sentence_texts(document: Document) -> list[str]:
    """Return the sentences of a document."""
    return [document.text[sentence.start : sentence.end] for sentence in document.sentences]


def _holds(gold: Gold, texts: Sequence[str]) -> bool:
    return sum(any(found(nugget, text) for text in texts) for nugget in gold.nuggets) >= gold.min_nuggets
