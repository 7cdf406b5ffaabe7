"""Measures a reader as the program uses it: over all paragraphs of the held-out articles, found by search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nkqa.reader import Calibration, Judged, calibrated
from nkqa.training.data import Article, Asked, Vectors, coverage, window_of
from nkqa.training.evaluate import Judge, auroc
from nkqa.types import Window

Place = tuple[int, int, int]
"""Article, paragraph, sentence."""


@dataclass(frozen=True, slots=True)
class Found:
    """What search brings for a question: windows with the place of their first sentence, and search's scores.

    `kind` is right, removed or unanswerable, `right` the place of the answer; `scores` has one entry a
    sentence of a window.
    """

    kind: str
    question: Asked
    right: Place
    firsts: tuple[Place, ...]
    windows: tuple[Window, ...]
    scores: tuple[tuple[float, ...], ...]
    judged: tuple[Judged, ...] = ()


class Search:
    """Ranks sentences by cosine and by the share (idf) of the question's words that they have."""

    def __init__(self, articles: Sequence[Article], vectors: Vectors, most: int = 8) -> None:
        """Lay out the sentences; `most` windows are read a question."""
        self.articles, self.vectors, self.most = articles, vectors, most
        self.places: list[Place] = [
            (a, p, s)
            for a, article in enumerate(articles)
            for p, paragraph in enumerate(article.paragraphs)
            for s in range(len(paragraph))
        ]
        self.texts = [articles[a].paragraphs[p][s] for a, p, s in self.places]
        self.table = np.stack([vectors[text] for text in self.texts])
        self.number = {place: i for i, place in enumerate(self.places)}

    def find(self, every: int = 1) -> list[Found]:
        """Search for each `every`th question; if it has an answer, also with its sentence taken out."""
        asked = [(a, q) for a, article in enumerate(self.articles) for q in article.questions[::every]]
        texts = [question.text for _, question in asked]
        scores = np.stack([self.vectors[text] for text in texts]) @ self.table.T + coverage(texts, self.texts)
        found = []
        for (article, question), row in zip(asked, scores, strict=True):
            right = article, question.paragraph, question.sentence
            kind = "right" if question.answerable else "unanswerable"
            found.append(self._windows(kind, question, right, row, None))
            if question.answerable:
                found.append(self._windows("removed", question, right, row, right))
        return found

    def _windows(
        self, kind: str, question: Asked, right: Place, row: npt.NDArray[np.float32], without: Place | None
    ) -> Found:
        firsts, windows, scores = [], [], []
        read: set[Place] = set()
        for i in np.argsort(-row):
            place = self.places[i]
            if place in read or self._same(place, question, without):
                continue
            run = self._around(place, read, without)
            read |= set(run)
            firsts.append(run[0])
            windows.append(window_of([self.texts[self.number[p]] for p in run]))
            scores.append(tuple(float(row[self.number[p]]) for p in run))
            if len(windows) == self.most:
                break
        return Found(kind, question, right, tuple(firsts), tuple(windows), tuple(scores))

    def _same(self, place: Place, question: Asked, without: Place | None) -> bool:
        """With the answer taken out, its article's other sentences that hold the same words go too."""
        if without is None or place[0] != without[0]:
            return False
        text = self.texts[self.number[place]].lower()
        return place == without or any(answer.lower() in text for answer in question.answers)

    def _around(self, place: Place, read: set[Place], without: Place | None) -> list[Place]:
        article, paragraph, sentence = place
        run = [place]
        for beside in (sentence - 1, sentence + 1):
            other = article, paragraph, beside
            free = other in self.number and other not in read and other != without
            if free and sum(len(self.texts[self.number[p]]) for p in [*run, other]) < 450:
                run.append(other)
        return sorted(run)


def read_all(found: Sequence[Found], judge: Judge) -> list[Found]:
    """Let a reader judge all windows."""
    each = iter(judge([(f.question.text, window) for f in found for window in f.windows]))
    return [replace(f, judged=tuple(next(each) for _ in f.windows)) for f in found]


@dataclass(frozen=True, slots=True)
class Weights:
    """How a sentence is ranked: its own logit, its window's, and what search gave it."""

    sentence: float = 1.0
    window: float = 0.5
    search: float = 2.0


def ranked(found: Found, weights: Weights) -> list[Place]:
    """The sentences of all windows, best first."""
    scores: dict[Place, float] = {}
    for (a, p, first), judged, searched in zip(found.firsts, found.judged, found.scores, strict=True):
        for offset, logit in enumerate(judged.sentences):
            score = (
                weights.sentence * logit + weights.window * judged.window + weights.search * searched[offset]
            )
            scores[a, p, first + offset] = score
    return sorted(scores, key=lambda place: -scores[place])


def in_first(found: Sequence[Found], weights: Weights, most: int) -> float:
    """The share of answerable questions whose answer sentence is among the first `most`."""
    right = [f for f in found if f.kind == "right"]
    return float(np.mean([f.right in ranked(f, weights)[:most] for f in right]))


def search_measures(found: Sequence[Found], calibration: Calibration, weights: Weights) -> dict[str, float]:
    """Answer sentence first or among three, and AUROCs of the best window's probability, all 0 to 1."""
    scores: dict[str, list[float]] = {"right": [], "removed": [], "unanswerable": []}
    near = {f.right[0] for f in found if f.kind == "unanswerable"}
    same = []
    for f in found:
        score = max(calibrated(judged, calibration) for judged in f.judged)
        scores[f.kind].append(score)
        if f.kind == "right" and f.right[0] in near:
            same.append(score)
    return {
        "search_hit_1": in_first(found, weights, 1),
        "search_hit_3": in_first(found, weights, 3),
        "search_near_miss_auroc": auroc(same, scores["unanswerable"]),
        "search_removed_auroc": auroc(scores["right"], scores["removed"]),
    }
