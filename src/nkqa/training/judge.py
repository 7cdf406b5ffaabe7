"""Fit the judge's two logistic regressions on the dev questions, on written ones and on SQuAD's; choose the threshold.

Run: python -m nkqa.training.judge eval/gold/dev.jsonl DATA src/nkqa/data/judge.json

A sentence is right when it matches a nugget and stands where the gold says; one that matches a nugget elsewhere in a
right source is left out, since nobody judged it. The questions in `written.tsv`, a third of them without an answer or
with a wrong premise, were written by language models that knew neither the program nor the gold set, and name the
sentences that answer; they are learnt from where the corpus has foreseen questions, and count so that as many of them
are unanswerable as of dev's. SQuAD's questions on the articles
that the reader was not trained on keep the judge from knowing one corpus only: they have a bias of their own, since
their share of unanswerable ones is another, and count less where there are foreseen questions, which other corpora have
none of. Figures are from cross-validation in which questions on the same fact or paragraph stay together; the threshold
follows from how often a right sentence is among the first three.
"""

import argparse
import json
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

from nkqa.engine import open_engine
from nkqa.foreseen import VERDICTS
from nkqa.judge import Features, summary, way
from nkqa.settings import load_settings
from nkqa.training.judged import Judged, from_gold, from_squad, from_written, load_written

SENTENCE = {
    "plain": ["cosine", "coverage", "context", "around", "passage", "near", "expected", "names", "names_around",
              "phrases", "dates", "figures", "citing", "length"],
    "reader": ["window", "sentence", "words", "both", "read", "log_window", "log_sentence", "log_own",
               "log_words"],
    "questions": ["asked", "told", "asked_share", "refused"],
}  # fmt: skip
ANSWER = {
    "plain": ["best", "second", "third", "nothing", "unknown", "missing", "terms", "named", "asking", "top_cosine",
              "top_coverage", "top_context", "top_around", "top_expected", "top_names", "top_names_around",
              "top_phrases", "top_dates", "top_figures", "max_cosine", "max_coverage"],
    "reader": ["max_window", "top_window", "top_sentence", "top_words", "top_log_window", "top_log_sentence",
               "top_log_own", "top_log_words", "max_log_own"],
    "questions": ["nearest", "missed", "answered", "contradicted", "top_asked", "top_told", "top_asked_share",
                  "top_refused"],
}  # fmt: skip
WAYS = tuple(
    way(reader=reader, questions=questions) for reader in (False, True) for questions in (False, True)
)
Floats = npt.NDArray[np.float64]
FOLDS = 8
ELSEWHERE = "elsewhere"
"""The bias that SQuAD's questions have beside; it is learnt, and not kept."""
SQUAD_COUNTS = {True: 0.3, False: 1.0}
"""What a question of SQuAD's counts, with foreseen questions and without (eval/README.md)."""
SQUAD_MOST = 300
"""How many answerable questions of SQuAD's are asked."""
SQUAD_TYPES = frozenset({"right", "removed", "unanswerable"})
WRITTEN_TYPES = frozenset(VERDICTS)
STRENGTHS = (10.0, 1.0)
"""Inverse of the ridge on the sentences' and on the questions' weights (eval/README.md has what was tried)."""


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
    whole = {**row.whole, ELSEWHERE: float(row.type in SQUAD_TYPES)}
    if not row.evidence:
        return summary([], [], whole)
    order, scores = _ranked(row, model)
    return summary([row.evidence[i].features for i in order], scores, whole)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both models; `names` are the features of a question as a whole, the bias of SQuAD's last."""

    sentence: Ranker
    names: tuple[str, ...]
    whole: LogisticRegression

    def probability(self, row: Judged) -> float:
        """Return the probability that the question is answered."""
        features = _matrix([whole_features(row, self.sentence)], self.names)
        return float(self.whole.predict_proba(features)[0, 1])


def fit_pair(rows: Sequence[Judged], mode: str) -> Pair:
    """Fit both models for a way of weighing."""
    parts = dict.fromkeys(["plain", *mode.split("+")])
    sentence = [name for part in parts for name in SENTENCE[part]]
    answer = [*(name for part in parts for name in ANSWER[part]), ELSEWHERE]
    model = fit_sentence([r for r in rows if r.type != "removed"], sentence, STRENGTHS[0])
    whole = LogisticRegression(C=STRENGTHS[1], max_iter=5000).fit(
        _matrix([whole_features(r, model) for r in rows], answer),
        [int(r.answerable) for r in rows],
        counts(rows, SQUAD_COUNTS["questions" in parts]),
    )
    return Pair(model, tuple(answer), whole)


def counts(rows: Sequence[Judged], squad: float) -> list[float]:
    """Return what each question counts: the written ones so that as many of them are unanswerable as of dev's.

    `squad` is what one of SQuAD's counts.
    """
    dev = [r.answerable for r in rows if r.type not in SQUAD_TYPES | WRITTEN_TYPES]
    written = [r.answerable for r in rows if r.type in WRITTEN_TYPES]
    each = {
        answerable: dev.count(answerable)
        / max(1, len(dev))
        * len(written)
        / max(1, written.count(answerable))
        for answerable in (True, False)
    }
    return [
        squad if r.type in SQUAD_TYPES else each[r.answerable] if r.type in WRITTEN_TYPES else 1.0
        for r in rows
    ]


