"""Trains the reader: `python -m nkqa.training.train --data DIR --model DIR --out DIR`."""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from nkqa.reader import Encoded, encode, load_tokenizer, pad
from nkqa.training.data import Article, Example, Maker, Mix
from nkqa.training.evaluate import RAW, judge_trials, made_auroc, made_near_misses, measures, trials
from nkqa.training.gold import read_gold
from nkqa.training.model import ReaderNet, TorchReader, losses, new_net
from nkqa.training.prepare import prepare
from nkqa.training.questions import read_questions


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides the outcome. `steps` or `minutes`, whichever is reached first, ends the schedule."""

    steps: int = 3000
    minutes: float = 60.0
    batch: int = 32
    rate: float = 1.5e-4
    head_rate: float = 5e-4
    warm: float = 0.06
    decay: float = 0.01
    max_tokens: int = 128
    seed: int = 20
    spanned_rounds: int = 2
    unanswerable_times: int = 5
    gold_times: int = 4
    sentence_weight: float = 1.0
    words_weight: float = 0.6
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Row:
    """An example as the net takes it; `start` and `end` are token positions, 0 for none, -1 for unknown."""

    encoded: Encoded
    label: int
    sentence: int
    start: int
    end: int


def to_row(example: Example, encoded: Encoded) -> Row | None:
    """Place the answer among the tokens; None where it was cut off."""
    if example.label == 0:
        return Row(encoded, 0, -1, 0, 0)
    if example.sentence not in encoded.sentences:
        return None
    if example.answer is None:
        return Row(encoded, 1, example.sentence, -1, -1)
    inside = encoded.sentences >= 0
    starts, ends = encoded.offsets[:, 0], encoded.offsets[:, 1]
    covered = np.flatnonzero(inside & (ends > example.answer[0]) & (starts < example.answer[1]))
    if covered.size == 0 or ends[covered[-1]] < example.answer[1]:
        return None
    return Row(encoded, 1, example.sentence, int(covered[0]), int(covered[-1]))


def draws(articles: Sequence[Article], settings: Settings, random: Random) -> Iterator[tuple[Article, int]]:
    """Questions without end, shuffled each round: those with known words and real near-misses more often."""
    while True:
        lot = []
        for article in articles:
            for number, question in enumerate(article.questions):
                times = settings.spanned_rounds if question.answer else 1
                times = times if question.answerable else settings.unanswerable_times
                times = settings.gold_times if article.origin == "gold" else times
                lot += [(article, number)] * times
        random.shuffle(lot)
        yield from lot


def batches(
    articles: Sequence[Article], tokenizer: Tokenizer, settings: Settings, mix: Mix
) -> Iterator[list[Row]]:
    """Batches without end, of rows of like length, in random order."""
    random = Random(settings.seed)
    maker = Maker(articles, settings.seed, mix)
    drawn = draws(articles, settings, random)
    pool: list[Row] = []
    while True:
        while len(pool) < 64 * settings.batch:
            article, number = next(drawn)
            for example in maker.examples(article, number):
                encoded = encode(tokenizer, example.question, [example.window], settings.max_tokens)[0]
                row = to_row(example, encoded)
                pool += [row] if row else []
        pool.sort(key=lambda row: len(row.encoded.ids) + random.random() * 8)
        lots = [pool[i : i + settings.batch] for i in range(0, len(pool), settings.batch)]
        random.shuffle(lots)
        yield from lots
        pool = []


def tensors(rows: Sequence[Row]) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor, Tensor, Tensor]]:
    """The net's inputs, and what `losses` wants beside its outputs."""
    inputs = {name: torch.from_numpy(array) for name, array in pad([row.encoded for row in rows]).items()}
    sentence_of = np.full(inputs["input_ids"].shape, -1, dtype=np.int64)
    for number, row in enumerate(rows):
        sentence_of[number, : len(row.encoded.ids)] = row.encoded.sentences
    wanted = (
        torch.from_numpy(sentence_of),
        torch.tensor([float(row.label) for row in rows]),
        torch.tensor([row.sentence for row in rows]),
        torch.tensor([[row.start, row.end] for row in rows]),
    )
    return inputs, wanted


