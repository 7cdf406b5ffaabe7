"""Every format is read into sentences with their places, repaired, and can be written and read back."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from nkqa.corpus import parse_source
from nkqa.formats import Limits, document_from_paragraphs, ingest, read_files, to_source_markdown
from nkqa.formats.child import read_one
from nkqa.formats.cut import BUDGET, counter
from nkqa.formats.draft import slug
from nkqa.formats.repair import decode, joined, tidy, vocabulary
from nkqa.passages import cut
from nkqa.types import Document

DATA = Path(__file__).parent / "data_formats"
Placed = list[tuple[str, str]]


def pdf(pages: Sequence[Sequence[tuple[float, float, float, str]]], info: str = "") -> bytes:
    """Return a PDF with lines of text, each at x and y from below, in a size."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        f"<<{info}>>",
    ]
    kids = []
    for lines in pages:
        text = "".join(f"BT /F1 {size} Tf {x} {y} Td ({words}) Tj ET\n" for x, y, size, words in lines)
        objects.append(f"<</Length {len(text.encode('latin-1'))}>>\nstream\n{text}endstream")
        font = "/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 595 842]"
        objects.append(f"<</Type/Page/Parent 2 0 R{font}/Contents {len(objects)} 0 R>>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start = len(out)
    trailer = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R/Info 4 0 R>>\nstartxref\n{start}\n%%EOF\n"
    return out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def read(file: Path) -> Document:
    """Read a file as the child process does, but in this one, and check what must hold of every document."""
    document = parse_source(read_one(file, slug(file.stem), "2020-01-01", Limits()), file.name)
    assert all(0 <= s.start < s.end <= len(document.text) for s in document.sentences)
    assert parse_source(to_source_markdown(document), "it") == document
    assert cut(document, counter(), BUDGET)
    return document


def placed(document: Document) -> Placed:
    return [(document.text[s.start : s.end], s.locator.label) for s in document.sentences]


def write(folder: Path, name: str, text: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


# --- plain text --------------------------------------------------------------------------------------------


def test_pages_footnotes_and_broken_words_of_a_text_taken_from_a_pdf() -> None:
    document = read(DATA / "report.txt")
    found = dict(placed(document))
    broken = next(t for t in found if t.startswith("The river rose by 2.5 metres"))
    assert broken.endswith("the highest level since measurements began.")
    assert found[broken] == "p. 1"
    across = next(t for t in found if t.startswith("When it was mended"))
    assert across.endswith("a second gauge was needed above the weir to measure the tributary as well.")
    assert found[across] == "pp. 1-2"
    assert found["Interview with the keeper of the gauge, Lower Ash, 2 June 2018."] == "p. 1, fn. 1"
    assert found["Council minutes, 9 September 2018."] == "p. 2, fn. 3"
    assert found["Letter of the ferrymen to the council, 1 October 2018."] == "p. 2, fn. 4"
    assert found["The council will decide in June."] == "p. 3"
    assert found["Council minutes, 4 January 2019."] == "p. 3, fn. 5"
    assert "The North-South bridge has to be raised by 40 centimetres." in found


def test_what_a_text_says_of_itself() -> None:
    source = read(DATA / "report.txt").source
    assert (source.title, source.issued) == ("River Levels in the Upper Valley", "2019-05-03")
    assert (source.perspective, source.URL, source.author) == ("outside-analyst", None, ("not stated",))


def test_headings_of_plain_text() -> None:
    document = read(DATA / "report.txt")
    headings = list(dict.fromkeys(s.heading for s in document.sentences))
    assert headings == [
        "Findings",
        "Findings > Notes",
        "What Remains to Be Done",
        "What Remains to Be Done > Notes",
    ]


def test_paragraphs_of_plain_text(tmp_path: Path) -> None:
    text = "A short heading\r\n\r\nFirst paragraph. It has two sentences.\r\n\r\n"
    text += "Second\u00a0paragraph of soft\u00adware.\r\n"
    document = read(write(tmp_path, "a b.txt", text))
    assert document.id == "a-b"
    assert document.source.title == "A short heading"
    assert placed(document) == [
        ("First paragraph.", "para. 1"),
        ("It has two sentences.", "para. 1"),
        ("Second paragraph of software.", "para. 2"),
    ]


def test_form_feeds_part_pages(tmp_path: Path) -> None:
    found = placed(read(write(tmp_path, "a.txt", "One is here.\n\fTwo is here.\n\fThree is here.\n")))
    assert found == [("One is here.", "p. 1"), ("Two is here.", "p. 2"), ("Three is here.", "p. 3")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Şuşa and Stepanakert are towns."),
        ("utf-16", "Շուշի and Шуша are names of one town."),
        ("cp1251", "Город Шуша стоит на горе. Дорога туда ведёт через лес и поля, мимо старых домов."),
        ("latin-1", "Le café de la gare est fermé. L'été dernier, il était encore ouvert à toute heure."),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    found = placed(read(write(tmp_path, "a.txt", text.encode(encoding))))
    assert " ".join(t for t, _ in found) == text


def test_a_word_broken_at_a_line_end() -> None:
    known = vocabulary("a well-known word and measurements")
    assert joined("the mea-", "surements of", known) == "the measurements of"
    assert joined("a well-", "known man", known) == "a well-known man"
    assert joined("the Nagorno-", "Karabakh war", known) == "the Nagorno-Karabakh war"
    assert joined("pre-", "vent any", known, "|") == "pre|vent any"


def test_tidy_resolves_ligatures_and_spaces() -> None:
    assert tidy("e\ufb03cient\u00a0o\ufb00er\r\nsoft\u00ad\nware\u200b") == "efficient offer\nsoftware"
    assert tidy("Contents ........ 7") == "Contents  … 7"


def test_declared_encoding_is_believed_after_utf8() -> None:
    assert decode("café".encode("cp1252"), "windows-1252") == "café"
    assert decode("café".encode(), "windows-1252") == "café"


# --- Markdown and HTML -------------------------------------------------------------------------------------


def test_linked_times_stand_with_the_words_before_them() -> None:
    document = read(DATA / "notes.md")
    assert placed(document) == [
        ("The harbour was dug in 1902.", "00:05"),
        ("It was widened twice.", "05:56"),
        ("There were two:", "06:10"),
        ("Silt had filled the basin.", "1:06:20"),
        ("Ships were larger.", "1:06:25"),
    ]
    assert document.sentences[1].locator.url == "https://www.youtube.com/watch?v=abcDEF12345&t=356s"
    assert document.sentences[1].locator.second == 356
    source = document.source
    assert (source.title, source.author, source.issued) == (
        "Harbour talk",
        ("Ann Lee", "Bo Ek"),
        "2021-03-04",
    )
    assert (source.type, source.locator) == ("broadcast", "timestamp")


def test_headings_and_paragraphs_of_markdown(tmp_path: Path) -> None:
    text = (
        "# A title\n\nBy Ann Lee\n\n3 May 2019\n\nBefore all. [A link](http://x.example) ![p](http://evil.example/p)\n\n"
        "## One\n\nFirst **bold**\nline.\n\nA sentence that a page\n\nTHE REVIEW\n\nbreak cut in two.\n\n- An item\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n<!-- hidden -->\n\n<https://example.org/a>\n"
    )
    document = read(write(tmp_path, "x.md", text))
    assert placed(document) == [
        ("Before all.", "para. 1"),
        ("A link", "para. 1"),
        ("First bold line.", "One, para. 1"),
        ("A sentence that a page break cut in two.", "One, para. 2"),
        ("An item", "One, para. 3"),
        ("a; b", "One, para. 4"),
        ("1; 2", "One, para. 5"),
    ]
    source = document.source
    assert (source.title, source.author, source.issued) == ("A title", ("Ann Lee",), "2019-05-03")
    assert source.URL == "https://example.org/a"


def test_the_source_format_is_read_as_it_is(tmp_path: Path) -> None:
    first = read(DATA / "report.txt")
    again = read(write(tmp_path, "other-name.md", to_source_markdown(first)))
    assert again == first


def test_main_text_of_html() -> None:
    document = read(DATA / "page.html")
    text = document.text
    assert "Home" not in text
    assert "Copyright" not in text
    assert "secret" not in text
    assert "The café on the quay stayed." in text
    assert ("It is still used.", "para. 1") in placed(document)
    grew = [label for quote, label in placed(document) if quote.startswith("In 1950")]
    assert grew == ["How it grew, para. 1"]
    source = document.source
    assert (source.title, source.author, source.issued) == ("The old harbour", ("Ann Lee",), "2020-11-20")
    assert (source.publisher, source.URL) == ("Valley Courier", "https://example.org/harbour")


def test_hostile_html_is_text_only(tmp_path: Path) -> None:
    text = '<p onclick="x()">Plain <script>alert(1)</script>words are here, and nothing else at all.</p>' * 3
    document = read(write(tmp_path, "x.html", text))
    assert "alert" not in document.text
    assert "<" not in document.text


# --- transcripts -------------------------------------------------------------------------------------------


def test_webvtt_and_subrip() -> None:
    assert placed(read(DATA / "talk.vtt")) == [
        ("Ann: Welcome to the talk.", "00:01"),
        ("Today we look at the harbour.", "00:01"),
        ("Bo: It is old.", "05:56"),
    ]
    assert placed(read(DATA / "talk.srt")) == [
        ("Welcome to the talk.", "00:01"),
        ("Today we look at the harbour.", "00:01"),
        ("It is old.", "1:05:56"),
    ]


def test_captions_without_punctuation_are_put_together(tmp_path: Path) -> None:
    times = [f"00:{i // 60:02d}:{i % 60:02d}" for i in range(90)]
    cues = [f"{time}.000 --> {time}.900\nword{i} and more words\n" for i, time in enumerate(times)]
    document = read(write(tmp_path, "x.vtt", "WEBVTT\n\n" + "\n".join(cues)))
    assert 5 < len(document.sentences) < 20
    assert document.sentences[1].locator.second == 8


def test_lines_that_begin_with_a_time(tmp_path: Path) -> None:
    text = "[00:10] First words.\n[00:20] Second words,\nthat go on.\n(1:02:03) Third.\n"
    document = read(write(tmp_path, "x.txt", text))
    assert placed(document) == [
        ("First words.", "00:10"),
        ("Second words, that go on.", "00:20"),
        ("Third.", "1:02:03"),
    ]


# --- PDF ---------------------------------------------------------------------------------------------------


def _page(
    number: int, body: Sequence[str], notes: Sequence[tuple[str, str]]
) -> list[tuple[float, float, float, str]]:
    lines: list[tuple[float, float, float, str]] = [(200, 800, 9, "A Study of Ferries")]
    lines += [(72, 740 - 14 * i, 11, text) for i, text in enumerate(body)]
    for i, (mark, text) in enumerate(notes):
        lines += [(72, 123 - 11 * i, 6, mark), (78, 120 - 11 * i, 8.5, text)]
    return [*lines, (290, 40, 9, str(number))]


ONE = [
    "The ferries of the valley carry goods and people across the river in",
    "all seasons but the winter, and they are the only way to reach the",
    "eastern bank before the bridge is built, which the council wants to",
]
TWO = [
    "begin in the spring of the coming year. The cost is not known, and",
    "nobody has asked for it in writing so far, as the minutes show. That",
    "will have to change before the money can be voted by the council.",
]
THREE = [
    "The ferrymen agree with the plan on the whole, but ask for a third",
    "landing place north of the mill, where the current is slower than at",
    "the old landing place, and where there is room for carts to turn.",
]


def test_pdf_pages_footnotes_and_running_heads(tmp_path: Path) -> None:
    data = pdf(
        [_page(1, ONE, [("1", "Council minutes, 2 May 1910.")]), _page(2, TWO, []), _page(3, THREE, [])],
        "/Title(A Study of Ferries)/Author(Bo Ek)/CreationDate(D:19110607)",
    )
    document = read(write(tmp_path, "ferries.pdf", data))
    found = dict(placed(document))
    across = next(t for t in found if t.startswith("The ferries"))
    assert across.endswith("which the council wants to begin in the spring of the coming year.")
    assert found[across] == "pp. 1-2"
    assert found["Council minutes, 2 May 1910."] == "p. 1, fn. 1"
    assert "A Study" not in document.text
    assert set(found.values()) >= {"p. 2", "p. 3"}
    assert (document.source.title, document.source.author, document.source.issued) == (
        "A Study of Ferries", ("Bo Ek",), "1911-06-07",
    )  # fmt: skip


def test_pdf_headings_and_raised_references(tmp_path: Path) -> None:
    lines = [
        (72.0, 760.0, 16.0, "The Landing Places"),
        (72.0, 730.0, 11.0, "There are two landing places on the river, both of them in a bad state."),
        (436.0, 734.0, 6.0, "1"),
        (72.0, 716.0, 11.0, "They were built by the county in the years before the great flood came."),
        (72.0, 123.0, 6.0, "1"),
        (78.0, 120.0, 8.5, "County accounts, 1899."),
    ]
    found = read(write(tmp_path, "x.pdf", pdf([lines])))
    assert dict(placed(found)) == {
        "There are two landing places on the river, both of them in a bad state.": "p. 1",
        "They were built by the county in the years before the great flood came.": "p. 1",
        "County accounts, 1899.": "p. 1, fn. 1",
    }


def test_pdf_is_read_as_it_is_printed_not_as_it_was_written(tmp_path: Path) -> None:
    def column(x: float, words: str) -> list[tuple[float, float, float, str]]:
        return [(x, 700 - 14 * i, 11, f"the {words} of the line {i} goes on and") for i in range(6)]

    body = [*column(72, "left"), *column(320, "right")]
    late = [(72.0, 760.0, 18.0, "A Late Heading"), (300.0, 20.0, 9.0, "1")]
    document = read(write(tmp_path, "x.pdf", pdf([[late[1], *body, (320, 616, 11, "ends here."), late[0]]])))
    text = document.text
    assert document.source.title == "A Late Heading"
    assert text.startswith("the left of the line 0")
    assert text.index("left of the line 5") < text.index("right of the line 0") < text.index("ends here.")
    assert len(document.sentences) == 1


def test_powers_are_no_references(tmp_path: Path) -> None:
    lines = [
        (72.0, 730.0, 11.0, "The valley measures 40 km"),
        (206.5, 734.0, 6.0, "2"),
        (213.0, 730.0, 11.0, "in all, as the survey found."),
        (346.0, 734.0, 6.0, "7"),
    ]
    found = placed(read(write(tmp_path, "x.pdf", pdf([lines]))))
    assert found == [("The valley measures 40 km2 in all, as the survey found.", "p. 1")]


# --- writing -----------------------------------------------------------------------------------------------


def test_ingest_writes_what_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(DATA, folder)
    done = ingest([folder], tmp_path / "out")
    assert [r.path.name for r in done.refused] == []
    assert len(done.documents) == 5
    for document in done.documents:
        file = tmp_path / "out" / f"{document.id}.md"
        assert parse_source(file.read_text("utf-8"), file.name) == document
    again = ingest([folder], tmp_path / "out")
    assert not again.documents
    assert all("is there already" in r.reason for r in again.refused)


def test_ids_are_unique(tmp_path: Path) -> None:
    for folder, text in (("a", "One."), ("b", "Two."), ("c", "Two.")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "Same Name.txt", text)
    write(tmp_path, "Շուշի.txt", "Three.")
    found = read_files([tmp_path], taken={"same-name"})
    ids = [d.id for d in found.documents]
    assert ids[:2] == ["same-name-2", "same-name-3"] or ids[1:] == ["same-name-2", "same-name-3"]
    assert len(set(ids)) == 3
    assert ["has the same text" in r.reason for r in found.refused] == [True]


def test_paragraphs_in_hand_are_written_too() -> None:
    document = document_from_paragraphs("ab", "A title", ["One is here. Two is here.", "Three."])
    again = parse_source(to_source_markdown(document), "it")
    assert placed(again) == placed(document)
    broken = document_from_paragraphs("ab", "A title", ["One\nis here.", "# Two is here."])
    again = parse_source(to_source_markdown(broken), "it")
    assert [quote for quote, _ in placed(again)] == ["One is here.", "Two is here."]


def test_a_year_alone_is_taken_for_its_january(tmp_path: Path) -> None:
    document = read(
        write(tmp_path, "x.md", "---\ndate: 2019\nauthor: Ann Lee\n---\nBy Ann Lee\n\nBy night it rained.\n")
    )
    assert document.source.issued == "2019-01"
    assert placed(document) == [("By night it rained.", "para. 1")]


def test_deep_headings_come_back(tmp_path: Path) -> None:
    levels = "".join(
        f"{'#' * level} Level {level}\n\nText {level} is here.\n\n" for level in (1, 2, 3, 4, 5, 6, 3, 2)
    )
    document = read(write(tmp_path, "x.md", "Before all.\n\nA second.\n\n" + levels))
    deepest = max(document.sentences, key=lambda s: s.heading.count(" > "))
    assert deepest.heading.startswith("Level 1 > Level 2 > Level 3 > Level 4 > ")
    assert document.sentences[-1].heading == "Level 1 > Level 2"


def test_a_sentence_that_begins_with_a_sign_of_headings(tmp_path: Path) -> None:
    found = placed(
        read(write(tmp_path, "x.txt", "The list is long.\n\n# 5 is the last of them, and #6 is none.\n"))
    )
    assert found[1][0] == "5 is the last of them, and #6 is none."
