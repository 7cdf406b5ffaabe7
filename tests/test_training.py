"""How the reader's examples are made and measured, on made-up articles; the net in one quick test."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from conftest import TOY
from nkqa.reader import Calibration, Judged
from nkqa.training.data import (
    Alike,
    Article,
    Asked,
    Example,
    Maker,
    Mix,
    add_hard,
    add_stock,
    plain,
    read_pairs,
    read_squad,
    split,
    window_of,
)
from nkqa.training.evaluate import (
    Trial,
    auroc,
    calibrate,
    cover,
    f1,
    fit,
    judge_trials,
    measures,
    normal,
    trials,
)
from nkqa.training.gold import read_gold
from nkqa.training.swaps import OPPOSITES, Stock, Swap, names_in, near_words, negated, numbers_in, swaps
from nkqa.types import Window

CONTEXT = (
    "Mira Halden founded the Harbour Museum in 1912. It opened on the north quay with 340 paintings. "
    "Her brother Jonas ran the Harbour Library for ten years. The roof burned in the winter of 1931."
)
OTHER = (
    "The Harbour Library lent 800 books in 1925. Its first reader was Ada Brook. Nobody kept a list before."
)


def squad() -> dict[str, Any]:
    def qa(question: str, answer: str, impossible: bool = False) -> dict[str, Any]:
        found = [{"text": answer, "answer_start": CONTEXT.index(answer)}]
        answers: list[dict[str, Any]] = []
        if impossible:
            return {
                "question": question,
                "answers": answers,
                "plausible_answers": found,
                "is_impossible": True,
            }
        return {"question": question, "answers": found}

    asked = [
        qa("Who founded the Harbour Museum?", "Mira Halden"),
        qa("How many paintings did the museum open with?", "340 paintings"),
        qa("Which quay did it open on?", "north"),
        qa("Who founded the Harbour Library?", "Mira Halden", impossible=True),
        qa("What runs over the end?", "1912. It"),
    ]
    paragraphs = [{"context": CONTEXT, "qas": asked}, {"context": OTHER, "qas": []}]
    return {"data": [{"title": "Harbour", "paragraphs": paragraphs}]}


@pytest.fixture
def article(tmp_path: Path) -> Article:
    path = tmp_path / "squad.json.gz"
    path.write_bytes(gzip.compress(json.dumps(squad()).encode()))
    (read,) = read_squad(path)
    texts = [s for paragraph in read.paragraphs for s in paragraph] + [q.text for q in read.questions]
    texts += names_in(CONTEXT + " " + OTHER)
    random = np.random.default_rng(0)
    rows = random.normal(size=(len(texts), 8)).astype(np.float32)
    vectors = dict(zip(texts, rows / np.linalg.norm(rows, axis=1, keepdims=True), strict=True))
    add_hard([read], vectors)
    add_stock([read], {"paintings": ["drawings"], "museum": ["gallery"]}, Alike(vectors))
    return read


def all_examples(article: Article, rounds: int = 60) -> list[Example]:
    mix = Mix(beside=1.0, elsewhere=1.0, swapped=1.0, denied=0.5, both_swapped=0.4, roughened=0.3)
    maker = Maker([article], 3, mix)
    numbers = range(len(article.questions))
    return [e for _ in range(rounds) for n in numbers for e in maker.examples(article, n)]


def test_a_squad_file_becomes_sentences_and_questions(article: Article) -> None:
    assert [len(paragraph) for paragraph in article.paragraphs] == [4, 3]
    # The question whose answer runs over a sentence's end is left out.
    assert [question.sentence for question in article.questions] == [0, 1, 1, 0]
    for question in article.questions:
        assert question.answer is not None
        sentence = article.paragraphs[question.paragraph][question.sentence]
        assert sentence[slice(*question.answer)] in question.answers
    assert [question.answerable for question in article.questions] == [True, True, True, False]


def test_examples_that_answer_hold_the_answer_where_they_say(article: Article) -> None:
    right = [e for e in all_examples(article) if e.label == 1]
    assert {e.kind for e in right} == {"right", "both-swapped"}
    for example in right:
        assert example.answer is not None
        span = example.window.sentences[example.sentence]
        assert span.start <= example.answer[0] < example.answer[1] <= span.end
        assert example.window.text[slice(*example.answer)] in {"Mira Halden", "340 paintings", "north"}


def test_examples_that_do_not_answer_are_of_every_kind(article: Article) -> None:
    wrong = [e for e in all_examples(article) if e.label == 0]
    assert {"beside", "elsewhere", "unanswerable", "number", "name", "opposite", "denied"} - {
        e.kind for e in wrong
    } <= {"number"}
    for example in wrong:
        assert example.sentence == -1
        assert example.answer is None
        if example.kind in ("beside", "elsewhere") and "paintings" in example.question.lower():
            assert "340" not in example.window.text


def test_the_same_seed_gives_the_same_examples(article: Article) -> None:
    assert all_examples(article, 3) == all_examples(article, 3)


def test_windows_join_sentences_with_offsets() -> None:
    window = window_of(["One.", "Two three."])
    assert [window.text[s.start : s.end] for s in window.sentences] == ["One.", "Two three."]


def test_sentences_are_trimmed() -> None:
    text = " One came.  Two came. "
    assert [text[a:b] for a, b in split(text)] == ["One came.", "Two came."]


def test_pairs_are_joined_and_held_out_questions_left_out(tmp_path: Path) -> None:
    lines = [
        "who built it ?\tthe tower , `` old tom '' , was built by ann .",
        "when ?\tit fell in 1900 .",
        "who else ?\tthe tower , `` old tom '' , was built by ann .",
        "secret ?\tnot to be read .",
    ]
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    (article,) = read_pairs(path, {plain("Secret?")})
    assert article.paragraphs == [['the tower, " old tom ", was built by ann.', "it fell in 1900."]]
    assert [q.sentence for q in article.questions] == [0, 1, 0]


def test_names_and_numbers_are_found() -> None:
    assert names_in("Who met Ada Brook in the Harbour Library?") == ["Ada Brook", "Harbour Library"]
    assert numbers_in("1,960 men in 2020, 3.5 m and S-300") == ["1,960", "2020", "3.5"]


def test_a_swap_changes_whole_words_only() -> None:
    swap = Swap("opposite", 10, 15, "north", "south")
    assert swap.on("Which way north?") == "Which way south?"
    assert swap.everywhere("North of Northfield, north") == "south of Northfield, south"


def test_swaps_offer_each_kind() -> None:
    stock = Stock({"paintings": ["drawings"]}, {"Ada Brook": ["Mira Halden"]}, ("1931",))
    text = "How many paintings did Ada Brook hang on the first floor in 1925?"
    found = swaps(text, stock, "Mira Halden came in 1931.", Random(1))
    assert {swap.kind for swap in found} == {"word", "name", "opposite", "number"}
    for swap in found:
        assert swap.on(text) != text


def test_opposites_go_both_ways() -> None:
    assert all(word in OPPOSITES[other] for word, others in OPPOSITES.items() for other in others)


def test_denial_is_put_in_once() -> None:
    assert negated("Who did it?") == "Who didn't it?"
    assert negated("Who can see?") == "Who can't see?"
    assert negated("Who did not go?") is None
    assert negated("the founder") is None


def test_near_words_are_neither_forms_nor_strangers() -> None:
    near = {"river": [("rivers", 0.8), ("creek", 0.49), ("riverside", 0.4), ("engine", 0.2)]}
    assert near_words(["river"], lambda word: near[word]) == {"river": ["creek"]}


def test_cover_reads_every_two_neighbours_together() -> None:
    sentences = [f"Sentence number {n} of this paragraph stands here." for n in range(20)]
    windows = cover(sentences, room=160)
    together = {n for first, last in windows for n in range(first, last - 1)}
    assert together == set(range(19))
    assert cover(["x" * 900, "y" * 900]) == [(0, 1), (1, 2)]
    assert cover([]) == []


def test_auroc_counts_ties_half() -> None:
    assert auroc([3, 2], [1, 0]) == 1.0
    assert auroc([1, 1], [1, 1]) == 0.5
    assert auroc([0, 3], [1, 2]) == 0.5
    assert np.isnan(auroc([], [1]))


def test_answers_are_compared_as_squad_does() -> None:
    assert normal("The  Museum, of 'Art'!") == "museum of art"
    assert f1("the old museum", ["museum", "library"]) == pytest.approx(2 / 3)
    assert f1("", ["museum"]) == 0.0


def test_a_perfect_judge_measures_one(article: Article) -> None:
    def judge(asked: Sequence[tuple[str, Window]]) -> list[Judged]:
        return [perfect(question, window) for question, window in asked]

    def perfect(question: str, window: Window) -> Judged:
        answers = {"founded the Harbour Museum": "Mira Halden", "paintings": "340 paintings", "quay": "north"}
        words = next((a for key, a in answers.items() if key in question), "?")
        at = window.text.find(words)
        holds = [words in window.text[s.start : s.end] for s in window.sentences]
        logits = tuple(5.0 if hit else -5.0 for hit in holds)
        return Judged(max(logits), logits, (at, at + len(words)) if at >= 0 else None, max(logits), 1.0)

    judged = judge_trials(trials([article]), judge)
    assert {trial.kind for trial in judged} == {"right", "removed", "unanswerable"}
    found = measures(judged)
    for name in ("near_miss_auroc", "removed_auroc", "sentence_hit_1", "exact", "f1"):
        assert found[name] == 1.0


def test_logistic_regression_finds_its_weights() -> None:
    random = np.random.default_rng(1)
    table = random.normal(size=(4000, 2))
    chance = 1 / (1 + np.exp(-(2 * table[:, 0] - table[:, 1] + 0.5)))
    labels = (random.random(4000) < chance).astype(float)
    assert fit(table, labels) == pytest.approx([2, -1, 0.5], abs=0.25)


def test_the_calibration_is_fitted_on_the_best_window() -> None:
    asked = Asked("?", 0, 0, None, ())
    made = [
        Trial("a", kind, asked, (0,), (window_of(["x"]),), (Judged(logit, (logit,), None, logit, 0.0),))
        for kind, logits in (("right", (2.0, 1.0, -0.5)), ("removed", (-2.0, -1.0, 0.5)))
        for logit in logits
    ]
    found = calibrate(made)
    assert isinstance(found, Calibration)
    assert found.window + found.sentence + found.span > 0


def gold(question: str, *nuggets: str, page: int = 3, answerable: bool = True) -> dict[str, Any]:
    """A gold question on the made-up source below."""
    locators = [{"source": "library", "page": page, "footnote": None}]
    return {
        "question": question, "answerable": answerable, "fact": question, "sources": ["library"],
        "nuggets": [list(nuggets)], "locators": locators,
    }  # fmt: skip


GOLD = [
    gold("how many books were lent", "800", "eight hundred"),
    gold("who read first", "Ada", page=9),
    gold("how many books were stolen", answerable=False),
    gold("and then", "Ada") | {"history": [{"role": "user", "content": "who read"}]},
]
SOURCE = """---
id: library
type: report
title: The library
author:
  - literal: Ada Brook
