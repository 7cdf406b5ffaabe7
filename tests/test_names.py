"""The gazetteer: every spelling of a name is one name."""

from pathlib import Path

import pytest

from nkqa.errors import CorpusError
from nkqa.names import Gazetteer, Name, load_names

NAMES = Gazetteer(
    [
        Name("shusha", "place", ("Shusha", "Şuşa", "Шуша"), "A town."),
        Name("nk", "place", ("Nagorno-Karabakh", "NK"), "A region."),
        Name("karabakh-army", "body", ("Karabakh Army",), "An army."),
        Name("who", "body", ("World Health Organization", "WHO"), "A body."),
        Name("us", "place", ("United States", "U.S.", "US"), "A country."),
        Name("azerbaijan", "place", ("Azerbaijan",), "A country."),
    ]
)


def found(text: str) -> list[tuple[str, str]]:
    return [(m.entry.id, text[m.start : m.end]) for m in NAMES.find(text)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Where is ŞUŞA?", [("shusha", "ŞUŞA")]),
        ("Шуша fell", [("shusha", "Шуша")]),
        ("nagorno karabakh", [("nk", "nagorno karabakh")]),
        ("the Nagorno-Karabakh army", [("nk", "Nagorno-Karabakh")]),
        ("the Karabakh army", [("karabakh-army", "Karabakh army")]),
        ("Shusha's fall", [("shusha", "Shusha's")]),
        ("Who saw it? The WHO's men", [("who", "WHO's")]),
        ("NK, nk and Nk", [("nk", "NK")]),
        ("It let us go to the US and the U.S.", [("us", "US"), ("us", "U.S.")]),
        ("Shushanik", []),
    ],
)
def test_names_are_found_whatever_their_spelling(text: str, names: list[tuple[str, str]]) -> None:
    assert found(text) == names


def test_a_name_is_got_by_id_and_by_any_spelling() -> None:
    shusha = NAMES.get("shusha")
    assert shusha is not None
    assert NAMES.get("şuşa") is NAMES.get("ШУША") is shusha
    assert NAMES.get("nowhere") is None
    assert NAMES.get("") is None


@pytest.mark.parametrize("typo", ["azerbajan", "Azerbaijian", "azerbaidjan", "Azerbajan's"])
def test_a_typo_is_the_nearest_name(typo: str) -> None:
    (mention,) = NAMES.find_typos(f"when did {typo} win", frozenset({"when", "did", "win"}))
    assert mention.entry.id == "azerbaijan"
    assert mention.typo


@pytest.mark.parametrize("text", ["azure basin", "Azerbaijan", "shudder", "it"])
def test_what_is_right_or_too_far_is_no_typo(text: str) -> None:
    assert NAMES.find_typos(text, frozenset()) == []


def test_a_word_of_the_corpus_is_no_typo() -> None:
    assert NAMES.find_typos("azerbaijani", frozenset({"azerbaijani"})) == []


def test_part_of_a_name_found_is_no_typo() -> None:
    both = [
        Name("both", "body", ("Karabakh Council",), "A body."),
        Name("near", "body", ("Councill",), "Another."),
    ]
    assert [m.entry.id for m in Gazetteer(both).find_typos("the council", frozenset())] == ["near"]
    assert Gazetteer(both).find_typos("the Karabakh Council", frozenset()) == []


def test_rewriting_puts_the_head_name_in() -> None:
    text = "Did Шуша fall?"
    assert NAMES.rewrite(text, NAMES.find(text)) == "Did Shusha fall?"


def test_nothing_is_an_empty_gazetteer(tmp_path: Path) -> None:
    names = load_names(tmp_path / "names.yaml")
    assert names.entries == ()
    assert names.find("Shusha") == []


ENTRY = "- {id: a, kind: place, names: [Aa], description: A place.}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY + ENTRY.replace("id: a", "id: b"), "'Aa' belongs to 'a' and to 'b'"),
        (ENTRY + ENTRY.replace("[Aa]", "[Bb]"), "two entries have the id 'a'"),
        (ENTRY.replace("[Aa]", '["-"]'), "no word"),
        (ENTRY.replace("[Aa]", "[]"), "names"),
        (ENTRY.replace("place,", "planet,"), "kind"),
        (ENTRY.replace("}", ", latitude: 91}"), "latitude"),
        (ENTRY.replace("[Aa]", "[no]"), "string"),
        ("- [", "names.yaml"),
        ("[" * 5000, "names.yaml"),
        ("a: b", "list"),
    ],
)
def test_a_bad_gazetteer_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "names.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(CorpusError, match=says):
        load_names(file)
