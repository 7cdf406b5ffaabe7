"""Answers to take away."""

from dataclasses import replace

import pytest

from nkqa_ui import export
from ui_samples import PAYLOADS, REPORT, abstained, answered, citation, differing, source


def test_text_has_question_answer_places_and_corpus() -> None:
    text = export.text(differing())
    assert text.startswith("When is Oldmill handed over?\n\nSouthland must leave")
    assert "The sources differ (when Oldmill is handed over): 20 June 2011 [1]; July 2011 [2]" in text
    assert (
        "[2] Ada Marlow: “Water & Peace”, Institute of Lakes, 30 June 2011, p. 5. https://lakes.example"
        in text
    )
    assert text.endswith("nkqa, from 2 sources of 3 May to 30 June 2011 (corpus abcdef012345)")


def test_markdown_has_a_footnote_for_each_citation() -> None:
    markdown = export.markdown(differing())
    assert "by 20 June 2011.[^1]" in markdown
    assert (
        "\n[^2]: Ada Marlow: *Water & Peace*, Institute of Lakes, 30 June 2011, [p. 5](<https://lakes"
        in markdown
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markdown_of_a_hostile_source_has_no_markup(payload: str) -> None:
    hostile = replace(answered(payload, payload), citations=(citation(1, payload, source(title=payload)),))
    unescaped = export.markdown(hostile).replace("\\<", "").replace("\\!", "").replace("\\[", "")
    assert "<script" not in unescaped
    assert "<img" not in unescaped
    assert "![" not in unescaped


def test_markdown_names_what_is_left_open() -> None:
    answer = replace(answered(), unanswered=("who paid?",))
    assert "None of the sources answers: who paid?" in export.markdown(answer)


def test_bibtex_has_an_entry_a_source_with_its_places() -> None:
    bibtex = export.bibtex(differing())
    assert bibtex.count("@") == 2
    assert "@techreport{report," in bibtex
    assert "institution = {Institute of Lakes}," in bibtex
    assert "title = {{Water \\& Peace}}," in bibtex
    assert "note = {Cited: p. 5}," in bibtex
    assert bibtex.count("{") == bibtex.count("}")


def test_bibtex_escapes_what_tex_would_read() -> None:
    hostile = source(title="50% of {it} costs $5 & more_\\input{x}")
    bibtex = export.bibtex(replace(answered(), citations=(citation(1, "Q.", hostile),)))
    assert r"50\% of \{it\} costs \$5 \& more\_\textbackslash{}input\{x\}" in bibtex


def test_ris_has_a_record_a_source_with_a_note_a_sentence() -> None:
    answer = differing()
    both = replace(answer, citations=(*answer.citations, citation(3, "More.", REPORT, "p. 6")))
    ris = export.ris(both)
    assert ris.count("TY  - ") == ris.count("ER  - ") == 2
    assert "TY  - RPRT\nAU  - Ada Marlow\nTI  - Water & Peace" in ris
    assert "DA  - 2011/06/30" in ris
    assert "N1  - p. 6: More." in ris


def test_no_value_can_begin_a_line_of_its_own_in_ris() -> None:
    hostile = source(title="A title\nTY  - FAKE")
    assert "\nTY  - FAKE" not in export.ris(replace(answered(), citations=(citation(1, "Q.", hostile),)))


def test_an_abstention_exports_its_reason_and_nearest_sources() -> None:
    assert "The sources end in June 2011." in export.text(abstained())
    assert "@article{gazette," in export.bibtex(abstained())
