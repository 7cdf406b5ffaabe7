"""Features to probabilities: does a sentence answer, and do the sources answer at all.

Two logistic regressions, fitted on the dev questions and on others by `nkqa.training.judge`; their weights lie in
`data/judge.json`: a pair for each way of weighing, with the trained reader or without, with foreseen questions or
without.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nkqa.errors import ModelError

_FILE = Path(__file__).parent / "data" / "judge.json"
Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression by names of features; one that is not given counts 0."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, features: Features) -> float:
        """Return the probability, 0 to 1."""
        z = self.bias + sum(w * features.get(name, 0.0) for name, w in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


@dataclass(frozen=True, slots=True)
class Judge:
    """What is made of the features: `sentence` for each sentence, `answer` for the question as a whole.

    `threshold` is the probability under which the program abstains: where an answer is expected to lose as often as
    it gains (`nkqa.training.judge.threshold`).
    """

    sentence: Logistic
    answer: Logistic
    threshold: float


def way(*, reader: bool, questions: bool) -> str:
    """Return what a way of weighing is called in the file."""
    return ("reader" if reader else "plain") + ("+questions" if questions else "")


@cache
def load_judge(*, reader: bool, questions: bool) -> Judge:
    """Return the weights for reading with or without the trained reader, and with or without foreseen questions.

    Raises:
        ModelError: the file is missing or not what it should be.
    """
    try:
        raw = json.loads(_FILE.read_text("utf-8"))[way(reader=reader, questions=questions)]
        models = [Logistic(raw[k]["bias"], raw[k]["weights"]) for k in ("sentence", "answer")]
        return Judge(models[0], models[1], float(raw["threshold"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{_FILE}: {error!r}; install nkqa again") from error


def summary(
    sentence_features: Sequence[Features], scores: Sequence[float], question: Features
) -> dict[str, float]:
    """Return the features of a question as a whole, from those of its sentences, best first.

    Args:
        sentence_features: of the sentences, best first.
        scores: the sentences' probabilities in the same order.
        question: what is known from the question alone.
    """
    if not scores:
        return {**question, "nothing": 1.0}
    top = sentence_features[0]
    return {
        **question,
        "best": logit(scores[0]),
        "second": logit(scores[1]) if len(scores) > 1 else -8.0,
        "third": logit(scores[2]) if len(scores) > 2 else -8.0,
        **{f"top_{name}": value for name, value in top.items()},
        **{
            f"max_{name}": max(f[name] for f in sentence_features)
            for name in ("cosine", "coverage", "context")
        },
        "max_window": max(f.get("window", 0.0) for f in sentence_features),
        "max_log_own": max(f.get("log_own", 0.0) for f in sentence_features),
    }


def logit(probability: float) -> float:
    """Return the log-odds, cut at 8 either way."""
    p = min(max(probability, 3.4e-4), 1 - 3.4e-4)
    return math.log(p / (1 - p))
