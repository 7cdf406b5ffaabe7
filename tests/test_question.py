"""What is asked: kinds, names, refusals, follow-ups."""

import pytest

from conftest import TOY
from nkqa.asking import asks_one_voice, kind_of
from nkqa.errors import BadQuestion
from nkqa.followup import stand_alone
from nkqa.names import Gazetteer, load_names
from nkqa.question import Question, Vocabulary, check_text, parts_of, understand
from nkqa.text import fold, words
from nkqa.types import Turn

KNOWN = (
    "northland southland westland truce wardens village oldmill lake president boats harbour cost fled when"
)
VOCABULARY = Vocabulary(frozenset(KNOWN.split()), frozenset({2011, 2015}), 2011, 6)


@pytest.fixture(scope="module")
def names() -> Gazetteer:
    return load_names(TOY / "names.yaml")


def ask(text: str, names: Gazetteer, *history: str) -> Question:
    return understand(text, [Turn("user", h) for h in history], names, VOCABULARY)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How many wardens were sent?", "how_many"),
        ("number of wardens", "how_many"),
        ("What did the harbour cost?", "how_much"),
        ("How long will they stay?", "how_long"),
        ("When was the truce signed?", "when"),
        ("by what date must Oldmill be left", "when"),
        ("do you know when it was signed", "when"),
        ("war start when", "when"),
        ("Who brokered it and when?", "when"),
        ("How did Westland react when the truce was signed?", "how"),
        ("who was mayor when the war broke out", "who"),
        ("Did Westland step in when the villagers fled?", "yes_no"),
        ("Where is the council to sit?", "where"),
        ("Who brokered it?", "who"),
        ("Why did Westland wait?", "why"),
        ("what were the reasons", "list"),
        ("List the terms of the truce", "list"),
        ("Did the villagers return?", "yes_no"),
        ("What is the Lake Truce?", "define"),
        ("How do the sources differ on the cost?", "how_much"),
        ("lake truce wardens", "keyword"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("How many does Westland say fled?", True),
        ("according to the Gazette, who broke the truce", True),
        ("whose is the lake as far as the council is concerned", True),
        ("what did Northland want at first", True),
        ("What did Northland say that it wanted?", True),
        ("How many fled?", False),
        ("Who says what on the lake?", False),
        ("How many fled according to the Gazette, and how many according to the council?", False),
        ("How many fled, by the different reports, as they were told?", False),
        ("I read that 6,000 fled, but is that what was claimed?", False),
        ("How many are said to have fled?", False),
        ("What do the sources say about it?", False),
        ("what do Northland and Southland each say about the lake", False),
        ("Do Northland and Southland disagree on what the treaty said?", False),
    ],
)
def test_what_asks_for_one_voice(text: str, one: bool) -> None:
    assert asks_one_voice(text) is one


def test_every_spelling_is_written_as_the_head_name(names: Gazetteer) -> None:
    question = ask("Who left Starimlin?", names)
    assert question.search == "Who left Oldmill?"
    assert "@oldmill" in question.terms


def test_a_typo_in_a_name_is_mended(names: Gazetteer) -> None:
    assert ask("when was oldmil left?", names).search == "when was Oldmill left?"


def test_without_the_gazetteer_nothing_is_widened(names: Gazetteer) -> None:
    question = understand("Who left Starimlin?", [], names, VOCABULARY, widen=False)
    assert not [t for t in question.terms if t.startswith("@")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Сколько человек бежало?", "unsupported_language"),
        ("combien de soldats sont dans le village", "unsupported_language"),
        ("???", "unclear"),
        ("asdf", "unclear"),
        ("What happened in Northland in 2019?", "after_corpus"),
        ("Did the council meet in 2015?", "after_corpus"),
        ("What happened in September 2011?", "after_corpus"),
        ("Who ruled Northland in 1950?", "before_corpus"),
        ("Who has more right to the lake?", "opinion_or_prediction"),
        ("Should I travel to Oldmill?", "opinion_or_prediction"),
        ("So was the envoy a traitor, yes or no?", "opinion_or_prediction"),
        ("Will there be war again?", "opinion_or_prediction"),
    ],
)
def test_what_the_words_alone_refuse(text: str, reason: str, names: Gazetteer) -> None:
    assert ask(text, names).refusal == reason


@pytest.mark.parametrize(
    "text",
    [
        "What should Northland do, according to the Institute of Lakes?",
        "What may the council do in 2015?",
        "How many fled in May 2011?",
        "Why did Westland wait?",
        "lake truce wardens",
    ],
)
def test_what_is_not_refused(text: str, names: Gazetteer) -> None:
    assert ask(text, names).refusal is None


