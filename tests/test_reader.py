"""The reader's runtime on a tiny net of known weights: offsets, batches, cutting, and refusals."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from nkqa.errors import ModelError
from nkqa.reader import (
    DEFAULT_WEIGHTS,
    NEVER,
    Calibration,
    Encoded,
    OnnxReader,
    _batches,
    calibrated,
    encode,
    judge,
    load_tokenizer,
    pad,
    sigmoid,
)
from nkqa.types import Span, Window

FIGURE = 104
"""The id of `1960`, which `tiny_net` takes for the answer; the marks have the ids that BERT gives them."""
VOCABULARY = {
    "[PAD]": 0,
    "[UNK]": 100,
    "[CLS]": 101,
    "[SEP]": 102,
    "counts": 103,
    "1960": FIGURE,
    "people": 105,
}
VOCABULARY |= {
    "rain": 106,
    "fell": 107,
    ".": 108,
    "how": 110,
    "many": 111,
    "?": 112,
    "the": 113,
    "force": 114,
}
CALIBRATION = {"window": 1.0, "sentence": 0.0, "span": 0.0, "bias": 0.0}


def window(*sentences: str) -> Window:
    spans, at = [], 0
    for sentence in sentences:
        spans.append(Span(at, at + len(sentence)))
        at += len(sentence) + 1
    return Window(" ".join(sentences), tuple(spans))


def tiny_net() -> onnx.ModelProto:
    """Each token's three logits from a table by its id; the window's is a sum over its own."""
    of_tokens = np.full((128, 3), -4, dtype=np.float32)
    of_tokens[FIGURE] = 8
    of_tokens[101] = 0
    of_window = np.full(128, -0.5, dtype=np.float32)
    of_window[0] = 0
    of_window[FIGURE] = 9
    nodes = [
        helper.make_node("Gather", ["of_tokens", "input_ids"], ["tokens"]),
        helper.make_node("Gather", ["of_window", "input_ids"], ["each"]),
        helper.make_node("Mul", ["token_type_ids", "attention_mask"], ["inside"]),
        helper.make_node("Cast", ["inside"], ["inside_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["each", "inside_float"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axis"], ["window"], keepdims=0),
    ]
    names = ("input_ids", "token_type_ids", "attention_mask")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"]) for name in names],
        [
            helper.make_tensor_value_info("window", TensorProto.FLOAT, ["rows"]),
            helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["rows", "tokens", 3]),
        ],
        [
            numpy_helper.from_array(of_tokens, "of_tokens"),
            numpy_helper.from_array(of_window, "of_window"),
            numpy_helper.from_array(np.asarray([1], dtype=np.int64), "axis"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # As the shipped file does: the reader has to undo it.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    onnx.save(tiny_net(), str(tmp_path / "reader.onnx"))
    write_card(tmp_path)
    return tmp_path


def write_card(folder: Path, **changes: object) -> None:
    digest = hashlib.sha256((folder / "reader.onnx").read_bytes()).hexdigest()
    card = {"sha256": digest, "max_tokens": 32, "calibration": CALIBRATION} | changes
    (folder / "reader.json").write_text(json.dumps(card), encoding="utf-8")


def reader(folder: Path) -> OnnxReader:
    return OnnxReader(folder / "reader.onnx", folder / "tokenizer.json", threads=1)


def test_the_words_the_sentence_and_the_window_are_found(folder: Path) -> None:
    read = window("rain fell.", "the force counts 1960 people.")
    (reading,) = reader(folder).read("how many people?", [read])
    assert reading.answer is not None
    assert read.text[reading.answer.start : reading.answer.end] == "1960"
    assert reading.answerable > 0.9
    assert reading.sentences[1] > reading.sentences[0]
    assert 0.9 < reading.answer_score <= 1.0


def test_a_window_without_an_answer_scores_low(folder: Path) -> None:
    (reading,) = reader(folder).read("how many people?", [window("rain fell.")])
    assert reading.answerable < 0.5
    assert reading.answer_score < 0.1


def test_readings_keep_the_order_of_the_windows_whatever_their_length(folder: Path) -> None:
    long = window("rain fell. " * 6 + "rain fell.", "the force counts 1960 people.")
    short = window("1960.")
    windows = [long, short, window("rain fell."), long, short]
    together = reader(folder).read("how many?", windows)
    alone = [reader(folder).read("how many?", [each])[0] for each in windows]
    assert len(together) == 5
    for one, other in zip(together, alone, strict=True):
        assert one.answer == other.answer
        assert one.answerable == pytest.approx(other.answerable, abs=1e-6)
        assert one.sentences == pytest.approx(other.sentences, abs=1e-6)


def test_no_windows_no_readings(folder: Path) -> None:
    assert reader(folder).read("how many?", []) == []


def test_offsets_are_code_points_also_after_other_scripts(folder: Path) -> None:
    read = window("Şuşa Шуша Շուշի 🙂 rain.", "é 1960.")
    (reading,) = reader(folder).read("how many?", [read])
    assert reading.answer is not None
    assert read.text[reading.answer.start : reading.answer.end] == "1960"


def test_what_is_cut_off_is_not_chosen(folder: Path) -> None:
    read = window(*["rain fell."] * 12, "1960 people.")
    (reading,) = reader(folder).read("how many?", [read])
    assert len(reading.sentences) == 13
    assert reading.sentences[-1] == pytest.approx(0, abs=1e-6)


def test_a_question_longer_than_everything_leaves_room_for_the_window(folder: Path) -> None:
    write_card(folder, max_tokens=64)
    (reading,) = reader(folder).read("how many people? " * 500, [window("1960 people.")])
    assert reading.answer == Span(0, 4)


@pytest.mark.parametrize("question", ["", " ", "?", "\u200b"])
def test_odd_questions_and_windows_are_read(folder: Path, question: str) -> None:
    readings = reader(folder).read(question, [Window("", ()), window("1960."), Window("   ", (Span(0, 3),))])
    assert [len(reading.sentences) for reading in readings] == [0, 1, 1]
    assert readings[0].answer is None
    assert readings[0].answer_score == 0.0


def test_the_name_tells_the_weights(folder: Path) -> None:
    digest = hashlib.sha256((folder / "reader.onnx").read_bytes()).hexdigest()
    assert reader(folder).name == f"reader.onnx@{digest[:12]}"


@pytest.mark.parametrize("missing", ["reader.onnx", "reader.json", "tokenizer.json"])
def test_a_missing_file_is_named_with_what_to_do(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=rf"{missing}.*(missing|install)"):
        reader(folder)


def test_altered_weights_are_refused(folder: Path) -> None:
    with (folder / "reader.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="SHA-256"):
        reader(folder)


@pytest.mark.parametrize("text", ["{", '{"sha256": "0"}'])
def test_a_spoilt_card_is_refused(folder: Path, text: str) -> None:
    (folder / "reader.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"reader\.json"):
        reader(folder)


def test_the_tokenizer_neither_cuts_nor_pads(folder: Path) -> None:
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    assert len(tokenizer.encode("rain " * 20).ids) == 20
    assert len(tokenizer.encode("rain").ids) == 1


def test_encoding_numbers_the_sentences(folder: Path) -> None:
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    (row,) = encode(tokenizer, "how many?", [window("rain fell.", "1960.")], 32)
    assert row.ids[0] == 101
    assert row.ids[-1] == 102
    assert row.sentences.tolist() == [-1] * 5 + [0, 0, 0, 1, 1] + [-1]
    assert row.types.tolist() == [0] * 5 + [1] * 6
    inputs = pad([row, row])
    assert inputs["attention_mask"].sum() == 22


@given(st.lists(st.integers(min_value=3, max_value=300), max_size=60))
def test_every_window_is_in_one_batch(lengths: list[int]) -> None:
    batches = _batches(lengths)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 2048


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_the_logistic_function_stays_within_bounds(value: float) -> None:
    assert 0.0 <= sigmoid(value) <= 1.0


def test_words_never_run_over_a_sentence() -> None:
    row = Encoded(
        ids=np.asarray([101, 1, 102, 5, 6, 102]),
        types=np.asarray([0, 0, 0, 1, 1, 1]),
        sentences=np.asarray([-1, -1, -1, 0, 1, -1]),
        offsets=np.asarray([[0, 0], [0, 0], [0, 0], [0, 3], [4, 7], [0, 0]]),
    )
    logits = np.zeros((6, 3), dtype=np.float32)
    logits[3, 0] = logits[4, 1] = 5
    judged = judge(row, 3, 0.5, logits)
    assert judged.answer in {(0, 3), (4, 7)}
    assert judged.sentences == (0.0, 0.0, NEVER)


def test_the_calibration_weighs_all_three() -> None:
    outside = np.asarray([-1, -1])
    row = Encoded(np.asarray([101, 102]), np.zeros(2, np.int64), outside, np.zeros((2, 2), np.int64))
    judged = judge(row, 1, 2.0, np.zeros((2, 3), dtype=np.float32))
    assert calibrated(judged, Calibration(1, 0, 0, -2)) == pytest.approx(0.5)
    assert calibrated(judged, Calibration(0, 1, 0, 0)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("trace", [b"site-packages", b"/home/", b"/root/", b'File "'])
def test_the_weights_tell_nothing_of_the_machine_that_made_them(trace: bytes) -> None:
    assert trace not in DEFAULT_WEIGHTS.read_bytes()
