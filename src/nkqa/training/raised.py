"""Fit when a question raises a confirmed difference: the weights of `nkqa.raised`.

Run: python -m nkqa.training.raised src/nkqa/data/raised.json --dev eval/gold/dev.jsonl

It learns from the questions in `raised.tsv`, which ask for a difference, or stand beside one without asking for it: as
hard to tell as their writers could make them; and from those in `written.tsv`, most of which have nothing to do with
one. None of them is foreseen, so that their features are those of any new question. The threshold is then taken on the
dev questions and those of `written.tsv`, which were not written for the differences.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from nkqa.engine import Engine, open_engine
from nkqa.foreseen import Foreseen
from nkqa.judge import Features, Logistic, way
from nkqa.raised import Beside
from nkqa.settings import load_settings
from nkqa.training.judge import WAYS
from nkqa.training.judged import load_written
from nkqa.types import Ask, Turn

NAMES = ("first", "second", "kind", "pointed")
WRITTEN = ("written.tsv", "raised.tsv")
FOLDS = 8
NEAR = 5
"""Differences that a question is learnt from beside, the likeliest first."""
STRENGTH = 0.5
"""Inverse of the ridge, the features standardised (eval/README.md)."""


Shown = tuple[bool, Sequence[Features]]
"""Whether a question asks for a difference, and the features of those beside it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question beside a difference: `group` ties together what must not be learnt from and measured on at once."""

    group: int
    features: Features
    asks: bool


def names_for(mode: str) -> tuple[str, ...]:
    """Return the features that a way of weighing has."""
    return (*NAMES, "foreseen", "apart") if "questions" in mode.split("+") else NAMES


def _likely(beside: Beside) -> float:
    features = beside.features
    return features["foreseen"] + (features["first"] + features["second"]) / 2


def from_written(engine: Engine, asked: Sequence[tuple[Foreseen, Sequence[Beside]]]) -> list[Labelled]:
    """Label what stands beside every written question.

    Beside a difference that it names it is labelled as it says. Of one that is only close to a difference nobody judged
    what else it asks for; any other asks for none that shares no sentence with what it does ask for. Only the `NEAR`
    likeliest differences are learnt from: all are told apart from what is far.
    """
    places = {k.id: {(s.document_id, s.sentence) for p in k.positions for s in p} for k in engine.differences}
    rows = []
    for group, (question, found) in enumerate(asked):
        asks, close = question.asks, question.beside
        shared = set().union(*(places[i] for i in asks))
        for beside in sorted(found, key=_likely, reverse=True)[:NEAR]:
            other = beside.known.id
            apart = (asks or not close) and not shared & places[other]
            if other in asks or other in close or apart:
                rows.append(Labelled(group, beside.features, other in asks))
    return rows


@dataclass(frozen=True, slots=True)
class Fitted:
    """The regression, for features as they are, and its cross-validated area under the ROC curve."""

    model: Logistic
    auroc: float


def fit(rows: Sequence[Labelled], names: tuple[str, ...]) -> Fitted:
    """Fit the regression on standardised features."""
    x = np.array([[row.features.get(n, 0.0) for n in names] for row in rows])
    y, groups = np.array([r.asks for r in rows]), [r.group for r in rows]
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-6)
    x = (x - mean) / scale
    held_out = np.zeros(len(rows))
    for train, held in GroupKFold(FOLDS).split(x, groups=groups):
        held_out[held] = LogisticRegression(C=STRENGTH).fit(x[train], y[train]).decision_function(x[held])
    model = LogisticRegression(C=STRENGTH).fit(x, y)
    weights = model.coef_[0] / scale
    plain = Logistic(
        float(model.intercept_[0] - weights @ mean), dict(zip(names, weights.tolist(), strict=True))
    )
    return Fitted(plain, float(roc_auc_score(y, held_out)))


def from_gold(engine: Engine, golds: Sequence[Mapping[str, Any]]) -> list[Shown]:
    """Return for every answered question whether gold names a difference, and the features beside each.

    Questions that only touch a difference are left out.
    """
    rows: list[Shown] = []
    for gold in golds:
        ask = Ask(gold["question"], tuple(Turn(t["role"], t["content"]) for t in gold["history"]))
        if not gold["touches"] and engine.ask(ask).status == "answered":
            rows.append((gold["conflict"] is not None, [b.features for b in engine.beside(ask)]))
    return rows


def threshold(model: Logistic, questions: Sequence[Shown]) -> float:
    """Return the threshold with the greatest F1 on the questions."""
    steps = [step / 20 for step in range(1, 20)]

    def f1(least: float) -> float:
        found = counts(model, questions, least)
        return 2 * found["shown"] / max(1, found["of"] + found["shown"] + found["false"])

    return max(steps, key=lambda s: (f1(s), s))


def counts(model: Logistic, questions: Sequence[Shown], least: float) -> dict[str, int]:
    """Return what a threshold shows, of how many that ask for it, and how often among the others."""
    told = [(wanted, max(map(model.probability, features), default=0.0)) for wanted, features in questions]
    shown = [wanted for wanted, probability in told if probability >= least]
    wanted = sum(w for w, _ in told)
    return {
        "shown": sum(shown),
        "of": wanted,
        "false": len(shown) - sum(shown),
        "of_others": len(told) - wanted,
    }


def fit_way(engine: Engine, mode: str, golds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fitted regression for a way of weighing, with its threshold and what it shows."""
    free, about = ([(q, engine.beside(Ask(q.text))) for q in load_written(engine, file)] for file in WRITTEN)
    fitted = fit(from_written(engine, free + about), names_for(mode))
    dev = from_gold(engine, golds)
    written: list[Shown] = [
        (bool(q.asks), [b.features for b in near]) for q, near in free if q.verdict == "answered"
    ]
    least = threshold(fitted.model, dev + written)
    return {
        "bias": round(fitted.model.bias, 4),
        "weights": {n: round(w, 4) for n, w in fitted.model.weights.items()},
        "threshold": least,
        "cross_validated": {"auroc": round(fitted.auroc, 3)},
        "dev": counts(fitted.model, dev, least),
        "written": counts(fitted.model, written, least),
    }


def main() -> None:
    """Fit for all ways of weighing and write the file."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("out", type=Path)
    ask.add_argument("--dev", type=Path, required=True)
    ask.add_argument("--only", choices=WAYS, nargs="+", default=WAYS)
    given = ask.parse_args()
    golds = [json.loads(line) for line in given.dev.read_text("utf-8").splitlines()]
    found = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {}
    for reader in (False, True):
        for questions in (False, True):
            mode = way(reader=reader, questions=questions)
            if mode not in given.only:
                continue
            without = frozenset() if questions else frozenset({"questions"})
            engine = open_engine(load_settings(reader="on" if reader else "off"), without)
            found[mode] = fit_way(engine, mode, golds)
            engine.close()
            print(mode, json.dumps(found[mode]))
    given.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
