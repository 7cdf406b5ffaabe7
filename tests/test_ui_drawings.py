"""Timeline, map, sources and wording."""

from itertools import pairwise

import pytest

from nkqa.engine import Engine
from nkqa.names import Gazetteer, Name
from nkqa.types import Document, Locator, Sentence, Source
from nkqa_ui import map as places
from nkqa_ui import sources, timeline, wording
from test_ui_render import check
from ui_samples import PAYLOADS, differing


def document(*texts: str) -> Document:
    source = Source(
        "report", "report", "Water", ("A. B.",), "Lakes", "", "2011-06-30", "https://l.example/", "en",
        "outside-analyst", "page", "Rights.",
    )  # fmt: skip
    sentences, text = [], ""
    for number, one in enumerate(texts):
        start = len(text)
        text += one + " "
        sentences.append(
            Sentence(start, start + len(one), "Costs", number // 2, Locator("page", f"p. {number}", None))
        )
    return Document("report", source, text, tuple(sentences))


def test_events_are_ordered_and_each_date_comes_once() -> None:
    events = timeline.of_documents(
        [
            document(
                "It ended on 2 May 2011.",
                "In May 2011 it rained.",
                "In 1994 and the 1990s.",
                "Again on 2 May 2011.",
            )
        ]
    )
    assert [e.when for e in events] == ["1990s", "1994", "2011-05", "2011-05-02"]
    assert [e.label for e in events] == ["1990s", "1994", "May 2011", "2 May 2011"]
    assert len(events[-1].entries) == 2


def test_impossible_dates_are_left_out() -> None:
    assert timeline.of_documents([document("On 31 February 2011 nothing happened.")]) == []


def test_dates_on_which_sources_differ_are_marked() -> None:
    events = timeline.of_answer(differing())
    assert {e.when: e.differ for e in events} == {"2011-06-20": True, "2011-07": True}
    assert "The sources differ" in timeline.draw(events, "t1")


def test_a_dot_has_a_place_within_the_drawing_however_many_there_are() -> None:
    texts = [
        f"On {d} {m} 2020 it rained." for m in ("September", "October", "November") for d in range(1, 29)
    ]
    events = timeline.of_documents([document("In 1988.", "In 1994.", *texts, "In 2023.")])
    spans = timeline.bands(events)
    assert len(spans) == 3
    assert all(a.right < b.left for a, b in pairwise(spans))
    tags = check(timeline.draw(events, "tl"))
    dots = [a for name, a in tags.seen if name == "circle"]
    assert len(dots) == len(events)
    assert all(0 < float(a["cx"] or 0) < timeline.WIDTH for a in dots)
    assert all(0 < float(a["cy"] or 0) < timeline.HEIGHT for a in dots)


def test_few_dates_are_written_at_the_axis() -> None:
    html = timeline.draw(timeline.of_documents([document("On 2 May 2011.", "On 9 June 2011.")]), "tl")
    assert ">2 May 2011</text>" in html
    assert ">9 June 2011</text>" in html


def test_one_date_alone_can_be_drawn_and_none_is_said() -> None:
    check(timeline.draw(timeline.of_documents([document("On 2 May 2011.")]), "tl"))
    assert "No sentence here names a date" in timeline.draw([], "tl")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_drawings_escape(payload: str) -> None:
    texts = (f"{payload} on 2 May 2011.", f"{payload} Oldmill.")
    names = Gazetteer([Name("oldmill", "place", ("Oldmill", payload), payload, 9.4, 20.1)])
    check(timeline.draw(timeline.of_documents([document(*texts)]), "tl"))
    check(places.draw(places.of_documents([document(*texts)], names)))
    check(sources.view(document(*texts), 0, 5))
    check(sources.card(document(*texts)))


def test_places_are_labelled_as_the_text_spells_them() -> None:
    names = Gazetteer([Name("oldmill", "place", ("Oldmill", "Starimlin"), "A village.", 9.4, 20.1)])
    (place,) = places.places_in(["Starimlin, then Starimlin, then Oldmill."], names)
    assert place.label == "Starimlin"
    assert place.others == ["Oldmill"]
    html = places.draw([place])
    assert "Starimlin. A village. Also: Oldmill." in html
    assert "No borders are drawn" in html


def test_places_without_coordinates_are_left_out() -> None:
    names = Gazetteer([Name("pact", "agreement", ("Pact",), "A pact.")])
    assert places.places_in(["The Pact."], names) == []
    assert "No place" in places.draw([])


def test_people_are_not_places() -> None:
    names = Gazetteer([Name("northland", "place", ("Northland", "Northlanders"), "x", 10, 20.0)])
    assert places.places_in(["The Northlanders and Northlanders' boats."], names) == []
    assert places.places_in(["Northland, the Northlanders."], names)[0].spellings == {"Northland": 1}


def test_far_places_are_named_and_not_drawn() -> None:
    near = [Name(f"n{i}", "place", (f"Near{i}",), "x", 40 + i / 10, 46.0) for i in range(4)]
    names = Gazetteer([*near, Name("far", "place", ("Faraway",), "x", -30, 120.0)])
    html = places.draw(places.places_in(["Near0 Near1 Near2 Near3 Faraway"], names))
    assert "Farther away: Faraway." in html
    assert "Map of 4 places" in html


def test_labels_do_not_cover_each_other() -> None:
    taken: list[places.Box] = []
    for _ in range(8):
        spot = places.label_spot(300, 200, 80, taken)
        if spot is None:
            break
        assert not any(places._meets(spot[0], other) for other in taken)
        taken.append(spot[0])
    assert len(taken) == 4


def test_north_is_up_and_east_is_right() -> None:
    shown = places.frame([(39.0, 45.0), (41.0, 47.0)])
    assert shown.at(41, 46)[1] < shown.at(39, 46)[1]
    assert shown.at(40, 45)[0] < shown.at(40, 47)[0]


def test_the_view_of_a_source_marks_the_sentence_and_keeps_every_other(toy_engine: Engine) -> None:
    found = toy_engine.document("report")
    sentence = found.sentences[4]
    html = sources.view(found, sentence.start, sentence.end)
    assert f'<mark id="here" tabindex="-1">{found.text[sentence.start : sentence.end]}</mark>' in html
    assert html.count('class="s"') == len(found.sentences)
    assert "Marked below: <b>p. 5</b>" in html
    assert "in this project&#x27;s own words" in html
    assert "https://lakes.example/papers/7.pdf#page=5" in html
    check(html)


def test_the_view_without_a_place_marks_nothing(toy_engine: Engine) -> None:
    html = sources.view(toy_engine.document("lecture"))
    assert "<mark" not in html
    assert "watch?v=lake1&amp;t=12s" in html


def test_dates_in_words() -> None:
    assert wording.day("2020-12-22") == "22 December 2020"
    assert wording.day("2020-11") == "November 2020"
    assert wording.day("soon") == "soon"
    assert wording.day("2020-13") == "2020-13"
    assert wording.with_dates("It ends in 2020-12-22.") == "It ends in 22 December 2020."
    assert wording.between("2020-11-16", "2020-12-22") == "16 November to 22 December 2020"
    assert wording.between("2020-11", "2020-11-16") == "November 2020"
    assert wording.between("2019-11-16", "2020-12-22") == "16 November 2019 to 22 December 2020"


def test_lists_and_counts_in_words() -> None:
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.count(1, "source") == "1 source"
    assert wording.count(1960, "sentence") == "1,960 sentences"
