"""Strings that keep their offsets: clean, fold, words, sentences, search terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkqa.text import clean, fold, normal_number, sentences, term, terms, words

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  a \t b\r\n c ", "a b c"),
        ("cease\u00adfire", "ceasefire"),
        ("a\u200b", "a"),
        ("\ufeffShusha", "Shusha"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u0000b", "a b"),
        ("a\u0085b\u2028c", "a b c"),
        ("cafe\u0301", "café"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("own\ue000use", "own use"),
        ("\u200b \u2060", ""),
    ],
)
def test_clean_leaves_what_a_reader_sees(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_half_a_character_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        clean(text)


@given(TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(TEXT)
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Şuşa", "susa"), ("ΣΑΣ", "σασ"), ("Straße", "strase"), ("İlham Əliyev", "ilham eliyev"), ("’–", "'-")],
)
def test_folding_takes_case_and_accents_away(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(TEXT)
def test_words_are_slices_in_order(text: str) -> None:
    at = 0
    for word in words(text):
        assert word.start >= at
        assert text[word.start : word.end] == word.text
        at = word.end


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("U.S. and S-300s, 1,960 men", ["U.S.", "and", "S", "300s", "1,960", "men"]),
        ("the S-300 system", ["the", "S-300", "system"]),
        ("Russian-brokered", ["Russian", "brokered"]),
        ("Armenia's 4th day at 12:30", ["Armenia's", "4th", "day", "at", "12:30"]),
        ("2020s; 3.5%", ["2020s", "3.5"]),
        ("Шуша, Şuşa", ["Шуша", "Şuşa"]),
        ("!? ...", []),
    ],
)
def test_words_keep_numbers_abbreviations_and_models_whole(text: str, found: list[str]) -> None:
    assert [w.text for w in words(text)] == found


@given(TEXT)
def test_sentences_are_trimmed_slices_that_lose_no_text(text: str) -> None:
    at = 0
    for span in sentences(text):
        assert not text[at : span.start].strip()
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        at = span.end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Dr. Lund left. She wept.", ["Dr. Lund left.", "She wept."]),
        ("It cost $3.5 million. No more.", ["It cost $3.5 million.", "No more."]),
        ("An 😀 here. Two.", ["An 😀 here.", "Two."]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, parts: list[str]) -> None:
    assert [text[s.start : s.end] for s in sentences(text)] == parts


@pytest.mark.parametrize(
    ("word", "digits"),
    [("five", "5"), ("5th", "5"), ("1,960", "1960"), ("third", "3"), ("1,96", None), ("war", None)],
)
def test_numbers_are_brought_to_digits(word: str, digits: str | None) -> None:
    assert normal_number(word) == digits


@pytest.mark.parametrize(
    ("word", "expected"),
    [("the", ""), ("us", ""), ("US", "us"), ("U.S.", "us"), ("villagers", "villag"), ("Village's", "villag")],
)
def test_a_term_is_the_stem_of_a_word_that_says_something(word: str, expected: str) -> None:
    assert term(word) == expected


def test_terms_meet_across_spellings() -> None:
    assert terms("Five wardens") == terms("5 warden") == ["5", "warden"]


def test_a_million_spaces_are_no_trouble() -> None:
    assert clean(" " * 1_000_000 + "x") == "x"
    assert len(words("a" * 1_000_000)) == 1
