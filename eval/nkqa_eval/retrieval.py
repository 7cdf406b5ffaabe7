"""Retrieval judged by passages, with ir-measures: which are relevant, and how well they were ranked."""

from collections.abc import Mapping, Sequence

from nkqa.types import Document, Passage
from nkqa_eval.places import same_place
from nkqa_eval.questions import Gold, count_found

MEASURES = ("R@1", "R@5", "R@10", "Success@1", "Success@5", "RR@10", "nDCG@10")
DEPTH = 10


def is_relevant(gold: Gold, passage: Passage, document: Document) -> bool:
    """Say whether a passage is relevant: a sentence of it stands at a gold place, and a nugget is in it.

    Judgements are binary. They come from the places that a person gave, not from what any system returned,
    so no pool is needed and an unseen passage can be relevant.
    """
    if not count_found(gold.nuggets, passage.text):
        return False
    return any(
        same_place(place, passage.document_id, sentence.locator)
        for sentence in document.sentences[passage.first : passage.last + 1]
        for place in gold.locators
    )


def relevant_passages(
    gold: Gold, passages: Sequence[Passage], documents: Mapping[str, Document]
) -> frozenset[str]:
    """Return the ids of all relevant passages of the corpus."""
    return frozenset(
        passage.id
        for passage in passages
        if passage.document_id in gold.sources and is_relevant(gold, passage, documents[passage.document_id])
    )


def rank_values(
    relevant: Mapping[str, frozenset[str]],
    ranked: Mapping[str, Sequence[str]],
    measures: Sequence[str] = MEASURES,
) -> dict[str, dict[str, float]]:
    """Return every measure for every question of `relevant`, by question id.

    `ranked` holds ids of passages or documents, best first. The computing is done by ir-measures
    (MacAvaney, Macdonald and Ounis, ECIR 2022), by way of trec_eval: R@k is recall, RR the reciprocal rank
    (Kantor and Voorhees, TREC 2000), nDCG@k Järvelin and Kekäläinen's (TOIS 20, 2002) with gain 1. A question
    that finds nothing, or for which nothing in the corpus is relevant, counts zero.
    """
    graded = {query: dict.fromkeys(ids, 1) for query, ids in relevant.items()}
    return graded_rank_values(graded, ranked, measures)


def graded_rank_values(
    grades: Mapping[str, Mapping[str, int]],
    ranked: Mapping[str, Sequence[str]],
    measures: Sequence[str] = MEASURES,
) -> dict[str, dict[str, float]]:
    """Return what `rank_values` does, from judgements with grades (0 is judged and not relevant)."""
    import ir_measures

    parsed = {name: ir_measures.parse_measure(name) for name in measures}
    names = {measure: name for name, measure in parsed.items()}
    qrels = [
        ir_measures.Qrel(query, document, grade)
        for query, judged in grades.items()
        for document, grade in judged.items()
    ]
    run = [
        ir_measures.ScoredDoc(query, document, 1.0 / rank)
        for query in grades
        for rank, document in enumerate(ranked.get(query, ()), start=1)
    ]
    values = {query: dict.fromkeys(measures, 0.0) for query in grades}
    if qrels and run:
        for metric in ir_measures.iter_calc(list(names), qrels, run):
            values[metric.query_id][names[metric.measure]] = float(metric.value)
    return values