def optimiser(net: ReaderNet, settings: Settings) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); fresh heads learn faster, biases and norms do not decay."""
    groups = []
    for heads in (False, True):
        for plain in (False, True):
            chosen = [
                p for name, p in net.named_parameters()
                if name.startswith("bert.") != heads and (p.ndim < 2) == plain
            ]  # fmt: skip
            rate = settings.head_rate if heads else settings.rate
            decay = 0.0 if plain else settings.decay
            groups.append({"params": chosen, "lr": rate, "top": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, fused=True)


def share_of_rate(progress: float, warm: float) -> float:
    """Linear from 0 to 1 over the first `warm` of the schedule, then linear to 0."""
    if progress < warm:
        return max(progress, 1e-3) / warm
    return max(0.0, (1.0 - progress) / (1.0 - warm))


class Loop:
    """The training loop, with its clock, log and checkpoints in the folder `out`."""

    def __init__(self, net: ReaderNet, settings: Settings, out: Path) -> None:
        """Start from `net`, or from the checkpoint in `out` if there is one."""
        self.net, self.settings, self.out = net, settings, out
        self.optimiser = optimiser(net, settings)
        self.step, self.spent = 0, 0.0
        self.sums = np.zeros(4)
        if (out / "checkpoint.pt").is_file():
            state = torch.load(out / "checkpoint.pt", weights_only=True)
            net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.spent = state["step"], state["spent"]

    def log(self, **entry: object) -> None:
        """Append one line of JSON to the log and print it."""
        line = json.dumps({"step": self.step, "minutes": round(self.spent / 60, 2), **entry})
        print(line, flush=True)
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def progress(self) -> float:
        """How much of the schedule is done, 0 to 1."""
        return max(self.step / self.settings.steps, self.spent / 60 / self.settings.minutes)

    def learn(self, rows: Sequence[Row]) -> None:
        """One step."""
        began = time.monotonic()
        share = share_of_rate(self.progress(), self.settings.warm)
        for group in self.optimiser.param_groups:
            group["lr"] = group["top"] * share
        inputs, wanted = tensors(rows)
        with torch.autocast("cpu", torch.bfloat16):
            window, tokens = self.net(**inputs)
        parts = losses(window.float(), tokens.float(), *wanted)
        weighed = parts[0] + self.settings.sentence_weight * parts[1] + self.settings.words_weight * parts[2]
        torch.autograd.backward(weighed)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.spent += time.monotonic() - began
        self.sums += [float(part.detach()) for part in parts] + [len(rows)]

    def save(self) -> None:
        """Write the checkpoint as one step."""
        state = {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent": self.spent,
        }
        torch.save(state, self.out / "checkpoint.tmp")
        (self.out / "checkpoint.tmp").replace(self.out / "checkpoint.pt")


def train(
    loop: Loop,
    rows: Iterator[list[Row]],
    measure: Callable[[], dict[str, float]],
    each: int,
    save_minutes: float,
) -> None:
    """Run the schedule to its end, measuring and saving on the way."""
    saved = loop.spent
    last, first = loop.spent, loop.step
    for lot in rows:
        if loop.progress() >= 1.0:
            break
        loop.learn(lot)
        if loop.step % 50 == 0:
            window, sentence, words, count = (float(v) for v in loop.sums)
            speed = round(count / max(loop.spent - last, 1e-9), 1)
            steps = loop.step - first
            mean = {"window": window / steps, "sentence": sentence / steps, "words": words / steps}
            loop.log(**{name: round(value, 4) for name, value in mean.items()}, pairs_per_second=speed)
            loop.sums[:], last, first = 0.0, loop.spent, loop.step
        if loop.step % each == 0:
            loop.log(**measure())
        if loop.spent - saved > 60 * save_minutes:
            loop.save()
            saved = loop.spent
    loop.save()
    loop.log(**measure())


def arguments() -> argparse.Namespace:
    """Read the command line; every setting is an option."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the three SQuAD files")
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and log")
    parser.add_argument("--start", type=Path, help="a checkpoint to begin from, with a schedule of its own")
    parser.add_argument("--gold", type=Path, help="gold questions to learn from too: dev only")
    parser.add_argument(
        "--corpus", type=Path, help="the corpus of the gold; its foreseen questions are learnt from"
    )
    parser.add_argument("--half", type=int, choices=(0, 1), help="learn from every other gold fact only")
    parser.add_argument("--measure-each", type=int, default=500, help="steps")
    for name, value in asdict(Settings()).items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    return parser.parse_args()


def main() -> None:
    """Train as the command line says."""
    given = arguments()
    settings = Settings(**{name: getattr(given, name) for name in asdict(Settings())})
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(given.model / "tokenizer.json")
    gold = read_gold(given.gold, given.corpus, given.half) if given.gold else []
    gold += read_questions(given.corpus) if given.corpus else []
    prepared = prepare(given.data, given.model, tokenizer, given.out.parent / "cache", gold)
    net = new_net(given.model)
    if given.start:
        net.load_state_dict(torch.load(given.start, weights_only=True)["net"])
    net.train()
    loop = Loop(net, settings, given.out)
    mix = Mix()
    loop.log(settings=asdict(settings), mix=asdict(mix), articles=len(prepared.training))
    quick = trials(prepared.held_out, every=6)
    near = made_near_misses(prepared.held_out, 1)[::8]
    reader = TorchReader(net, tokenizer, settings.max_tokens)

    def measure() -> dict[str, float]:
        found = measures(judge_trials(quick, reader.judge_all))
        found |= made_auroc(near, reader.judge_all([(q, w) for q, w, _, _ in near]), RAW)
        return {name: round(value, 4) for name, value in found.items()}

    train(loop, batches(prepared.training, tokenizer, settings, mix), measure, given.measure_each, 8.0)


if __name__ == "__main__":
    main()
