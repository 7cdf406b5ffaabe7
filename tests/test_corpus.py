"""Source files: front matter, headings, one sentence a line with its place."""

from pathlib import Path
from typing import get_args

import pytest

from nkqa.corpus import deep_link, fingerprint, load_corpus, parse_mark, parse_source, source_files
from nkqa.errors import CorpusError
from nkqa.types import Document, Locator

TOY = Path(__file__).parent / "toy"
LECTURE = (TOY / "sources" / "lecture.md").read_text("utf-8")
REPORT = (TOY / "sources" / "report.md").read_text("utf-8")


def said(document: Document) -> list[str]:
    return [document.text[s.start : s.end] for s in document.sentences]


def test_a_source_is_read_with_every_field() -> None:
    source = parse_source(REPORT, "report.md").source
    assert (source.id, source.type, source.title) == ("report", "report", "Water and Peace")
    assert (source.author, source.publisher) == (("Institute of Lakes",), "Institute of Lakes")
    assert (source.container_title, source.issued) == ("Lake Papers 7", "2011-06-30")
    assert (source.URL, source.language) == ("https://lakes.example/papers/7.pdf", "en")
    assert (source.perspective, source.locator, source.rights) == (
        "outside-analyst",
        "page",
        "Made up for tests.",
    )


def test_given_and_family_name_make_an_author() -> None:
    gazette = (TOY / "sources" / "gazette.md").read_text("utf-8")
    assert parse_source(gazette, "gazette.md").source.author == ("Ada Marlow",)


def test_sentences_keep_heading_paragraph_and_place() -> None:
    document = parse_source(REPORT, "report.md")
    assert said(document)[2].startswith("Rebuilding the harbour")
    third = document.sentences[2]
    assert (third.heading, third.paragraph) == ("Costs", 1)
    assert third.locator == Locator(
        "footnote", "p. 4, fn. 2", "https://lakes.example/papers/7.pdf#page=4", "Costs", page=4, footnote="2"
    )
    assert "[p." not in document.text


def test_headings_nest_and_a_blank_line_parts_paragraphs() -> None:
    body = (
        "\n## A\n\nOne. [p. 1]\nTwo. [p. 1]\n\nThree. [p. 2]\n\n"
        "### B\n\nFour. [p. 2]\n\n## C\n\nFive. [p. 3]\n"
    )
    head = REPORT.split("\n---\n")[0] + "\n---\n"
    document = parse_source(head + body, "x.md")
    places = [(s.heading, s.paragraph) for s in document.sentences]
    assert places == [("A", 0), ("A", 0), ("A", 1), ("A > B", 2), ("C", 3)]
    assert document.text == "A\n\nOne. Two.\n\nThree.\n\nB\n\nFour.\n\nC\n\nFive."


def test_a_number_sign_inside_a_line_is_no_heading() -> None:
    document = parse_source(LECTURE.replace("The fighting lasted", "#1 of all: the fighting lasted"), "x")
    assert "#1 of all: the fighting lasted 8 weeks" in document.text


def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "lecture.md").write_bytes(b"\xef\xbb\xbf" + LECTURE.replace("\n", "\r\n").encode())
    assert load_corpus(tmp_path) == [parse_source(LECTURE, "lecture.md")]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("---\nid", "id", "must begin with front matter"),
        ("id: lecture\n", "", "id: Field required"),
        ("id: lecture", "id: Lecture Hall", "id: String should match"),
        ('issued: "2011-05"', "issued: 2011-13-45", "issued: .*month"),
        ('issued: "2011-05"', "issued: May 2011", "issued: .*must be a date"),
        ('issued: "2011-05"', "issued: " + "9" * 5000, "issued: .*must be a date"),
        ("perspective: outside-analyst", "perspective: friend", "perspective"),
        ("locator: timestamp", "locator: verse", "locator"),
        ("https://video.example/watch?v=lake1", "javascript:alert(1)", "URL"),
        ("  - literal: Otto Brandt", "  - literal: ' '", "author.0: .*needs literal"),
        ("  - literal: Otto Brandt", "  - {}", "author.0: .*needs literal"),
        ("language: en", "language: en\nmood: good", "mood: Extra inputs"),
        ("language: en", "language: en\ntitle: Another", "title: stands there twice"),
        ("language: en", "language: &a en\nrights: *a", "aliases"),
        ("language: en", "language: [&a en, *a]", "aliases"),
        ("language: en", "language: " + "[" * 1500, "not YAML"),
        ("language: en", "language: !!python/object/apply:os.system [id]", "not YAML"),
        ("language: en", "language: " + "n" * 9000, "8192 at most"),
        ("language: en", "language:\ten\n\t- x", "not YAML"),
        ("[00:40]", "", "lecture.md:19: a sentence must end in its timestamp"),
        ("[00:40]", "[p. 3]", "lecture.md:19: a sentence must end in its timestamp"),
        ("[00:40]", "[00:72]", "lecture.md:19:"),
        ("[00:40]", "[sometime]", "lecture.md:19:"),
    ],
)
def test_a_bad_source_is_refused_with_field_or_line(old: str, new: str, says: str) -> None:
    assert old in LECTURE
    with pytest.raises(CorpusError, match=says):
        parse_source(LECTURE.replace(old, new), "lecture.md")


