"""Split gold questions once into dev and test: a fixed seed, facts and symmetry pairs kept whole."""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from nkqa_eval.questions import (
    Gold,
    QuestionError,
    gold_folder,
    read_conflicts,
    read_questions,
    write_questions,
)

SEED = 20201110
DEV_SHARE = 0.55


def group_ids(questions: Sequence[Gold]) -> dict[str, str]:
    """Map each question's id to its group: those that share a fact or a symmetry pair, however indirectly.

    A group is named by the smallest of its questions' ids.
    """
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for question in questions:
        own = root(f"question {question.id}")
        for tie in (f"fact {question.fact}", f"symmetry {question.symmetry}" if question.symmetry else ""):
            if tie:
                parent[root(tie)] = own = root(own)
    names: dict[str, str] = {}
    for question in questions:
        key = root(f"question {question.id}")
        names[key] = min(names.get(key, question.id), question.id)
    return {question.id: names[root(f"question {question.id}")] for question in questions}


def split(
    questions: Sequence[Gold], seed: int = SEED, dev_share: float = DEV_SHARE
) -> tuple[list[Gold], list[Gold]]:
    """Return dev and test, each in the order given, with every group on one side only.

    Groups are drawn in an order that `seed` fixes, the ones with the rarest types first, and each goes to the
    side on which its types are most wanted: so both sides get their share of every type.
    """
    groups = group_ids(questions)
    members: dict[str, list[Gold]] = {}
    for question in sorted(questions, key=lambda q: q.id):
        members.setdefault(groups[question.id], []).append(question)
    totals: dict[str, int] = {}
    for question in questions:
        totals[question.type] = totals.get(question.type, 0) + 1

    order = sorted(members)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda name: (-len(members[name]), min(totals[q.type] for q in members[name])))

    in_dev: dict[str, int] = dict.fromkeys(totals, 0)
    in_test: dict[str, int] = dict.fromkeys(totals, 0)
    dev_ids: set[str] = set()
    for name in order:
        # How many more of these types each side still wants, as a share of what it wants in all.
        wants_dev = sum((dev_share * totals[q.type] - in_dev[q.type]) / dev_share for q in members[name])
        wants_test = sum(
            ((1 - dev_share) * totals[q.type] - in_test[q.type]) / (1 - dev_share) for q in members[name]
        )
        side = in_dev if wants_dev >= wants_test else in_test
        for question in members[name]:
            side[question.type] += 1
        if side is in_dev:
            dev_ids.update(question.id for question in members[name])
    dev = [question for question in questions if question.id in dev_ids]
    test = [question for question in questions if question.id not in dev_ids]
    return dev, test


def add(
    new: Sequence[Gold], dev: Sequence[Gold], test: Sequence[Gold], seed: int = SEED
) -> tuple[list[Gold], list[Gold]]:
    """Return dev and test with new questions at their ends; no question moves from one to the other.

    A question goes where its fact or its pair already is. A new group's side is drawn from the seed and the
    group's name, so it does not depend on what else is added.

    Raises:
        QuestionError: a new question ties together groups that are on different sides.
    """
    if not dev and not test:
        return split(new, seed)
    groups = group_ids([*dev, *test, *new])
    dev_groups, test_groups = ({groups[q.id] for q in side} for side in (dev, test))
    if torn := sorted(dev_groups & test_groups):
        raise QuestionError(f"the groups of {', '.join(torn)} would stand on both sides; use another fact")
    to_dev: list[Gold] = []
    to_test: list[Gold] = []
    for question in new:
        group = groups[question.id]
        drawn = random.Random(f"{seed} {group}").random() < DEV_SHARE
        is_dev = group in dev_groups or (group not in test_groups and drawn)
        (to_dev if is_dev else to_test).append(question)
    return [*dev, *to_dev], [*test, *to_test]


def near_duplicates(questions: Sequence[Gold], threshold: float = 90.0) -> list[tuple[str, str]]:
    """List pairs of ids whose questions read almost alike though they are in different groups.

    Likeness is rapidfuzz's token sort ratio, 0 to 100. Pairs of one group are meant to be alike; follow-ups
    are compared together with what was said before them.
    """
    from rapidfuzz import fuzz

    groups = group_ids(questions)
    texts = [" ".join([*(turn.content for turn in q.history), q.question]).casefold() for q in questions]
    return [
        (first.id, second.id)
        for i, first in enumerate(questions)
        for j, second in enumerate(questions[i + 1 :], start=i + 1)
        if groups[first.id] != groups[second.id] and fuzz.token_sort_ratio(texts[i], texts[j]) >= threshold
    ]


def main(arguments: Sequence[str], folder: Path | None = None) -> int:
    """Add the questions of files to dev and test: `python -m nkqa_eval.split FILE...`.

    Raises:
        QuestionError: a question does not keep its format, or does not go with the ones that are there.
    """
    folder = folder or gold_folder()
    conflicts = read_conflicts(folder / "conflicts.json")
    files = [folder / "dev.jsonl", folder / "test.jsonl"]
    dev, test = (read_questions(file) if file.is_file() else [] for file in files)
    new = [question for argument in arguments for question in read_questions(Path(argument))]
    together = [*dev, *test, *new]
    ids = [question.id for question in together]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise QuestionError(f"ids given twice: {', '.join(twice)}")
    if unknown := sorted({c for q in new for c in (q.conflict, q.touches) if c} - conflicts.keys()):
        raise QuestionError(f"conflicts that conflicts.json does not have: {', '.join(unknown)}")
    for first, second in near_duplicates(together):
        print(f"almost alike: {first} {second}", file=sys.stderr)
    for file, questions in zip(files, add(new, dev, test), strict=True):
        write_questions(file, questions)
        print(f"{file}: {len(questions)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
