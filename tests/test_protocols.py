"""The sockets: the tiny one of the tests and the real one keep the same contract."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fakes import HashEmbedder, ListStore, OverlapReader
from nkqa.embed import default_folder
from nkqa.protocols import Embedder, Reader, TokenCounter, Vector, VectorStore
from nkqa.reader import DEFAULT_WEIGHTS, OnnxReader
from nkqa.store import ChromaStore
from nkqa.tokens import token_counter
from nkqa.types import Span, Window

TEXTS = ["Wardens watch the truce.", "The harbour costs money.", "Villagers fled from Oldmill."]


def unit(*values: float) -> Vector:
    vector = np.array(values, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


# --- embedder ----------------------------------------------------------------------------------------------


class EmbedderContract:
    """What every embedder does."""

    def test_rows_are_as_many_as_texts_and_of_length_one(self, embedder: Embedder) -> None:
        vectors = embedder.embed_passages(TEXTS)
        assert vectors.shape == (3, embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)

    def test_order_is_kept_whatever_else_is_in_the_batch(self, embedder: Embedder) -> None:
        forth, back = embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS[::-1])
        assert forth == pytest.approx(back[::-1], abs=1e-4)

    def test_no_texts_are_no_rows(self, embedder: Embedder) -> None:
        assert embedder.embed_passages([]).shape == (0, embedder.dimension)

    def test_a_question_lies_in_the_same_space(self, embedder: Embedder) -> None:
        query = embedder.embed_query("Who fled from Oldmill?")
        assert query.shape == (embedder.dimension,)
        assert np.linalg.norm(query) == pytest.approx(1, abs=1e-4)
        assert np.argmax(embedder.embed_passages(TEXTS) @ query) == 2

    @pytest.mark.parametrize("text", ["", "?", "😀", "word " * 5000])
    def test_any_question_has_a_vector_and_always_the_same(self, embedder: Embedder, text: str) -> None:
        once, again = embedder.embed_query(text), embedder.embed_query(text)
        assert np.isfinite(once).all()
        assert np.array_equal(once, again)


class TestHashEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashEmbedder()


@pytest.mark.model
@pytest.mark.torch
class TestSentenceTransformerEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, real_embedder: Embedder) -> Embedder:
        return real_embedder


# --- vector store ------------------------------------------------------------------------------------------


class VectorStoreContract:
    """What every vector store does."""

    def test_an_empty_store_finds_nothing(self, store: VectorStore) -> None:
        assert store.count() == 0
        assert store.search(unit(1, 0), 5) == []

    def test_the_nearest_come_first_with_their_cosines(self, store: VectorStore) -> None:
        store.add(["east", "north", "west"], np.stack([unit(1, 0), unit(0, 1), unit(-1, 0)]))
        found = store.search(unit(3, 1), 3)
        assert [id_ for id_, _ in found] == ["east", "north", "west"]
        assert [cosine for _, cosine in found] == pytest.approx([0.9487, 0.3162, -0.9487], abs=1e-3)

    @pytest.mark.parametrize(("k", "expected"), [(0, 0), (1, 1), (2, 2), (99, 2)])
    def test_never_more_than_asked_for_or_kept(self, store: VectorStore, k: int, expected: int) -> None:
        store.add(["a", "b"], np.stack([unit(1, 0), unit(0, 1)]))
        assert len(store.search(unit(1, 1), k)) == expected

    def test_vectors_can_be_added_later(self, store: VectorStore) -> None:
        store.add(["a"], unit(1, 0)[None])
        store.add(["b"], unit(0, 1)[None])
        assert store.count() == 2
        assert store.search(unit(0, 1), 1)[0][0] == "b"

    @pytest.mark.parametrize("ids", [["a", "b"], ["b", "b"]])
    def test_an_id_twice_is_refused_and_changes_nothing(self, store: VectorStore, ids: list[str]) -> None:
        store.add(["a"], unit(1, 0)[None])
        with pytest.raises(ValueError, match="already there"):
            store.add(ids, np.stack([unit(0, 1), unit(0, 1)]))
        assert store.count() == 1
        ((id_, cosine),) = store.search(unit(1, 0), 1)
        assert id_ == "a"
        assert cosine == pytest.approx(1, abs=1e-4)

    def test_as_many_ids_as_vectors(self, store: VectorStore) -> None:
        with pytest.raises(ValueError, match="2 ids for 1 vectors"):
            store.add(["a", "b"], unit(1, 0)[None])

    def test_more_than_one_batch_of_chroma_is_kept(self, store: VectorStore) -> None:
        rows = np.random.default_rng(7).normal(size=(6000, 2)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        store.add([f"id{i}" for i in range(len(rows))], rows)
        assert store.count() == 6000
        assert store.search(rows[5999], 1)[0][1] == pytest.approx(1, abs=1e-4)


class TestListStore(VectorStoreContract):
    @pytest.fixture
    def store(self) -> VectorStore:
        return ListStore()


class TestChromaStore(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[VectorStore]:
        store = ChromaStore(tmp_path / "chroma", create=True)
        yield store
        store.close()


# --- reader ------------------------------------------------------------------------------------------------


def window(*sentences: str) -> Window:
    spans, at = [], 0
    for sentence in sentences:
        spans.append(Span(at, at + len(sentence)))
        at += len(sentence) + 1
    return Window(" ".join(sentences), tuple(spans))


class ReaderContract:
    """What every reader does."""

    WINDOWS = (
        window("The harbour costs $30 million.", "Engineers say so."),
        window("The weather was fine.", "Villagers fled from Oldmill on 4 March.", "They ran."),
    )

    def test_there_is_a_reading_a_window_with_a_score_a_sentence(self, reader: Reader) -> None:
        readings = reader.read("When did the villagers flee from Oldmill?", self.WINDOWS)
        assert [len(r.sentences) for r in readings] == [2, 3]
        for reading in readings:
            assert all(0 <= p <= 1 for p in (reading.answerable, reading.answer_score, *reading.sentences))

    def test_the_window_and_the_sentence_that_answer_win(self, reader: Reader) -> None:
        money, flight = reader.read("When did the villagers flee from Oldmill?", self.WINDOWS)
        assert flight.answerable > money.answerable
        assert max(flight.sentences) == flight.sentences[1]

    def test_answering_words_lie_in_the_window(self, reader: Reader) -> None:
        for given, reading in zip(
            self.WINDOWS, reader.read("How much is the harbour?", self.WINDOWS), strict=True
        ):
            if reading.answer is not None:
                assert reading.answer.end <= len(given.text)

    def test_no_windows_are_no_readings(self, reader: Reader) -> None:
        assert reader.read("Who?", []) == []

    def test_the_order_of_the_windows_is_kept(self, reader: Reader) -> None:
        question = "When did the villagers flee?"
        forth, back = reader.read(question, self.WINDOWS), reader.read(question, self.WINDOWS[::-1])
        assert [r.answerable for r in forth] == pytest.approx([r.answerable for r in back[::-1]], abs=0.05)

    @pytest.mark.parametrize("question", ["", "?", "😀", "why " * 900])
    def test_any_question_can_be_read(self, reader: Reader, question: str) -> None:
        assert len(reader.read(question, self.WINDOWS)) == 2


@pytest.fixture(scope="module")
def onnx_reader() -> Reader:
    return OnnxReader(DEFAULT_WEIGHTS, default_folder() / "tokenizer.json")


class TestOverlapReader(ReaderContract):
    @pytest.fixture
    def reader(self) -> Reader:
        return OverlapReader()


@pytest.mark.model
@pytest.mark.skipif(not DEFAULT_WEIGHTS.is_file(), reason="the reader's weights are not in this checkout")
class TestOnnxReader(ReaderContract):
    @pytest.fixture
    def reader(self, onnx_reader: Reader) -> Reader:
        return onnx_reader


# --- token counter -----------------------------------------------------------------------------------------


def _words(text: str) -> int:
    return len(text.split())


def _tiktoken() -> TokenCounter:
    return token_counter("nkqa-8k")


@pytest.mark.parametrize("make", [lambda: _words, _tiktoken], ids=["words", "tiktoken"])
class TestTokenCounter:
    def test_nothing_has_no_tokens_and_something_has_some(self, make: Callable[[], TokenCounter]) -> None:
        assert make()("") == 0
        assert make()("truce") >= 1

    def test_more_text_has_no_fewer_tokens(self, make: Callable[[], TokenCounter]) -> None:
        assert make()("The Lake Truce of 2011 opens the road.") >= make()("The Lake Truce")

    def test_marks_of_models_are_plain_text(self, make: Callable[[], TokenCounter]) -> None:
        assert make()("<|endoftext|>") >= 1