publisher: Harbour
issued: "1931-02-01"
perspective: newsroom
locator: page
rights: made up
---

## Books

The library lent 800 books. [p. 3]
Ada read first. [p. 3]
"""


def write_gold(folder: Path, name: str) -> Path:
    (folder / "sources").mkdir()
    (folder / "sources" / "library.md").write_text(SOURCE, encoding="utf-8")
    path = folder / name
    path.write_text("\n".join(json.dumps(row) for row in GOLD), encoding="utf-8")
    return path


def test_gold_questions_become_examples(tmp_path: Path) -> None:
    (article,) = read_gold(write_gold(tmp_path, "dev.jsonl"), tmp_path)
    assert article.paragraphs == [["The library lent 800 books.", "Ada read first."]]
    # The second question's answer stands on another page than the gold question says.
    lent, stolen = article.questions
    assert (lent.text, lent.sentence, lent.answers) == ("how many books were lent", 0, ("800",))
    assert (stolen.answerable, stolen.sentence) == (False, 0)


def test_halves_share_no_fact(tmp_path: Path) -> None:
    path = write_gold(tmp_path, "dev.jsonl")
    halves = [{q.text for a in read_gold(path, tmp_path, half) for q in a.questions} for half in (0, 1)]
    assert not halves[0] & halves[1]
    assert halves[0] | halves[1] == {"how many books were lent", "how many books were stolen"}


def test_only_the_dev_half_may_be_learnt_from(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dev"):
        read_gold(write_gold(tmp_path, "test.jsonl"), tmp_path)


@pytest.mark.torch
def test_a_tiny_net_learns_its_examples(article: Article) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    from nkqa.reader import encode
    from nkqa.training.model import ReaderNet, losses
    from nkqa.training.train import Settings, optimiser, share_of_rate, tensors, to_row

    examples = [e for e in all_examples(article, 2) if e.kind in ("right", "elsewhere")][:12]
    words = {
        w
        for e in examples
        for w in (e.question + " " + e.window.text).replace("?", " ?").replace(".", " .").split()
    }
    tokenizer = Tokenizer(
        models.WordLevel({w: 110 + n for n, w in enumerate(sorted(words))} | {"[UNK]": 1}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    net = ReaderNet(transformers.BertModel(config, add_pooling_layer=False))
    rows = [to_row(e, encode(tokenizer, e.question, [e.window], 96)[0]) for e in examples]
    inputs, wanted = tensors([row for row in rows if row])
    adam = optimiser(net, Settings(rate=3e-3, head_rate=3e-3))
    seen = []
    for _ in range(40):
        window, tokens = net(**inputs)
        parts = losses(window, tokens, *wanted)
        total = parts[0] + parts[1] + parts[2]
        torch.autograd.backward(total)
        adam.step()
        adam.zero_grad()
        seen.append(float(total.detach()))
    assert seen[-1] < 0.5 * seen[0]
    assert share_of_rate(1.0, 0.1) == 0.0
    assert share_of_rate(0.1, 0.1) == pytest.approx(1.0)
    window, tokens = net(**inputs)
    unknown = losses(window, tokens, *wanted[:3], torch.full_like(wanted[3], -1))
    assert float(unknown[2].detach()) == 0.0


def test_near_misses_find_their_paragraph(article: Article, tmp_path: Path) -> None:
    from nkqa.training.nearmisses import add_near_misses, mark

    before = len(article.questions)
    file = tmp_path / "near.tsv"
    known = mark(article.paragraphs[0])
    file.write_text(
        f"{known}\t2\tHow long did Jonas run the Harbour Museum?\n0000000000\t0\tWho is not here?\n"
    )
    assert add_near_misses([article], file) == 1
    added = article.questions[before]
    assert (added.paragraph, added.sentence, added.answerable) == (0, 2, False)


def test_a_near_miss_without_its_columns_is_refused(article: Article, tmp_path: Path) -> None:
    from nkqa.training.nearmisses import add_near_misses

    file = tmp_path / "near.tsv"
    file.write_text("no tabs here\n")
    with pytest.raises(ValueError, match="not enough values"):
        add_near_misses([article], file)


def test_written_paragraphs_are_articles_with_answers_and_near_misses(tmp_path: Path) -> None:
    from nkqa.training.paragraphs import read_paragraphs

    told = ["The ferry to Holm sails at noon.", "Jonas Berg has steered it since 1988."]
    asked = {
        "questions": [["Who is at the helm of the Holm ferry?", 1, "Jonas Berg"]],
        "near": ["When did the ferry sink?"],
    }
    file = tmp_path / "paragraphs.jsonl"
    file.write_text(json.dumps({"subject": "Holm ferry", "sentences": told, **asked}) + "\n", "utf-8")
    (article,) = read_paragraphs(file)
    right, near = article.questions
    assert right.answer is not None
    assert told[right.sentence][slice(*right.answer)] == "Jonas Berg"
    assert (near.answerable, near.sentence) == (False, 0)


def test_a_written_answer_that_does_not_stand_in_its_sentence_is_refused(tmp_path: Path) -> None:
    from nkqa.training.paragraphs import read_paragraphs

    file = tmp_path / "paragraphs.jsonl"
    wrong = {
        "subject": "Holm",
        "sentences": ["It is an island."],
        "questions": [["What is Holm?", 0, "a town"]],
    }
    file.write_text(json.dumps({**wrong, "near": []}) + "\n", "utf-8")
    with pytest.raises(ValueError, match="substring not found"):
        read_paragraphs(file)


def test_foreseen_questions_are_learnt_from_with_their_words(tmp_path: Path) -> None:
    from nkqa.corpus import load_corpus
    from nkqa.foreseen import FILE, mark
    from nkqa.training.questions import read_questions

    folder = copytree(TOY, tmp_path / "toy")
    document = load_corpus(folder)[0]
    texts = [document.text[s.start : s.end] for s in document.sentences]
    rows = [
        ("answered", f"{mark(texts[1])},{mark(texts[0])}", "what of it", texts[1][4:20]),
        ("contradicted", mark(texts[0]), "why not", ""),
    ]
    (folder / FILE).write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    found = {a.title: a for a in read_questions(folder)}[document.id]
    asked = [
        (q.text, found.paragraphs[q.paragraph][q.sentence], q.answer, q.answerable) for q in found.questions
    ]
    assert asked == [
        ("what of it", texts[1], (4, 20), True),
        ("what of it", texts[0], None, True),
        ("why not", texts[0], None, False),
    ]
    assert texts[0] in found.questions[0].answers


@pytest.mark.torch
def test_the_mean_of_nets_is_taken_weight_by_weight() -> None:
    torch = pytest.importorskip("torch")
    from nkqa.training.export import mean

    nets = [{"w": torch.tensor([v]), "ids": torch.tensor([7])} for v in (1.0, 2.0)]
    found = mean(nets)
    assert found["w"].tolist() == [1.5]
    assert found["ids"].tolist() == [7]


@pytest.mark.torch
@pytest.mark.model
def test_restored_weights_read_as_the_shipped_ones_do() -> None:
    torch = pytest.importorskip("torch")
    from nkqa.embed import default_folder
    from nkqa.reader import DEFAULT_WEIGHTS, OnnxReader, load_tokenizer
    from nkqa.training.model import TorchReader, new_net
    from nkqa.training.restore import restored

    tokenizer = default_folder() / "tokenizer.json"
    net = restored(new_net(default_folder()), DEFAULT_WEIGHTS)
    window = window_of(["The ferry was built in 1908.", "It is painted blue."])
    asked = [("When was the ferry built?", window), ("What colour is it painted?", window)]
    with torch.no_grad():
        restored_ = TorchReader(net, load_tokenizer(tokenizer), 160).judge_all(asked)
    shipped = OnnxReader(DEFAULT_WEIGHTS, tokenizer, 1)
    for (question, _), ours in zip(asked, restored_, strict=True):
        theirs = shipped.judge(question, [window])[0]
        assert ours.window == pytest.approx(theirs.window, abs=1.0)
        assert np.argmax(ours.sentences) == np.argmax(theirs.sentences)
