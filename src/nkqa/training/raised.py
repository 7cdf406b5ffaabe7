"""Fit when a question raises a confirmed difference: the weights of `nkqa.raised`.

Run: python -m nkqa.training.raised src/nkqa/training/raised.tsv src/nkqa/data/raised.json --dev eval/gold/dev.jsonl

The questions in `raised.tsv` ask for a difference, or stand beside one without asking for it: as hard to tell as their
writers could make them. They were written from the differences alone, and none of them is foreseen, so that their
features are those of any new question. The threshold is then taken on the dev questions.
"""

import argparse
import csv
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
from nkqa.judge import Features, Logistic, way
from nkqa.raised import Beside
from nkqa.settings import load_settings
from nkqa.training.judge import WAYS
from nkqa.types import Ask, Turn

NAMES = ("first", "second", "kind", "pointed")
FOLDS = 8
NEAR = 5
"""Differences that a question is learnt from beside, the likeliest first."""
STRENGTH = 0.5
"""Inverse of the ridge, the features standardised (eval/README.md)."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question beside a difference: `group` ties together what must not be learnt from and measured on at once."""

    group: int
    features: Features
    asks: bool


def names_for(mode: str) -> tuple[str, ...]:
    """Return the features that a way of weighing has."""
    return (*NAMES, "foreseen") if "questions" in mode.split("+") else NAMES


def read_written(path: Path) -> list[tuple[str, bool, str]]:
    """Return difference, whether it is asked for, and question, of each line that is no comment."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [
            r for r in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if not r[0].startswith("#")
        ]
    return [(difference, asks == "asks", question) for difference, asks, question in rows]


def _likely(beside: Beside) -> float:
    features = beside.features
    return features["foreseen"] + (features["first"] + features["second"]) / 2


def from_written(engine: Engine, written: Sequence[tuple[str, bool, str]]) -> list[Labelled]:
    """Ask every written question; beside its own difference it is labelled as written.

    One that asks for its own asks for none that shares no sentence with it; of the others nobody judged that. Of those
    only the `NEAR` likeliest are learnt from: all are told apart from what is far.
    """
    places = {k.id: {(s.document_id, s.sentence) for p in k.positions for s in p} for k in engine.differences}
    rows = []
    for group, (own, asks, question) in enumerate(written):
        for beside in sorted(engine.beside(Ask(question)), key=_likely, reverse=True)[:NEAR]:
            other = beside.known.id
            if other == own or (asks and not places[own] & places[other]):
                rows.append(Labelled(group, beside.features, asks and other == own))
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


def from_gold(engine: Engine, golds: Sequence[Mapping[str, Any]]) -> list[tuple[bool, list[Features]]]:
    """Return for every answered question whether gold names a difference, and the features beside each.

    Questions that only touch a difference are left out.
    """
    rows = []
    for gold in golds:
        ask = Ask(gold["question"], tuple(Turn(t["role"], t["content"]) for t in gold["history"]))
        if not gold["touches"] and engine.ask(ask).status == "answered":
            rows.append((gold["conflict"] is not None, [b.features for b in engine.beside(ask)]))
    return rows


def threshold(
    model: Logistic, dev: Sequence[tuple[bool, Sequence[Features]]]
) -> tuple[float, dict[str, int]]:
    """Return the threshold with the greatest F1 on the dev questions, and what it does there."""
    best = [(wanted, max(map(model.probability, features), default=0.0)) for wanted, features in dev]
    steps = [step / 20 for step in range(1, 20)]

    def counts(least: float) -> tuple[int, int]:
        shown = [wanted for wanted, probability in best if probability >= least]
        return sum(shown), len(shown) - sum(shown)

    wanted = sum(w for w, _ in best)
    chosen = max(steps, key=lambda s: (2 * counts(s)[0] / max(1, wanted + sum(counts(s))), s))
    right, false = counts(chosen)
    return chosen, {"shown": right, "of": wanted, "false": false, "of_others": len(best) - wanted}


def main() -> None:
    """Fit for all ways of weighing and write the file."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("written", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("--dev", type=Path, required=True)
    ask.add_argument("--only", choices=WAYS, nargs="+", default=WAYS)
    given = ask.parse_args()
    written = read_written(given.written)
    golds = [json.loads(line) for line in given.dev.read_text("utf-8").splitlines()]
    found = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {}
    for reader in (False, True):
        for questions in (False, True):
            mode = way(reader=reader, questions=questions)
            if mode not in given.only:
                continue
            without = frozenset() if questions else frozenset({"questions"})
            engine = open_engine(load_settings(reader="on" if reader else "off"), without)
            fitted = fit(from_written(engine, written), names_for(mode))
            least, seen = threshold(fitted.model, from_gold(engine, golds))
            engine.close()
            found[mode] = {
                "bias": round(fitted.model.bias, 4),
                "weights": {n: round(w, 4) for n, w in fitted.model.weights.items()},
                "threshold": least,
                "cross_validated": {"auroc": round(fitted.auroc, 3)},
                "dev": seen,
            }
            print(mode, json.dumps(found[mode]))
    given.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
