"""Measures a checkpoint or an ONNX file on the held-out articles; fits and writes the calibration."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from nkqa.reader import Calibration, Judged, OnnxReader, load_tokenizer
from nkqa.training.evaluate import (
    RAW,
    Judge,
    Trial,
    by_cosine,
    calibrate,
    judge_trials,
    made_auroc,
    made_near_misses,
    measures,
    trials,
)
from nkqa.training.model import TorchReader, new_net
from nkqa.training.prepare import Prepared, prepare
from nkqa.training.search import Found, Search, Weights, in_first, read_all, search_measures
from nkqa.types import Window


class OnnxJudge:
    """Judges with an `OnnxReader`, a question's windows at a time."""

    def __init__(self, reader: OnnxReader) -> None:
        """Keep the reader."""
        self.reader = reader

    def __call__(self, asked: Sequence[tuple[str, Window]]) -> list[Judged]:
        """Judge each question against its window, in the order given."""
        judged: list[Judged] = []
        at = 0
        while at < len(asked):
            end = at
            while end < len(asked) and asked[end][0] == asked[at][0]:
                end += 1
            judged += self.reader.judge(asked[at][0], [window for _, window in asked[at:end]])
            at = end
        return judged


def best_weights(found: Sequence[Found]) -> Weights:
    """Choose how search and reader are weighed, by the share of answers among the first three."""
    tried = [Weights(1.0, w, s) for w in (0.0, 0.25, 0.5, 1.0) for s in (0.0, 1.0, 2.0, 4.0, 8.0)]
    return max(tried, key=lambda weights: (in_first(found, weights, 3), in_first(found, weights, 1)))


def all_measures(prepared: Prepared, judge: Judge, every: int) -> tuple[dict[str, float], Calibration]:
    """Measure with the raw window logit and calibrated; the calibration is fitted on what search brings."""
    made = judge_trials(trials(prepared.held_out, every), judge)
    near = made_near_misses(prepared.held_out, 1)[::every]
    near_judged = judge([(question, window) for question, window, _, _ in near])
    found = read_all(Search(prepared.held_out, prepared.vectors).find(every), judge)
    calibration = calibrate([Trial("", f.kind, f.question, (), f.windows, f.judged) for f in found])
    weights = best_weights(found)
    table: dict[str, float] = {}
    for name, how in (("raw", RAW), ("calibrated", calibration)):
        figures = measures(made, how) | made_auroc(near, near_judged, how)
        figures |= search_measures(found, how, weights)
        table |= {f"{name}.{key}": value for key, value in figures.items()}
    return table | {f"weight.{name}": value for name, value in asdict(weights).items()}, calibration


def baseline(prepared: Prepared, every: int) -> dict[str, float]:
    """The same measures for the untrained cosine of MiniLM, and for search alone."""
    made = by_cosine(prepared.vectors, trials(prepared.held_out, every))
    found = Search(prepared.held_out, prepared.vectors).find(every)
    alone = [
        Found(
            f.kind, f.question, f.right, f.firsts, f.windows, f.scores,
            tuple(Judged(max(s), s, None, 0.0, 0.0) for s in f.scores),
        )
        for f in found
    ]  # fmt: skip
    return measures(made) | search_measures(alone, RAW, Weights(1.0, 0.0, 0.0))


def rounded(table: dict[str, float]) -> dict[str, float]:
    """Four digits are more than the number of questions bears."""
    return {name: round(value, 4) for name, value in table.items()}


def judge_of(given: argparse.Namespace, tokenizer: Tokenizer) -> Judge:
    """The reader that the command line names."""
    if given.checkpoint:
        net = new_net(given.model)
        net.load_state_dict(torch.load(given.checkpoint, weights_only=True)["net"])
        return TorchReader(net, tokenizer, given.max_tokens).judge_all
    return OnnxJudge(OnnxReader(given.onnx, given.model / "tokenizer.json"))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the three SQuAD files")
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--onnx", type=Path)
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="measure each n-th question only")
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--write", action="store_true", help="put calibration and measures into reader.json")
    parser.add_argument("--fact", action="append", default=[], help="name=value for reader.json")
    return parser.parse_args()


def main() -> None:
    """Measure what the command line names, print JSON."""
    given = arguments()
    torch.set_num_threads(2)
    tokenizer = load_tokenizer(given.model / "tokenizer.json")
    prepared = prepare(given.data, given.model, tokenizer, given.cache)
    if given.baseline:
        print(json.dumps(rounded(baseline(prepared, given.every))))
        return
    table, calibration = all_measures(prepared, judge_of(given, tokenizer), given.every)
    print(json.dumps({**rounded(table), "calibration": asdict(calibration)}))
    if given.write:
        path = given.onnx.with_name("reader.json")
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        card["calibration"] = rounded(asdict(calibration))
        card["measures"] = rounded(table)
        card |= dict(fact.split("=", 1) for fact in given.fact)
        path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
