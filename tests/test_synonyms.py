"""Words that stand for each other, in search and in what a sentence covers."""

from nkqa.evidence import BY_SYNONYM, Claims
from nkqa.lexical import BM25
from nkqa.lexical import BY_SYNONYM as IN_SEARCH
from nkqa.names import Gazetteer
from nkqa.synonyms import alike, synonyms
from nkqa.text import terms


def test_synonyms_go_both_ways() -> None:
    table = synonyms()
    assert all(one in table[other] for one, others in table.items() for other in others)
    assert all(one not in others for one, others in table.items())


def test_groups_that_share_a_word_are_not_joined() -> None:
    assert "escap" in alike("fled")
    assert all(len(others) < 40 for others in synonyms().values())


def test_no_name_of_a_side_has_a_synonym() -> None:
    sides = (
        "Armenia Armenian Azerbaijan Azerbaijani Karabakh Artsakh Russia Russian Turkey Turkish Baku Yerevan"
    )
    assert not any(alike(term) for term in terms(sides))


def test_no_loaded_word_stands_for_a_plain_one() -> None:
    for loaded in terms("occupied liberated separatist terrorist regime"):
        assert not any(alike(loaded) & alike(plain) for plain in terms("captured controlled held taken"))


def test_search_finds_by_synonym_and_ranks_the_word_itself_first() -> None:
    passages = ["the residents fled home", "the residents escaped home", "the residents sang at home"]
    index = BM25.build([terms(p) for p in passages])
    said, meant, neither = index.scores(terms("fled"))
    assert said > meant > neither == 0.0
    assert meant < said * (IN_SEARCH + 0.1)


def test_a_synonym_covers_less_than_the_word() -> None:
    claims = Claims([], Gazetteer())
    whole = claims.coverage(["fled"], frozenset({"fled"}))
    assert claims.coverage(["fled"], frozenset({"escap"})) == BY_SYNONYM * whole
    assert claims.coverage(["fled"], frozenset({"sang"})) == 0.0