def test_a_source_without_sentences_is_refused() -> None:
    with pytest.raises(CorpusError, match="holds no sentence"):
        parse_source(LECTURE.split("## How")[0], "lecture.md")


@pytest.mark.parametrize("word", ["no", "1.10", "12:30:45", "2020-11-09", "0x10"])
def test_front_matter_keeps_words_as_they_stand(word: str) -> None:
    source = parse_source(LECTURE.replace('"The Lake Dispute Explained"', word), "x").source
    assert source.title == word


def test_front_matter_without_a_link_has_none() -> None:
    source = parse_source(LECTURE.replace("URL: https://video.example/watch?v=lake1", "URL:"), "x").source
    assert source.URL is None


def test_invisible_characters_leave_the_title() -> None:
    source = parse_source(LECTURE.replace("The Lake Dispute", "The \\u202eLake\\u200b Dispute"), "x").source
    assert source.title == "The Lake Dispute Explained"


@pytest.mark.parametrize(
    ("mark", "kind", "page", "footnote", "paragraph", "second"),
    [
        ("p. 9", "page", 9, None, None, None),
        ("pp. 9-10", "page", 9, None, None, None),
        ("p. 9, fn. 41", "footnote", 9, "41", None, None),
        ("p. 9, fn. 41-42", "footnote", 9, "41-42", None, None),
        ("p. 2, para. 3", "paragraph", 2, None, 3, None),
        ("para. 2", "paragraph", None, None, 2, None),
        ("05:56", "timestamp", None, None, None, 356),
        ("1:02:03", "timestamp", None, None, None, 3723),
        ("75:00", "timestamp", None, None, None, 4500),
    ],
)
def test_a_mark_names_a_place(
    mark: str, kind: str, page: int | None, footnote: str | None, paragraph: int | None, second: int | None
) -> None:
    places = [parse_mark(mark, parse_source(t, "x").source, "S") for t in _kinds()]
    (place,) = {p for p in places if p is not None}
    assert (place.kind, place.page, place.footnote) == (kind, page, footnote)
    assert (place.paragraph, place.second, place.section) == (paragraph, second, "S")
    assert mark in place.label


def _kinds() -> list[str]:
    paragraphs = REPORT.replace("locator: page", "locator: paragraph")
    paragraphs = paragraphs.split("## Summary")[0] + "One. [para. 1]\n"
    report = REPORT.replace("https://lakes.example/papers/7.pdf", "https://a.example")
    return [LECTURE, report, paragraphs.replace("https://lakes.example/papers/7.pdf", "https://a.example")]


@pytest.mark.parametrize("mark", ["p. 0", "para. 0", "05:60", "1:99:00", "fn. 3", "p. 3 ", "", "p.3", "p. ٣"])
def test_what_names_no_place_is_none(mark: str) -> None:
    for text in _kinds():
        assert parse_mark(mark, parse_source(text, "x").source, "") is None


def test_links_open_at_the_place() -> None:
    assert deep_link("https://v.example/w?v=1", None, 356) == "https://v.example/w?v=1&t=356s"
    assert deep_link("https://v.example/w", None, 356) == "https://v.example/w?t=356s"
    assert deep_link("https://v.example/w#x", None, 5) == "https://v.example/w?t=5s#x"
    assert deep_link("https://r.example/7.pdf", 9, None) == "https://r.example/7.pdf#page=9"
    assert deep_link("https://r.example/7.pdf#top", 9, None) == "https://r.example/7.pdf#page=9"
    assert deep_link("https://n.example/", None, None) == "https://n.example/"
    assert deep_link(None, 9, 5) is None


def test_a_corpus_is_read_oldest_first() -> None:
    assert [d.id for d in load_corpus(TOY)] == ["lecture", "gazette", "report"]


def test_a_corpus_without_sources_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="NKQA_CORPUS"):
        load_corpus(tmp_path)


def test_a_file_must_bear_its_id(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "other.md").write_text(LECTURE, "utf-8")
    with pytest.raises(CorpusError, match=r"name the file lecture\.md"):
        load_corpus(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_that_is_no_text_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "sources" / "bad.md"
    file.parent.mkdir()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(CorpusError, match=r"bad\.md"):
        load_corpus(tmp_path)


def test_the_fingerprint_is_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    one, two = tmp_path / "sources" / "a.md", tmp_path / "sources" / "b.md"
    seen = {fingerprint(tmp_path)}
    for change in (
        lambda: one.write_text("x"),
        lambda: one.write_text("y"),
        lambda: one.rename(two),
        lambda: (tmp_path / "names.yaml").write_text("[]"),
    ):
        change()
        assert fingerprint(tmp_path) == fingerprint(tmp_path)
        seen.add(fingerprint(tmp_path))
    seen.add(fingerprint(tmp_path, [tmp_path / "names.yaml"]))
    assert len(seen) == 6


def test_every_kind_of_place_is_used_by_some_real_source() -> None:
    real = load_corpus(Path(__file__).parents[1] / "corpus")
    assert {s.locator.kind for d in real for s in d.sentences} == set(
        get_args(Locator.__annotations__["kind"])
    )
    assert len(source_files(Path(__file__).parents[1] / "corpus")) == len(real)
