"""A matrix under which a question's vector lies near those of what answers it, learnt from the foreseen questions.

The embedding model has read everything, and this corpus never; some thousand questions with their sentences tell which
of its directions matter here. A linear adapter is all that is learnt, so that the index keeps the model's own vectors.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from nkqa.foreseen import Foreseen
from nkqa.protocols import Vector
from nkqa.text import fold

LEAST = 64
"""Groups of questions from which on something can be learnt; with fewer the vectors stay as they are."""
STEPS, BATCH, RATE = 800, 256, 2e-3
TEMPERATURE = 0.05
UNANSWERED = 20.0
"""What a question that the sentence does not answer counts against those of the other sentences in a batch."""
REIN = 0.003
"""Weight of the squared distance from the identity. All were chosen on dev (eval/README.md)."""
Numbers = npt.NDArray[np.int_]
Table = npt.NDArray[np.bool_]


def learn(
    questions: Sequence[Foreseen],
    vectors: Vector,
    sentence_vectors: Vector,
    first_row: Mapping[str, int],
    *,
    seed: int = 0,
) -> Vector:
    """Return the matrix, shape (dimension, dimension), by which vectors are multiplied before they are compared.

    Two questions that the same sentence, or the same words of it, answer are drawn towards each other and towards the
    sentence; away from those of a batch's other groups and from one that the sentence does not answer: InfoNCE
    with negatives from the batch (van den Oord et al. 2018, arXiv 1807.03748; Karpukhin et al. 2020,
    arXiv 2004.04906).

    Args:
        questions: in the order of `vectors`.
        vectors: shape (questions, dimension), each of length 1.
        sentence_vectors: shape (sentences, dimension), likewise.
        first_row: the row of each document's first sentence.
        seed: of what is drawn.
    """
    groups = _Groups(questions, first_row)
    if len(groups) < LEAST:
        return np.eye(sentence_vectors.shape[1], dtype=np.float32)
    with _one_thread():
        return _learn(groups, torch.from_numpy(vectors), torch.from_numpy(sentence_vectors), seed)


def _learn(groups: "_Groups", asked: Tensor, told: Tensor, seed: int) -> Vector:
    same = torch.eye(told.shape[1])
    matrix = same.clone().requires_grad_()
    optimiser = torch.optim.Adam([matrix], lr=RATE)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / STEPS)
    random = np.random.default_rng(seed)
    for _ in range(STEPS):
        drawn = groups.draw(random)
        first, second, sentence = (
            normalize(vectors @ matrix)
            for vectors in (asked[drawn.first], asked[drawn.second], told[drawn.rows])
        )
        missed = normalize(asked[drawn.missed] @ matrix) if len(drawn.missed) else None
        loss = _apart(first, second, drawn.also, missed) + _apart(first, sentence, drawn.answers)
        optimiser.zero_grad()
        torch.autograd.backward(loss + REIN * ((matrix - same) ** 2).sum())
        optimiser.step()
        rate.step()
    return matrix.detach().numpy()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Learn on one core: the steps are so small that several threads would mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _apart(one: Tensor, other: Tensor, no_negative: Table, missed: Tensor | None = None) -> Tensor:
    """The cross-entropy of each one's own other among all of them that are negatives, and its own `missed`."""
    scores = one @ other.T / TEMPERATURE - 1e4 * torch.from_numpy(no_negative).float()
    if missed is not None:
        beside = (one * missed).sum(1, keepdim=True) / TEMPERATURE + math.log(UNANSWERED)
        scores = torch.cat([scores, beside], dim=1)
    return cross_entropy(scores, torch.arange(len(one)))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A batch: two questions of each group, its sentence's row, and a question that the sentence does not answer, if
    there are such questions.

    `also` (batch, batch) says where the first question is in another group too, `answers` where another's sentence
    answers it.
    """

    first: Numbers
    second: Numbers
    missed: Numbers
    rows: Numbers
    also: Table
    answers: Table


class _Groups:
    """Questions that a sentence answers, and those that the same words of it answer, to draw pairs from."""

    def __init__(self, questions: Sequence[Foreseen], first_row: Mapping[str, int]) -> None:
        groups: dict[tuple[int, str], set[int]] = {}
        missed: dict[int, set[int]] = {}
        for number, question in enumerate(questions):
            rows = [first_row[document] + position for document, position in question.places]
            if question.verdict == "answered":
                keys = [(row, "") for row in rows] + [(rows[0], fold(question.words))]
                for key in keys:
                    groups.setdefault(key, set()).add(number)
            else:
                for row in rows:
                    missed.setdefault(row, set()).add(number)
        kept = [(row, lot) for (row, _), lot in groups.items() if len(lot) > 1]
        self._rows = np.array([row for row, _ in kept], dtype=int)
        self._groups = _Lots([lot for _, lot in kept])
        any_missed = set[int]().union(*missed.values())
        self._missed = _Lots([missed.get(row, any_missed) for row, _ in kept]) if missed else None
        self._in = _table([lot for _, lot in kept], len(questions))
        self._answers = _table([groups.get((row, ""), set()) for row, _ in kept], len(questions))

    def __len__(self) -> int:
        return len(self._rows)

    def draw(self, random: np.random.Generator) -> _Drawn:
        """Draw a batch of different groups."""
        groups = random.choice(len(self), min(BATCH, len(self)), replace=False)
        first, second = self._groups.two(groups, random)
        missed = self._missed.two(groups, random)[0] if self._missed else first[:0]
        also, answers = (table[first][:, groups] for table in (self._in, self._answers))
        for table in (also, answers):
            np.fill_diagonal(table, val=False)
        return _Drawn(first, second, missed, self._rows[groups], also, answers)


class _Lots:
    """Lots of numbers, laid end to end."""

    def __init__(self, lots: Sequence[Collection[int]]) -> None:
        self._numbers = np.array([number for lot in lots for number in sorted(lot)], dtype=int)
        self._count = np.array([len(lot) for lot in lots], dtype=int)
        self._start = np.cumsum(self._count) - self._count

    def two(self, of: Numbers, random: np.random.Generator) -> tuple[Numbers, Numbers]:
        """Draw two numbers of each of some lots, different ones where a lot has two."""
        count, start = self._count[of], self._start[of]
        one = random.integers(count)
        other = (one + 1 + random.integers(np.maximum(count - 1, 1))) % count
        return self._numbers[start + one], self._numbers[start + other]


def _table(lots: Sequence[Collection[int]], numbers: int) -> Table:
    """Which of the numbers is in which of the lots: shape (numbers, lots)."""
    table = np.zeros((numbers, len(lots)), dtype=bool)
    for column, lot in enumerate(lots):
        table[list(lot), column] = True
    return table
