"""Measures a reader on whole articles that it has not learnt from, and fits its calibration."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nkqa.reader import NEVER, Calibration, Judged, calibrated
from nkqa.training.data import Article, Asked, Maker, Mix, Vectors, window_of
from nkqa.types import Window

Judge = Callable[[Sequence[tuple[str, Window]]], list[Judged]]
RAW = Calibration(1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """A question read against all windows of one paragraph.

    `kind` is right, removed (the answer sentence taken out), or unanswerable; `firsts` is the number of each
    window's first sentence in the paragraph; `windows` and `judged` go together.
    """

    article: str
    kind: str
    question: Asked
    firsts: tuple[int, ...]
    windows: tuple[Window, ...]
    judged: tuple[Judged, ...] = ()


def cover(sentences: Sequence[str], room: int = 400, most: int = 5) -> list[tuple[int, int]]:
    """Windows `[first, last)` over a paragraph, of at most `most` sentences and about `room` characters.

    Each begins with the last sentence of the one before, so that every two neighbours are read together.
    """
    windows: list[tuple[int, int]] = []
    first = 0
    while first < len(sentences):
        last = first + 1
        while last < len(sentences) and last - first < most and _length(sentences, first, last + 1) <= room:
            last += 1
        windows.append((first, last))
        if last == len(sentences):
            break
        first = last - 1 if last - first > 1 else last
    return windows


def _length(sentences: Sequence[str], first: int, last: int) -> int:
    return sum(len(sentence) + 1 for sentence in sentences[first:last])


def trials(articles: Sequence[Article], every: int = 1) -> list[Trial]:
    """Each `every`th question of the articles; an answerable one also with its answer sentence taken out."""
    made = []
    for article in articles:
        for question in article.questions[::every]:
            sentences = article.paragraphs[question.paragraph]
            kind = "right" if question.answerable else "unanswerable"
            made.append(_trial(article, question, sentences, kind))
            rest = [s for i, s in enumerate(sentences) if i != question.sentence]
            held = " ".join(rest).lower()
            if question.answerable and rest and not any(a.lower() in held for a in question.answers):
                made.append(_trial(article, question, rest, "removed"))
    return made


def _trial(article: Article, question: Asked, sentences: Sequence[str], kind: str) -> Trial:
    spans = cover(sentences)
    windows = tuple(window_of(sentences[first:last]) for first, last in spans)
    return Trial(article.title, kind, question, tuple(first for first, _ in spans), windows)


def judge_trials(made: Sequence[Trial], judge: Judge) -> list[Trial]:
    """Let a reader judge all windows of all trials."""
    found = iter(judge([(trial.question.text, window) for trial in made for window in trial.windows]))
    return [replace(trial, judged=tuple(next(found) for _ in trial.windows)) for trial in made]


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive outscores a negative (Hanley and McNeil 1982); nan where one is missing."""
    if not positive or not negative:
        return float("nan")
    values = np.concatenate([positive, negative])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    above = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def normal(text: str) -> str:
    """An answer as SQuAD's own script compares it: no case, marks, articles."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(given: str, wanted: Sequence[str]) -> float:
    """The best word F1 of an answer against several right ones, 0 to 1 (Rajpurkar et al. 2016)."""
    return max((_f1(normal(given).split(), normal(answer).split()) for answer in wanted), default=0.0)


def _f1(given: list[str], wanted: list[str]) -> float:
    same = sum((Counter(given) & Counter(wanted)).values())
    return 2 * same / (len(given) + len(wanted)) if same else 0.0


def _score(trial: Trial, calibration: Calibration) -> float:
    return max(calibrated(judged, calibration) for judged in trial.judged)


def _best_sentence(trial: Trial) -> int:
    scores: dict[int, float] = {}
    for first, judged in zip(trial.firsts, trial.judged, strict=True):
        for offset, score in enumerate(judged.sentences):
            scores[first + offset] = max(scores.get(first + offset, NEVER), score)
    return max(scores, key=lambda number: scores[number])


def _answer(trial: Trial, calibration: Calibration) -> str:
    pairs = zip(trial.windows, trial.judged, strict=True)
    window, judged = max(pairs, key=lambda pair: calibrated(pair[1], calibration))
    return "" if judged.answer is None else window.text[slice(*judged.answer)]


def measures(judged: Sequence[Trial], calibration: Calibration = RAW) -> dict[str, float]:
    """The measures on the paragraphs: AUROCs, sentence hit@1, exact match and F1 of the words, all 0 to 1."""
    by_kind = {kind: [t for t in judged if t.kind == kind] for kind in ("right", "removed", "unanswerable")}
    score = {kind: [_score(t, calibration) for t in lot] for kind, lot in by_kind.items()}
    with_near = {t.article for t in by_kind["unanswerable"]}
    same = [s for t, s in zip(by_kind["right"], score["right"], strict=True) if t.article in with_near]
    right = by_kind["right"]
    words = [_answer(t, calibration) for t in right]
    exact = [normal(w) in {normal(a) for a in t.question.answers} for w, t in zip(words, right, strict=True)]
    return {
        "questions": len(right),
        "near_misses": len(by_kind["unanswerable"]),
        "near_miss_auroc": auroc(same, score["unanswerable"]),
        "near_miss_auroc_all": auroc(score["right"], score["unanswerable"]),
        "removed_auroc": auroc(score["right"], score["removed"]),
        "sentence_hit_1": float(np.mean([_best_sentence(t) == t.question.sentence for t in right])),
        "exact": float(np.mean(exact)),
        "f1": float(np.mean([f1(w, t.question.answers) for w, t in zip(words, right, strict=True)])),
    }


def made_near_misses(articles: Sequence[Article], seed: int) -> list[tuple[str, Window, int, str]]:
    """Right windows and the same with a word swapped: (question, window, label, kind)."""
    mix = Mix(
        swapped=1.0, denied=0.3, beside=0, elsewhere=0, both_swapped=0.1, window_swapped=0.2, roughened=0
    )
    maker = Maker(articles, seed, mix)
    found = []
    for article in articles:
        for number, question in enumerate(article.questions):
            if question.answerable:
                found += [(e.question, e.window, e.label, e.kind) for e in maker.examples(article, number)]
    return found


def made_auroc(
    made: Sequence[tuple[str, Window, int, str]], judged: Sequence[Judged], how: Calibration
) -> dict[str, float]:
    """AUROC of right windows over made near-misses: all together, and by the kind of change."""
    scores = [calibrated(j, how) for j in judged]
    right = [s for s, m in zip(scores, made, strict=True) if m[2] == 1]
    wrong: dict[str, list[float]] = {"all": []}
    for score, (_, _, label, kind) in zip(scores, made, strict=True):
        if label == 0:
            wrong["all"].append(score)
            wrong.setdefault(kind, []).append(score)
    return {f"made_{kind}": auroc(right, lot) for kind, lot in wrong.items()}


def by_cosine(vectors: Vectors, made: Sequence[Trial]) -> list[Trial]:
    """The untrained baseline: a sentence scores by its cosine with the question, a window by its best."""
    judged = []
    for trial in made:
        lots = []
        for window in trial.windows:
            texts = [window.text[span.start : span.end] for span in window.sentences]
            cosines = tuple(float(vectors[trial.question.text] @ vectors[text]) for text in texts)
            lots.append(Judged(max(cosines), cosines, None, 0.0, 0.0))
        judged.append(replace(trial, judged=tuple(lots)))
    return judged


def fit(
    features: npt.NDArray[np.float64], labels: npt.NDArray[np.float64], steps: int = 50
) -> npt.NDArray[np.float64]:
    """Logistic regression by Newton's method, slightly ridged: weights (columns + 1,), the bias last."""
    table = np.hstack([features, np.ones((len(features), 1))])
    weights = np.zeros(table.shape[1])
    ridge = np.diag([1e-2] * features.shape[1] + [0.0])
    for _ in range(steps):
        chance = 0.5 * (1.0 + np.tanh(0.5 * table @ weights))
        gradient = table.T @ (chance - labels) + ridge @ weights
        curve = (table.T * (chance * (1 - chance))) @ table + ridge
        weights = weights - np.linalg.solve(curve + 1e-9 * np.eye(len(weights)), gradient)
    return weights


def features(judged: Judged) -> tuple[float, float, float]:
    """What the calibration weighs: the logits of the window, of its best sentence, of its words."""
    return judged.window, max(judged.sentences, default=NEVER), judged.span


def calibrate(judged: Sequence[Trial]) -> Calibration:
    """Fit the calibration: on the best window of each trial, answerable or not."""
    rows = [max((features(j) for j in trial.judged), key=lambda row: row[0]) for trial in judged]
    labels = np.asarray([float(trial.kind == "right") for trial in judged])
    weights = fit(np.asarray(rows), labels)
    return Calibration(*(float(weight) for weight in weights))
