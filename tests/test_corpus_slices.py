"""Over the whole real corpus: whatever points at text points at exactly that text."""

import hashlib
import re
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from nkqa.compose import cite
from nkqa.corpus import load_corpus, source_files
from nkqa.embed import MAX_PIECES, default_folder
from nkqa.names import load_names
from nkqa.passages import cut
from nkqa.settings import Settings, load_settings
from nkqa.tokens import token_counter
from nkqa.types import Document, Passage

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = {f.stem: f for f in source_files(CORPUS)}
DOCUMENTS = {d.id: d for d in load_corpus(CORPUS)}
SETTINGS: Settings = load_settings(corpus=CORPUS)


def passages_of(document: Document) -> list[Passage]:
    return cut(document, token_counter(SETTINGS.tokenizer), SETTINGS.max_tokens)


@pytest.fixture(params=FILES)
def document(request: pytest.FixtureRequest) -> Document:
    return DOCUMENTS[str(request.param)]


def test_every_sentence_is_the_line_that_stands_in_the_file(document: Document) -> None:
    body = FILES[document.id].read_text("utf-8").split("\n---\n", 1)[1]
    lines = [line for line in body.splitlines() if line.strip() and not line.startswith("#")]
    texts = [re.sub(r" \[[^\[\]]*\]$", "", line) for line in lines]
    assert [document.text[s.start : s.end] for s in document.sentences] == texts


def test_every_place_is_the_mark_that_stands_in_the_file(document: Document) -> None:
    body = FILES[document.id].read_text("utf-8").split("\n---\n", 1)[1]
    marks = re.findall(r"(?m)\[([^\[\]]*)\]$", body)
    assert len(marks) == len(document.sentences)
    for mark, sentence in zip(marks, document.sentences, strict=True):
        place = sentence.locator
        assert place.label.endswith(mark)
        assert place.section == sentence.heading.rsplit(" > ", 1)[-1]
        for said, number in (("p", place.page), ("para", place.paragraph)):
            found = re.search(rf"\b{said}{'p?' if said == 'p' else ''}\. (\d+)", mark)
            assert (int(found[1]) if found else None) == number
        if place.second is not None:
            minutes, seconds = mark.split(":")
            assert place.second == int(minutes) * 60 + int(seconds)
            assert place.url == f"{document.source.URL}&t={place.second}s"


def test_every_passage_is_an_exact_slice_of_whole_sentences_of_one_section(document: Document) -> None:
    passages = passages_of(document)
    held = [i for p in passages for i in range(p.first, p.last + 1)]
    assert held == list(range(len(document.sentences)))
    for passage in passages:
        inside = document.sentences[passage.first : passage.last + 1]
        assert document.text[passage.start : passage.end] == passage.text
        assert (passage.start, passage.end) == (inside[0].start, inside[-1].end)
        assert {s.heading for s in inside} == {passage.heading}
        assert passage.index_text.startswith(document.source.title)
        assert passage.index_text.endswith(passage.text)


def test_every_passage_is_within_the_budget_and_read_whole_by_the_model(document: Document) -> None:
    count = token_counter(SETTINGS.tokenizer)
    pieces = Tokenizer.from_file(str(default_folder() / "tokenizer.json"))
    pieces.no_truncation()
    pieces.no_padding()
    for passage in passages_of(document):
        assert count(passage.text) <= SETTINGS.max_tokens
        assert len(pieces.encode(passage.index_text).ids) <= MAX_PIECES


def test_every_citation_is_the_exact_slice_it_points_at(document: Document) -> None:
    for passage in passages_of(document):
        for sentence in range(passage.first, passage.last + 1):
            citation = cite(document, sentence, passage.id, 1)
            assert citation.document == citation.source.id == document.id
            assert citation.quote == document.text[citation.start : citation.end]
            assert citation.sha256 == hashlib.sha256(citation.quote.encode()).hexdigest()
            assert citation.quote in passage.text
            assert citation.locator == document.sentences[sentence].locator


def test_every_name_is_found_where_it_stands(document: Document) -> None:
    names = load_names(CORPUS / "names.yaml")
    mentions = names.find(document.text)
    assert len({m.entry.id for m in mentions}) > 10
    for mention in mentions:
        assert names.get(document.text[mention.start : mention.end]) is mention.entry
