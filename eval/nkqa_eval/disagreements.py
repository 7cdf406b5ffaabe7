"""Whether an answer shows the sides of a known disagreement, and shows none where there is none."""

from collections.abc import Iterable

from nkqa.types import Answer
from nkqa_eval.questions import Conflict, found


def sides_shown(answer: Answer, conflict: Conflict) -> int:
    """Count the different values of a gold group that an answer with a disagreement puts forward.

    A value is put forward where a position of the disagreement gives it, or where a cited sentence of the
    gold source says it. Nothing is put forward by an answer that sets nothing apart. After CONFLICTS
    (arXiv 2506.08500), which asks whether an answer behaves as the kind of conflict calls for; this count
    is nkqa's own.
    """
    if not answer.disagreements:
        return 0
    values = [value for d in answer.disagreements for position in d.positions for value in position.values]
    shown = {
        position.value
        for position in conflict.positions
        if any(found(position.value, value) for value in values)
        or any(c.source.id == position.source and found(position.value, c.quote) for c in answer.citations)
    }
    return len(shown)


def is_recalled(answer: Answer, conflict: Conflict) -> bool:
    """Say whether two sides or more are shown."""
    return sides_shown(answer, conflict) >= 2


def is_known(answer: Answer, conflicts: Iterable[Conflict]) -> bool:
    """Say whether what the answer sets apart is any of the gold groups, asked for or not."""
    return any(is_recalled(answer, conflict) for conflict in conflicts)