def cross_validate(rows: Sequence[Judged], mode: str) -> tuple[list[float], list[int]]:
    """Return for each question the held-out probability and the rank of its first right sentence (0: none)."""
    groups = [r.group for r in rows]
    probability, first = [0.0] * len(rows), [0] * len(rows)
    for train, held in GroupKFold(FOLDS).split(rows, groups=groups):
        pair = fit_pair([rows[i] for i in train], mode)
        for i in held:
            probability[i] = pair.probability(rows[i])
            if rows[i].evidence:
                order, _ = _ranked(rows[i], pair.sentence)
                first[i] = next((n for n, k in enumerate(order, 1) if rows[i].labels[k] == 1), 0)
    return probability, first


def threshold(right: float) -> float:
    """Return the probability that the sources answer from which an answer gains more than it loses.

    An answer that is right where there is one with the probability `right` gains 2 * p * right - 1 at the
    probability p, an abstention nothing (truthfulness of Yang et al. 2024: right 1, wrong -1).
    """
    return round(min(1 / (2 * max(right, 0.5)), 0.99), 2)


def report(rows: Sequence[Judged], probability: Sequence[float], first: Sequence[int]) -> dict[str, float]:
    """Return what cross-validation shows: on the dev questions, as `written_` and `squad_` on the others."""
    lots = {
        "": [i for i, r in enumerate(rows) if r.type not in SQUAD_TYPES | WRITTEN_TYPES],
        "written_": [i for i, r in enumerate(rows) if r.type in WRITTEN_TYPES],
        "squad_": [i for i, r in enumerate(rows) if r.type in SQUAD_TYPES],
    }
    found: dict[str, float] = {}
    for name, lot in lots.items():
        if not lot:
            continue
        found[f"{name}questions"] = len(lot)
        hits = [first[i] for i in lot if rows[i].answerable]
        for k in (1, 2, 3):
            found[f"{name}hit@{k}"] = sum(0 < f <= k for f in hits) / max(1, len(hits))
        for measure, types in _AGAINST[name].items():
            some = [i for i in lot if rows[i].answerable or not types or rows[i].type in types]
            if len({rows[i].answerable for i in some}) == 2:
                found[f"{name}{measure}"] = float(
                    roc_auc_score([rows[i].answerable for i in some], [probability[i] for i in some])
                )
    return {name: round(value, 3) for name, value in found.items()}


_AGAINST: dict[str, dict[str, frozenset[str]]] = {
    "": {"auroc": frozenset(), "auroc_near_miss": frozenset({"near_miss"})},
    "written_": {
        "auroc_near_miss": frozenset({"unanswered"}),
        "auroc_false_premise": frozenset({"contradicted"}),
    },
    "squad_": {
        "auroc_near_miss": frozenset({"unanswerable"}),
        "auroc_removed": frozenset({"removed"}),
    },
}
"""The types of unanswerable questions that each area is taken against; all where none is named."""


def _as_json(names: Sequence[str], weights: Floats, bias: float) -> dict[str, Any]:
    return {
        "bias": round(bias, 4),
        "weights": {n: round(float(w), 4) for n, w in zip(names, weights, strict=True) if n != ELSEWHERE},
    }


def fit(rows: Sequence[Judged], mode: str) -> dict[str, Any]:
    """Return the fitted pair for a way of weighing with its threshold and cross-validated figures."""
    probability, first = cross_validate(rows, mode)
    pair = fit_pair(rows, mode)
    found = report(rows, probability, first)
    return {
        "sentence": _as_json(pair.sentence.names, pair.sentence.weights, pair.sentence.bias),
        "answer": _as_json(pair.names, pair.whole.coef_[0], float(pair.whole.intercept_[0])),
        "threshold": threshold(found["hit@3"]),
        "cross_validated": found,
    }


def main() -> None:
    """Fit for all ways of weighing and write the file."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("gold", type=Path)
    ask.add_argument("data", type=Path, help="folder of the SQuAD files that the reader was trained with")
    ask.add_argument("out", type=Path)
    ask.add_argument("--only", choices=WAYS)
    given = ask.parse_args()
    golds = [json.loads(line) for line in given.gold.read_text("utf-8").splitlines()]
    fitted = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {}
    for reader in (False, True):
        modes = [way(reader=reader, questions=q) for q in (False, True)]
        modes = [m for m in modes if given.only in (None, m)]
        settings = load_settings(reader="on" if reader else "off")
        # No question is foreseen for SQuAD's paragraphs, so they are the same for both.
        squad = from_squad(given.data, settings, SQUAD_MOST) if modes else []
        for mode in modes:
            engine = open_engine(settings, frozenset() if "questions" in mode else frozenset({"questions"}))
            written = load_written(engine, "written.tsv") if "questions" in mode else ()
            fitted[mode] = fit(from_gold(engine, golds) + from_written(engine, written) + squad, mode)
            print(mode, json.dumps(fitted[mode]["cross_validated"]), "threshold", fitted[mode]["threshold"])
            engine.close()
    given.out.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
