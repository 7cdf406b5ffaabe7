"""Ask every question of a set and judge what comes back, in order: the same run gives the same rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from nkqa_eval.questions import Conflict, Gold
from nkqa_eval.retrieval import rank_values, relevant_passages
from nkqa_eval.row import Row, judge
from nkqa_eval.split import group_ids
from nkqa_eval.target import Target

T = TypeVar("T")
R = TypeVar("R")


def run(
    questions: Sequence[Gold],
    conflicts: Mapping[str, Conflict],
    target: Target,
    jobs: int = 1,
    progress: bool = False,
) -> list[Row]:
    """Return one row a question, in the order given.

    More than one job gives the same rows sooner, and latencies that include waiting for each other.
    """
    came_back = each(target.ask, questions, jobs, progress)
    relevant = {
        gold.id: relevant_passages(gold, target.passages, target.documents)
        for gold in questions
        if gold.answerable
    }
    ranked = {
        gold.id: [hit.id for hit in asked.hits] for gold, asked in zip(questions, came_back, strict=True)
    }
    retrieval = rank_values(relevant, ranked)
    groups = group_ids(questions)
    return [
        judge(gold, groups[gold.id], asked, target.documents, conflicts, retrieval.get(gold.id))
        for gold, asked in zip(questions, came_back, strict=True)
    ]


def each(do: Callable[[T], R], items: Sequence[T], jobs: int = 1, progress: bool = False) -> list[R]:
    """Return `do` of each item in order, by `jobs` threads, with a bar on a terminal's standard error."""
    from tqdm import tqdm

    def shown(results: Iterable[R]) -> list[R]:
        return list(tqdm(results, total=len(items), unit="question", disable=None if progress else True))

    if jobs == 1:
        return shown(do(item) for item in items)
    with ThreadPoolExecutor(jobs) as pool:
        return shown(pool.map(do, items))


def spread(items: Sequence[T], limit: int | None) -> list[T]:
    """Return at most `limit` items, taken at equal distances."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]
