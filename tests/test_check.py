"""`corpus check`: each fault is found with its file and line, a sound corpus has none."""

from pathlib import Path

import pytest

from nkqa.check import Finding, check
from nkqa.settings import default_corpus

FRONT = """---
id: {id}
type: report
title: "On the ferries"
author:
  - literal: River Institute
publisher: River Institute
issued: "2019-05-03"
language: en
perspective: outside-analyst
locator: {locator}
rights: "Facts in own words."
---
"""
BODY = """
## Findings

The ferries of Lower Ash carried 1,960 people in 2018. [p. 1]
Ann Lee (River Institute) says that 5 years of repairs begin on 9 May 2019. [p. 2, fn. 3]

## Outlook

The Ash Bridge, a work of 3 million, is due in late June 2019. [pp. 2-3]
"""
ORIGINAL = """The boats at Lower Ash took one thousand nine hundred and sixty (1,960) persons over
during 2018. Dr Ann Lee expects a five-year programme of works from 9 May.3 The crossing planned at
Ash, with costs of three million, should open in late June.
3
Interview, 2019.
"""
NAMES = """- id: lower-ash
  kind: place
  names: [Lower Ash, Nether Ash]
  description: A village with a ferry.
  latitude: 50.5
  longitude: 7.0
- id: ash-bridge
  kind: place
  names: [Ash Bridge, crossing]
  description: A bridge that is planned.
"""


def corpus(
    folder: Path, body: str = BODY, names: str = NAMES, locator: str = "page", id: str = "ferries"
) -> Path:
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    (folder / "sources" / f"{id}.md").write_text(FRONT.format(id=id, locator=locator) + body)
    (folder / "names.yaml").write_text(names)
    originals = folder.parent / "originals"
    originals.mkdir(exist_ok=True)
    (originals / f"{id}.txt").write_text(ORIGINAL)
    return folder


def messages(found: tuple[Finding, ...]) -> str:
    return "\n".join(f"{f.file}:{f.line}: {f.message}" for f in found)


def against(tmp_path: Path, old: str, new: str) -> str:
    assert old in BODY
    folder = corpus(tmp_path / "corpus", BODY.replace(old, new))
    return messages(check(folder, tmp_path / "originals"))


