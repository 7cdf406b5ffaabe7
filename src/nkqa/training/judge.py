"""Fit the judge's two logistic regressions on the dev questions, and choose the threshold.

Run: python -m nkqa.training.judge eval/gold/dev.jsonl src/nkqa/data/judge.json

A sentence is right when it matches a nugget and stands where the gold says; one that matches a nugget
elsewhere in a right source is left out, since nobody judged it. Figures are from cross-validation in which
questions on the same fact stay together.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from nkqa.engine import Engine, open_engine
from nkqa.evidence import Evidence, question_features
from nkqa.judge import Features, summary
from nkqa.settings import load_settings
from nkqa.types import Ask, Locator, Turn

SENTENCE = {
    "plain": ["cosine", "coverage", "context", "around", "passage", "near", "expected", "names", "names_around",
              "phrases", "dates", "figures", "citing", "length"],
    "reader": ["window", "sentence", "words", "both", "read", "log_window", "log_sentence"],
}  # fmt: skip
ANSWER = {
    "plain": ["best", "second", "third", "nothing", "unknown", "missing", "terms", "named", "asking", "top_cosine",
              "top_coverage", "top_context", "top_around", "top_expected", "top_names", "top_names_around",
              "top_phrases", "top_dates", "top_figures", "max_cosine", "max_coverage"],
    "reader": ["max_window", "top_window", "top_sentence", "top_words"],
}  # fmt: skip
Floats = npt.NDArray[np.float64]
FOLDS = 8
NEAR_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Judged:
    """One gold question with its evidence: `labels` are 1 right, 0 wrong, -1 not judged, in the same order."""

    gold: dict[str, Any]
    evidence: list[Evidence]
    labels: list[int]
    whole: Features
    refused: bool


def label(gold: dict[str, Any], source: str, text: str, place: Locator) -> int:
    """Return 1 where a sentence answers, 0 where not, -1 where it may."""
    matches = any(re.search(r, text, re.IGNORECASE) for nugget in gold["nuggets"] for r in nugget)
    if not gold["answerable"] or source not in gold["sources"] or not matches:
        return 0
    return 1 if any(_same_place(w, source, place) for w in gold["locators"]) else -1


def _same_place(wanted: dict[str, Any], source: str, place: Locator) -> bool:
    if wanted["source"] != source:
        return False
    if wanted.get("second") is not None and place.second is not None:
        return abs(int(wanted["second"]) - place.second) <= NEAR_SECONDS
    if wanted.get("paragraph") is not None and place.paragraph is not None:
        return int(wanted["paragraph"]) == place.paragraph
    if wanted.get("page") is not None and place.page is not None:
        return abs(int(wanted["page"]) - place.page) <= 1
    return True


def collect(engine: Engine, golds: Sequence[dict[str, Any]]) -> list[Judged]:
    """Ask every question and keep the features of its sentences with their labels."""
    rows = []
    for gold in golds:
        history = tuple(Turn(t["role"], t["content"]) for t in gold["history"])
        question, evidence = engine.evidence(Ask(gold["question"], history))
        labels = []
        for item in evidence:
            place = engine.documents[item.claim.document_id].sentences[item.claim.index].locator
            labels.append(label(gold, item.claim.document_id, item.claim.text, place))
        whole = question_features(question, evidence, engine.claims)
        rows.append(Judged(gold, evidence, labels, whole, question.refusal is not None))
    return rows


def _matrix(rows: Sequence[Features], names: Sequence[str]) -> Floats:
    return np.array([[row.get(n, 0.0) for n in names] for row in rows])


@dataclass(frozen=True, slots=True)
class Ranker:
    """A linear scorer of sentences: `probability` is that a sentence is right."""

    names: tuple[str, ...]
    weights: Floats
    bias: float

    def probability(self, features: Sequence[Features]) -> Floats:
        """Return shape (len(features),), each 0 to 1."""
        z = _matrix(features, self.names) @ self.weights + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-z)))


def fit_sentence(rows: Sequence[Judged], names: Sequence[str], strength: float) -> Ranker:
    """Fit so that in each question the right sentences stand above the others, then scale to probabilities.

    The loss is the listwise softmax of Cao et al. 2007 over a question's judged sentences; the scale and the
    bias are Platt's (1999), on all sentences.
    """
    lists = [_judged(row, names) for row in rows]
    useful = [(x, y) for x, y in lists if y.any()]

    def loss(weights: Floats) -> tuple[float, Floats]:
        total, slope = 0.5 / strength * float(weights @ weights), weights / strength
        for x, y in useful:
            z = x @ weights
            p = np.exp(z - z.max())
            p /= p.sum()
            right = p * y
            total -= float(np.log(right.sum()))
            slope = slope + x.T @ (p - right / right.sum())
        return total, slope

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x
    z = np.concatenate([x @ found for x, _ in lists])
    platt = LogisticRegression(C=100.0, max_iter=3000).fit(z[:, None], np.concatenate([y for _, y in lists]))
    scale = float(platt.coef_[0, 0])
    return Ranker(tuple(names), found * scale, float(platt.intercept_[0]))


def _judged(row: Judged, names: Sequence[str]) -> tuple[Floats, Floats]:
    kept = [(e.features, y) for e, y in zip(row.evidence, row.labels, strict=True) if y >= 0]
    return _matrix([f for f, _ in kept], names).reshape(-1, len(names)), np.array([float(y) for _, y in kept])


def _ranked(row: Judged, model: Ranker) -> tuple[list[int], list[float]]:
    scores = model.probability([e.features for e in row.evidence])
    order = np.argsort(-scores, kind="stable").tolist()
    return order, [float(scores[i]) for i in order]


def whole_features(row: Judged, model: Ranker) -> dict[str, float]:
    """Return the features of a question as a whole, its sentences ranked by `model`."""
    if not row.evidence:
        return summary([], [], row.whole)
    order, scores = _ranked(row, model)
    return summary([row.evidence[i].features for i in order], scores, row.whole)


def cross_validate(
    rows: Sequence[Judged], sentence: Sequence[str], answer: Sequence[str], strengths: tuple[float, float]
) -> tuple[list[float], list[int]]:
    """Return for each question the held-out probability and the rank of its first right sentence (0: none)."""
    groups = [r.gold["fact"] for r in rows]
    probability, first = [0.0] * len(rows), [0] * len(rows)
    for train, held in GroupKFold(FOLDS).split(rows, groups=groups):
        known = [rows[i] for i in train]
        model = fit_sentence(known, sentence, strengths[0])
        whole = LogisticRegression(C=strengths[1], max_iter=3000).fit(
            _matrix([whole_features(r, model) for r in known], answer),
            [int(r.gold["answerable"]) for r in known],
        )
        for i in held:
            row = rows[i]
            probability[i] = float(whole.predict_proba(_matrix([whole_features(row, model)], answer))[0, 1])
            if row.evidence:
                order, _ = _ranked(row, model)
                first[i] = next((n for n, k in enumerate(order, 1) if row.labels[k] == 1), 0)
    return probability, first


def best_threshold(rows: Sequence[Judged], probability: Sequence[float], first: Sequence[int]) -> float:
    """Return the threshold with the best truthfulness, an answer counted right when it is in the first two."""
    gains = [
        (p, 1 if 0 < f <= 2 else -1)
        for p, f, r in zip(probability, first, rows, strict=True)
        if not r.refused
    ]
    candidates = sorted({round(p, 2) for p, _ in gains})
    return max(candidates, key=lambda t: (sum(g for p, g in gains if p >= t), -t))


def report(rows: Sequence[Judged], probability: Sequence[float], first: Sequence[int]) -> dict[str, float]:
    """Return what cross-validation shows."""
    answerable = [r.gold["answerable"] for r in rows]
    hits = [f for f, a in zip(first, answerable, strict=True) if a]
    near = [i for i, r in enumerate(rows) if r.gold["answerable"] or r.gold["type"] == "near_miss"]
    return {
        "questions": len(rows),
        "hit@1": round(sum(f == 1 for f in hits) / len(hits), 3),
        "hit@2": round(sum(0 < f <= 2 for f in hits) / len(hits), 3),
        "hit@3": round(sum(0 < f <= 3 for f in hits) / len(hits), 3),
        "hit@any": round(sum(f > 0 for f in hits) / len(hits), 3),
        "auroc": round(float(roc_auc_score(answerable, probability)), 3),
        "auroc_near_miss": round(
            float(roc_auc_score([answerable[i] for i in near], [probability[i] for i in near])), 3
        ),
    }


def _as_json(names: Sequence[str], weights: Floats, bias: float) -> dict[str, Any]:
    return {
        "bias": round(bias, 4),
        "weights": {n: round(float(w), 4) for n, w in zip(names, weights, strict=True)},
    }


def fit(rows: Sequence[Judged], mode: str, strengths: tuple[float, float] = (1.0, 0.1)) -> dict[str, Any]:
    """Return the fitted pair for `plain` or `reader` with its threshold and cross-validated figures."""
    sentence = SENTENCE["plain"] + (SENTENCE["reader"] if mode == "reader" else [])
    answer = ANSWER["plain"] + (ANSWER["reader"] if mode == "reader" else [])
    probability, first = cross_validate(rows, sentence, answer, strengths)
    model = fit_sentence(rows, sentence, strengths[0])
    whole = LogisticRegression(C=strengths[1], max_iter=3000).fit(
        _matrix([whole_features(r, model) for r in rows], answer),
        [int(r.gold["answerable"]) for r in rows],
    )
    return {
        "sentence": _as_json(model.names, model.weights, model.bias),
        "answer": _as_json(answer, whole.coef_[0], float(whole.intercept_[0])),
        "threshold": best_threshold(rows, probability, first),
        "cross_validated": report(rows, probability, first),
    }


def main() -> None:
    """Fit for both ways of reading and write the file."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("gold", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("--only", choices=("plain", "reader"))
    given = ask.parse_args()
    golds = [json.loads(line) for line in given.gold.read_text("utf-8").splitlines()]
    fitted = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {}
    for mode in (given.only,) if given.only else ("plain", "reader"):
        settings = load_settings(reader="on" if mode == "reader" else "off")
        engine = open_engine(settings)
        fitted[mode] = fit(collect(engine, golds), mode)
        print(mode, json.dumps(fitted[mode]["cross_validated"]), "threshold", fitted[mode]["threshold"])
        engine.close()
    given.out.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
