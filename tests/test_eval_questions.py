"""Gold questions: what is read, what is refused, and how they are split."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nkqa.corpus import load_corpus
from nkqa.settings import default_corpus
from nkqa.types import Turn
from nkqa_eval.places import same_place
from nkqa_eval.questions import (
    Gold,
    QuestionError,
    count_found,
    found,
    gold_folder,
    problems_of,
    read_conflicts,
    read_questions,
    set_path,
    write_conflicts,
    write_questions,
)
from nkqa_eval.split import group_ids, near_duplicates, split

LINE: dict[str, object] = {
    "id": "x-1",
    "question": "how many peacekeepers",
    "history": [{"role": "user", "content": "tell me about the force"}],
    "type": "fact",
    "answerable": True,
    "fact": "force-size",
    "nuggets": [["1,?960", "(about|almost) 2,?000"]],
    "min_nuggets": 1,
    "sources": ["a"],
    "locators": [{"source": "a", "page": 5, "footnote": 9}],
    "abstention": [],
    "symmetry": None,
    "conflict": None,
    "note": "The force.",
}


def written(folder: Path, *changes: dict[str, object]) -> Path:
    path = folder / "set.jsonl"
    path.write_text("\n".join(json.dumps(LINE | change) for change in changes) + "\n", encoding="utf-8")
    return path


def gold(id_: str, fact: str = "", symmetry: str | None = None, type_: str = "fact") -> Gold:
    unanswerable = type_ in ("near_miss", "off_topic")
    return Gold(
        id=id_,
        question=f"question {id_}",
        history=(),
        type=type_,  # type: ignore[arg-type]
        answerable=not unanswerable,
        fact=fact or id_,
        nuggets=(("1960",),),
        min_nuggets=1,
        sources=("a",),
        locators=(),
        abstention=(),
        symmetry=symmetry,
        conflict=None,
        note="",
    )


def test_a_line_becomes_a_question(tmp_path: Path) -> None:
    (question,) = read_questions(written(tmp_path, {}))
    assert question.history == (Turn("user", "tell me about the force"),)
    assert question.nuggets == (("1,?960", "(about|almost) 2,?000"),)
    assert (question.locators[0].page, question.locators[0].footnote) == (5, "9")


def test_writing_and_reading_again_changes_nothing(tmp_path: Path) -> None:
    questions = read_questions(written(tmp_path, {}, {"id": "x-2"}))
    write_questions(tmp_path / "again.jsonl", questions)
    assert read_questions(tmp_path / "again.jsonl") == questions


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "riddle"}, "set.jsonl:1: type"),
        ({"extra": 1}, "extra"),
        ({"nuggets": [["("]]}, "does not compile"),
        ({"nuggets": [["peacekeeper"]]}, "matches the question itself"),
        ({"nuggets": [["(nobody)?"]]}, "matches"),
        ({"nuggets": []}, "needs nuggets"),
        ({"nuggets": [[]]}, "needs nuggets"),
        ({"min_nuggets": 2}, "min_nuggets 2 of 1"),
        ({"min_nuggets": 0}, "min_nuggets 0 of 1"),
        ({"type": "near_miss"}, "does not go with"),
        ({"answerable": False, "type": "near_miss"}, "reasons"),
        ({"sources": []}, "needs sources"),
        ({"locators": [{"source": "b", "page": 1}]}, "other sources"),
        ({"question": " "}, "empty"),
        ({"conflict": "size", "touches": "size"}, "not both"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(QuestionError, match=message):
        read_questions(written(tmp_path, change))


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="x-1 is given twice"):
        read_questions(written(tmp_path, {}, {}))


def test_nuggets_ignore_case_and_count_once_each() -> None:
    assert found(("shush[ai]", "şuşa"), "The town of SHUSHI fell.")
    assert not found(("1,?960",), "1.960")
    assert count_found((("1,?960",), ("five|5",), ("drone",)), "1960 soldiers, five years; 1,960 again") == 2


def test_sets_are_found_by_name_or_path(tmp_path: Path) -> None:
    assert set_path(str(written(tmp_path, {}))).name == "set.jsonl"
    with pytest.raises(QuestionError, match="give dev, test"):
        set_path("devv")


def test_conflicts_are_read_written_and_checked(tmp_path: Path) -> None:
    group = {
        "id": "deadline",
        "about": "When the handover ends",
        "positions": [
            {"value": ["1 Dec"], "source": "a", "locator": {"source": "a", "page": 1}},
            {"value": ["end of Dec"], "source": "b", "locator": {"source": "b", "paragraph": 2}},
        ],
    }
    path = tmp_path / "conflicts.json"
    assert read_conflicts(path) == {}
    path.write_text(json.dumps([group]), encoding="utf-8")
    groups = read_conflicts(path)
    assert groups["deadline"].positions[1].locator.paragraph == 2
    write_conflicts(path, groups)
    assert read_conflicts(path) == groups
    path.write_text(json.dumps([group | {"positions": group["positions"][:1]}]), encoding="utf-8")
    with pytest.raises(QuestionError, match="two positions"):
        read_conflicts(path)


def test_facts_and_pairs_make_one_group_however_indirectly() -> None:
    questions = [gold("a", "f"), gold("b", "f", "s"), gold("c", "g", "s"), gold("d", "h")]
    assert group_ids(questions) == {"a": "a", "b": "a", "c": "a", "d": "d"}


def test_a_split_keeps_groups_whole_shares_types_and_never_changes() -> None:
    types = ["fact"] * 60 + ["list"] * 20 + ["near_miss"] * 20
    questions = [gold(f"q{n:03}", f"f{n // 2}", None, type_) for n, type_ in enumerate(types)]
    dev, test = split(questions)
    groups = group_ids(questions)
    assert {groups[q.id] for q in dev}.isdisjoint({groups[q.id] for q in test})
    assert sorted(q.id for q in dev + test) == sorted(q.id for q in questions)
    assert 50 <= len(dev) <= 60
    assert 10 <= sum(q.type == "list" for q in dev) <= 12
    assert split(list(reversed(questions)))[0] == list(reversed(dev))


def test_near_duplicates_are_those_of_different_facts() -> None:
    first = replace(gold("a", "f"), question="how many drones were shot down")
    assert near_duplicates([first, replace(first, id="b", fact="g")]) == [("a", "b")]
    assert near_duplicates([first, replace(first, id="b")]) == []
    assert near_duplicates([first, replace(gold("b", "g"), question="who mediated")]) == []


GOLD_SETS = sorted(gold_folder().glob("*.jsonl"))


@pytest.mark.parametrize("path", GOLD_SETS, ids=lambda path: path.stem)
def test_the_committed_questions_keep_the_format(path: Path) -> None:
    conflicts = read_conflicts(gold_folder() / "conflicts.json")
    for question in read_questions(path):
        assert problems_of(question) == []
        assert {question.conflict, question.touches} <= {None, *conflicts}


def test_every_position_of_a_conflict_stands_at_its_place_in_the_corpus() -> None:
    documents = {document.id: document for document in load_corpus(default_corpus())}
    for conflict in read_conflicts(gold_folder() / "conflicts.json").values():
        for position in conflict.positions:
            document = documents[position.source]
            here = [s for s in document.sentences if same_place(position.locator, position.source, s.locator)]
            held = [found(position.value, document.text[s.start : s.end]) for s in here]
            assert any(held), f"{conflict.id}: {position}"


def test_dev_and_test_share_no_group() -> None:
    if len(GOLD_SETS) < 2:
        pytest.skip("no two gold sets here")
    dev, test = (read_questions(set_path(name)) for name in ("dev", "test"))
    groups = group_ids([*dev, *test])
    assert {groups[q.id] for q in dev}.isdisjoint({groups[q.id] for q in test})