def test_a_sound_corpus_has_no_findings(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus")
    assert check(folder) == ()
    assert check(folder, tmp_path / "originals") == ()


def test_the_corpus_of_this_repository_is_sound() -> None:
    assert messages(check(default_corpus())) == ""


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("[p. 2, fn. 3]", "[p. 0x]", 18, "must end in its page"),
        ("[p. 2, fn. 3]", "[05:56]", 18, "must end in its page"),
        ("2018. [p. 1]", "2018. [p. 3]", 18, "falls back from 'p. 3'"),
        ("2018. [p. 1]", "2018. [p. 3]", 22, "section 'Outlook' begins before"),
        ("The Ash Bridge, a work", "It, a work", 22, "begins with 'It'"),
        ("9 May 2019", "31 June 2019", 18, "no calendar: '31 June 2019'"),
        ("in late June 2019.", "in late June 2019 " + "and then " * 200 + "later.", 22, "tokens"),
        ("in late June 2019.", "in late June 2019", 22, "does not end like a sentence"),
        ("The Ash Bridge, a", "The **Ash Bridge**, a", 22, "markup"),
        ("in 2018.", "in 2018 [p. 9] again.", 17, "two places"),
    ],
)
def test_faults_of_a_source(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in BODY
    found = check(corpus(tmp_path / "corpus", BODY.replace(old, new)))
    assert any(f.file == "ferries.md" and f.line == line and message in f.message for f in found), messages(
        found
    )


def test_front_matter_faults_are_named(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus")
    file = folder / "sources" / "ferries.md"
    file.write_text(file.read_text().replace("perspective: outside-analyst", "perspective: bystander"))
    assert "perspective" in messages(check(folder))
    file.write_text("no front matter")
    assert "front matter" in messages(check(folder))


def test_ids_and_duplicates_across_sources(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus")
    text = (folder / "sources" / "ferries.md").read_text()
    (folder / "sources" / "second.md").write_text(text)
    found = messages(check(folder))
    assert "second.md:2: has the id 'ferries'; name the file ferries.md" in found
    assert "second.md:17: says the same as ferries.md:17" in found


def test_footnotes_stand_on_one_page_and_in_order(tmp_path: Path) -> None:
    body = "\n## A\n\nOne is here. [p. 2, fn. 5]\nTwo is here. [p. 3, fn. 5]\nThree is here. [p. 4, fn. 4]\n"
    found = messages(check(corpus(tmp_path / "corpus", body, "[]")))
    assert "footnote 5 on page 3; it was on page 2" in found
    assert "footnote 4 on page 4, after footnote 5" in found


def test_seconds_may_jump_within_a_paragraph_and_between_sections(tmp_path: Path) -> None:
    good = "\n## A\n\nOne. [01:00]\nTwo. [02:00]\nThree. [01:30]\n\nFour. [02:00]\n\n## B\n\nFive. [00:10]\n"
    assert check(corpus(tmp_path / "good" / "corpus", good, "[]", "timestamp")) == ()
    bad = "\n## A\n\nOne. [01:00]\n\nTwo. [00:30]\n"
    found = messages(check(corpus(tmp_path / "bad" / "corpus", bad, "[]", "timestamp")))
    assert "earlier second" in found


def test_names_must_be_used(tmp_path: Path) -> None:
    more = NAMES + "- id: far-away\n  kind: place\n  names: [Far Away]\n  description: A village.\n"
    assert messages(check(corpus(tmp_path / "corpus", names=more))).startswith("names.yaml:11: 'far-away'")
    twice = NAMES + "- id: other\n  kind: place\n  names: [lower ash]\n  description: A village.\n"
    assert "belongs to" in messages(check(corpus(tmp_path / "corpus", names=twice)))


def test_an_empty_corpus(tmp_path: Path) -> None:
    assert "no source" in messages(check(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1,960", "1,980", "figure '1,980'"),
        ("5 years", "3 years", ""),
        ("5 years", "8 years", "figure '8'"),
        ("3 million", "4 million", "figure '4'"),
        ("9 May 2019", "8 May 2019", "date '8 May 2019'"),
        ("9 May 2019", "9 June 2019", "date '9 June 2019'"),
        ("Ann Lee", "Bo Ek", "name 'Bo'"),
        ("Lower Ash", "Nether Ash", ""),
        ("of Lower Ash carried", "of Lower Ash, run by Cy, carried", "name 'Cy'"),
        (
            "The ferries of Lower Ash carried",
            "The boats at Lower Ash took one thousand nine hundred, some",
            "9 words",
        ),
    ],
)
def test_faults_against_the_original(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = against(tmp_path, old, new)
    assert message in found
    assert message or not found


def test_words_are_shared_across_two_sentences(tmp_path: Path) -> None:
    body = "\n## A\n\nIt was open during 2018. [p. 1]\nDr Ann Lee expects a five-year programme of works. [p. 2]\n"
    folder = corpus(tmp_path / "corpus", body, "[]")
    assert "shares 9 words" in messages(check(folder, tmp_path / "originals"))


def test_allowances_have_reasons_and_are_needed(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus", BODY.replace("1,960", "1,980"))
    allow = folder / "allow.yaml"
    allow.write_text('- source: ferries\n  allow: ["1,980"]\n  reason: The institute corrected it later.\n')
    assert check(folder, tmp_path / "originals") == ()
    allow.write_text(
        '- source: ferries\n  allow: ["1,980", "7"]\n  reason: The institute corrected it later.\n'
    )
    assert "'7' is allowed in ferries and not needed there" in messages(check(folder, tmp_path / "originals"))
    allow.write_text('- source: ferries\n  allow: ["1,980"]\n')
    assert "reason" in messages(check(folder, tmp_path / "originals"))


def test_a_source_without_its_original(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "corpus")
    (tmp_path / "originals" / "ferries.txt").unlink()
    assert "has no original" in messages(check(folder, tmp_path / "originals"))


def test_times_are_those_of_the_notes(tmp_path: Path) -> None:
    body = "\n## A\n\nFerries ran. [01:00]\nNobody came. [02:00]\n"
    folder = corpus(tmp_path / "corpus", body, "[]", "timestamp")
    notes = '<a class="yt-timestamp" data-t="00:01:00">[00:01:00]</a>'
    (tmp_path / "originals" / "ferries.txt").write_text(f"All boats moved {notes}.")
    assert messages(check(folder, tmp_path / "originals")) == (
        "ferries.md:18: the original has nothing at 02:00"
    )
