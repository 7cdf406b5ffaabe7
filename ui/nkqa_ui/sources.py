"""The sources on the page: a card for each, and the view of one with a sentence marked in it."""

from collections.abc import Iterator
from itertools import groupby

from nkqa.types import Document, Sentence, Source
from nkqa_ui.html import esc, host_of, outside, tag, web_url
from nkqa_ui.wording import count, day, kind, listed, voice

DIGEST_NOTE = "These sentences are a digest in this project's own words, each with its place in the original."


def _facts(source: Source) -> list[tuple[str, str]]:
    author = listed(list(source.author))
    facts = [
        ("By", author),
        ("Published by", source.publisher if source.publisher != author else ""),
        ("In", source.container_title if source.container_title != source.publisher else ""),
        ("Date", day(source.issued)),
        ("Kind", kind(source.type)),
        ("Whose voice", voice(source.perspective)),
    ]
    return [(name, value) for name, value in facts if value]


def original(source: Source) -> str:
    """Return the link to the original, or nothing where the source has no web address."""
    url = web_url(source.URL)
    return outside(url, f"Original at {host_of(url)}", class_="out") if url else ""


def card(document: Document) -> str:
    """Return what the list of sources says about one of them."""
    source = document.source
    facts = "".join(tag("div", tag("dt", esc(n)), tag("dd", esc(v), dir="auto")) for n, v in _facts(source))
    return tag(
        "div",
        tag("h3", esc(source.title), dir="auto"),
        tag("dl", facts),
        tag(
            "p",
            tag(
                "a",
                f"Read the digest ({count(len(document.sentences), 'sentence')})",
                class_="view",
                href=f"page/source?id={document.id}",
            ),
            original(source),
            class_="links",
        ),
        class_="source",
    )


def _heading(heading: str, before: str) -> str:
    """The levels of a heading that are new since the heading before; `A > B` after `A` is B alone."""
    parts, old = heading.split(" > "), before.split(" > ")
    shared = 0
    while shared < min(len(parts), len(old)) and parts[shared] == old[shared]:
        shared += 1
    return "".join(
        tag(f"h{min(level + 2, 5)}", esc(part), dir="auto")
        for level, part in enumerate(parts)
        if level >= shared and part
    )


def _place(sentence: Sentence, last: str) -> str:
    label = sentence.locator.label
    return "" if label == last else outside(sentence.locator.url, label, class_="loc")


def _sentence(document: Document, index: int, marked: range, last: str) -> str:
    found = document.sentences[index]
    text = esc(document.text[found.start : found.end])
    here = index in marked
    if here:
        last = ""
    body = (
        tag("mark", text, id="here" if index == marked.start else None, tabindex="-1" if here else None)
        if here
        else text
    )
    return tag("span", body, " ", _place(found, last), class_="s", id=f"s{index}", dir="auto")


def _paragraphs(document: Document, marked: range) -> Iterator[str]:
    heading = ""
    numbered = list(enumerate(document.sentences))
    for (_, title), group in groupby(numbered, key=lambda pair: (pair[1].paragraph, pair[1].heading)):
        if title != heading:
            yield _heading(title, heading)
            heading = title
        parts, last = [], ""
        for index, sentence in group:
            parts.append(_sentence(document, index, marked, last))
            last = sentence.locator.label
        yield tag("p", " ".join(parts))


def marked_sentences(document: Document, start: int, end: int) -> range:
    """Return the positions of the sentences that `[start, end)` touches; an empty range for none."""
    touched = [i for i, s in enumerate(document.sentences) if s.start < end and start < s.end]
    return range(touched[0], touched[-1] + 1) if touched else range(0)


def _at(document: Document, marked: range) -> str:
    """The line that says where the marked sentence stands, with the link that opens the original there."""
    if not marked:
        return ""
    locator = document.sentences[marked.start].locator
    url = web_url(locator.url)
    link = " " + outside(url, f"Original at {host_of(url)}", class_="out") if url else ""
    return tag("p", "Marked below: ", tag("b", esc(locator.label)), link, class_="at")


def view(document: Document, start: int = 0, end: int = 0) -> str:
    """Return a whole digest, with the sentences in `[start, end)` marked."""
    source = document.source
    facts = "".join(tag("div", tag("dt", esc(n)), tag("dd", esc(v), dir="auto")) for n, v in _facts(source))
    marked = marked_sentences(document, start, end)
    return tag(
        "div",
        tag("h1", esc(source.title), dir="auto"),
        _at(document, marked),
        tag("dl", facts),
        tag(
            "p",
            esc(DIGEST_NOTE),
            " ",
            esc(f"The original is published by {source.publisher}. "),
            original(source),
            class_="digest-note",
        ),
        *_paragraphs(document, marked),
        tag("p", esc(source.rights), class_="rights", dir="auto"),
        class_="digest",
        lang=source.language if source.language.replace("-", "").isalnum() else None,
    )