@pytest.mark.parametrize(
    ("history", "text", "standing"),
    [
        ("How many fled from Northland?", "and Southland?", "How many fled from Southland?"),
        ("How many fled from Northland?", "What about Southland then?", "How many fled from Southland?"),
        ("Who is Vera Lund?", "What did she promise?", "What did Vera Lund promise?"),
        ("How many wardens are there?", "Why?", "Why: How many wardens are there?"),
        ("How many wardens are there?", "When was the Lake Truce signed in Port Amber?",
         "When was the Lake Truce signed in Port Amber?"),
    ],
)  # fmt: skip
def test_follow_ups_stand_alone(history: str, text: str, standing: str, names: Gazetteer) -> None:
    assert stand_alone(text, [Turn("user", history), Turn("assistant", "Something.")], names) == standing


@pytest.mark.parametrize(
    ("history", "text", "standing"),
    [
        ("how many wardens are there?", "when do they leave?", "when do the wardens leave?"),
        ("How many boats did Southland send?", "Where are they?", "Where are the boats (Southland)?"),
        ("What is the harbour tax?", "Who pays it?", "Who pays the harbour tax?"),
        ("When did Port Amber fall?", "who took it", "who took Port Amber?"),
        ("Who signed the truce?", "what does it say", "what does the truce say?"),
        ("How many boats were lost?", "and people?", "How many people were lost?"),
        ("How many fled in 2011?", "and in 2015?", "How many fled in 2015?"),
        ("What does Northland ask?", "of Southland?", "What does Northland ask of Southland?"),
        ("What does Northland promise?", "to the fishermen?", "What does Northland promise to the fishermen?"),
        # Where it cannot be told what is meant, the earlier question stands beside this one.
        ("Has clearing begun in Northland?", "who does it?", "who does it (Has clearing begun in Northland)?"),
        ("Why did the truce fail?", "was that foreseen?", "was that foreseen (Why did the truce fail)?"),
    ],
)  # fmt: skip
def test_a_pronoun_stands_for_what_was_asked_about(
    history: str, text: str, standing: str, names: Gazetteer
) -> None:
    assert stand_alone(text, [Turn("user", history)], names) == standing


def test_the_kind_is_that_of_the_follow_up(names: Gazetteer) -> None:
    assert ask("when do they leave?", names, "how many wardens are there?").kind == "when"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who lost more, Southland or Northland?", "Who lost more, Northland or Southland?"),
        ("what do Westland, Southland and Northland say", "what do Westland, Northland and Southland say"),
        ("Southland vs the Northland", "Northland vs the Southland"),
    ],
)
def test_which_party_is_named_first_makes_no_difference(one: str, other: str, names: Gazetteer) -> None:
    assert ask(one, names).search == ask(other, names).search


def test_names_that_nothing_joins_stay_where_they_are(names: Gazetteer) -> None:
    text = "How many fled from Southland to Northland?"
    assert ask(text, names).search == text


@pytest.mark.parametrize("text", ["", " \t\n", "\u200b\ufeff", "x" * 1001, "a\ud800"])
def test_what_cannot_be_asked(text: str) -> None:
    with pytest.raises(BadQuestion):
        check_text(text)


def test_control_characters_are_no_part_of_a_question() -> None:
    assert check_text("a\u0000b\u202ec  d") == "a bc d"


def test_words_and_folds_keep_offsets() -> None:
    text = "Xankəndi’s İstanbul"
    assert len(fold(text)) == len(text)
    assert all(text[w.start : w.end] == w.text for w in words(text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "How many boats came to Oldmill, and who sent the wardens?",
            ("How many boats came to Oldmill", "who sent the wardens?"),
        ),
        (
            "When was the Lake Truce signed and by whom was Oldmill left?",
            ("When was the Lake Truce signed", "by whom was Oldmill left?"),
        ),
        ("Why did Northland and Westland stop?", ()),
        ("Who came and when?", ()),
        ("Who came first" + " and who came after that" * 3, ()),
    ],
)
def test_two_questions_in_one_are_parted(text: str, parts: tuple[str, ...], names: Gazetteer) -> None:
    found = parts_of(text, names)
    assert len(found) == len(parts)
    assert all(given.startswith(part.rstrip("?")) for given, part in zip(found, parts, strict=True))


def test_a_part_that_leans_on_the_first_takes_up_what_it_needs(names: Gazetteer) -> None:
    first, second = parts_of("Who is Vera Lund and what did she say?", names)
    assert first == "Who is Vera Lund"
    assert "Vera Lund say" in second
