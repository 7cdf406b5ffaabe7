"""A person's own documents -> Documents with places: Markdown, HTML, PDF, plain text, timed transcripts."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from nkqa.corpus import parse_source
from nkqa.errors import CorpusError, FormatError
from nkqa.formats.cut import sentence_spans
from nkqa.formats.draft import NOT_STATED, RIGHTS, front_matter, heading_lines, slug
from nkqa.formats.files import SUFFIXES, Refusal, find_files
from nkqa.formats.limits import Limits
from nkqa.formats.parent import Parser
from nkqa.text import clean
from nkqa.types import Document, Locator, Sentence, Source

__all__ = [
    "SUFFIXES",
    "Ingested",
    "Limits",
    "Refusal",
    "document_from_paragraphs",
    "ingest",
    "read_files",
    "to_source_markdown",
]

Progress = Callable[[str, int, int], None]
"""Told the file that is read, how many were read before it, and how many there are."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was read, in order of the files, and what was not, with the reasons."""

    documents: tuple[Document, ...]
    refused: tuple[Refusal, ...]


# --- reading -----------------------------------------------------------------------------------------------


class _Names:
    """Gives each document an id that no other has."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._contents: dict[str, Path] = {}

    def free(self, wanted: str) -> str:
        id, number = wanted, 2
        while id in self._taken:
            id, number = f"{wanted}-{number}", number + 1
        return id

    def take(self, id: str) -> None:
        """Keep an id.

        Raises:
            FormatError: another document has it.
        """
        if id in self._taken:
            raise FormatError(f"has the id {id!r}, which another document has; give it another")
        self._taken.add(id)

    def first(self, file: Path, text: str) -> None:
        """Remember a text.

        Raises:
            FormatError: it was there before, under another name.
        """
        body = text.partition("\n---\n")[2]
        other = self._contents.setdefault(hashlib.sha256(body.encode()).hexdigest(), file)
        if other != file:
            raise FormatError(f"has the same text as {other}")


def _modified(file: Path) -> str:
    """Return the day on which a file was last changed."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
    except (OSError, ValueError, OverflowError) as error:
        raise FormatError(f"has no date that can be read: {error}") from error


def _read(file: Path, parser: Parser, names: _Names) -> Document:
    text = parser.read(file, names.free(slug(file.stem)), _modified(file))
    try:
        document = parse_source(text, file.name)
    except CorpusError as error:
        raise FormatError(str(error)) from error
    names.first(file, text)
    names.take(document.id)
    return document


def read_files(
    paths: Sequence[Path],
    progress: Progress | None = None,
    *,
    taken: Collection[str] = (),
    limits: Limits | None = None,
) -> Ingested:
    """Read files, and all files in folders and their subfolders, hidden ones left out.

    Each file is parsed in a child process under `limits`; one that fails is refused with its reason, and the
    others go in.

    Args:
        paths: files or folders.
        progress: told of each file before it is read.
        taken: ids that the documents must not get, such as those of the corpus.
        limits: how much time, memory and output a file may take.

    Raises:
        Unavailable: no child process can be started.
    """
    files, refused = find_files(paths)
    documents: list[Document] = []
    names = _Names(taken)
    with Parser(limits) as parser:
        for number, file in enumerate(files):
            if progress is not None:
                progress(f"reading {file.name}", number, len(files))
            try:
                documents.append(_read(file, parser, names))
            except FormatError as error:
                refused.append(Refusal(file, str(error)))
    if progress is not None:
        progress("reading documents", len(files), len(files))
    return Ingested(tuple(documents), tuple(refused))


# --- writing -----------------------------------------------------------------------------------------------


def _mark(locator: Locator) -> str:
    """Return the mark that `nkqa.corpus.parse_mark` reads as this place."""
    if locator.kind == "paragraph" and locator.page is None:
        return f"para. {locator.paragraph}"
    own = locator.label
    if locator.section and own.startswith(f"{locator.section}, "):
        own = own.removeprefix(f"{locator.section}, ")
    return own


def _body(document: Document) -> Iterator[str]:
    headings: list[str] = []
    paragraph: int | None = None
    for sentence in document.sentences:
        path = sentence.heading.split(" > ") if sentence.heading else []
        yield from heading_lines(headings, path)
        headings = path
        if sentence.paragraph != paragraph:
            paragraph = sentence.paragraph
            yield ""
        quote = clean(document.text[sentence.start : sentence.end]).lstrip("# ")
        if quote:
            yield f"{quote} [{_mark(sentence.locator)}]"


def to_source_markdown(document: Document) -> str:
    """Return a document in the corpus's source format, which `nkqa.corpus.parse_source` reads back."""
    return front_matter(document.source) + "\n".join(_body(document)) + "\n"


def _write(document: Document, to: Path) -> None:
    file = to / f"{document.id}.md"
    if file.exists():
        raise FormatError("is there already; remove it, and read the document again")
    fresh = to / f".{document.id}.{os.getpid()}.new"
    fresh.write_text(to_source_markdown(document), "utf-8", newline="\n")
    os.replace(fresh, file)


def ingest(paths: Sequence[Path], to: Path, progress: Progress | None = None) -> Ingested:
    """Read files and folders, and write each document to `to/<id>.md` in the corpus's source format.

    A file that is there already is left as it is, and the document is refused.

    Raises:
        FormatError: `to` cannot be written to.
        Unavailable: no child process can be started.
    """
    found = read_files(paths, progress)
    documents, refused = [], list(found.refused)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for document in found.documents:
            try:
                _write(document, to)
                documents.append(document)
            except FormatError as error:
                refused.append(Refusal(to / f"{document.id}.md", str(error)))
    except OSError as error:
        raise FormatError(f"{to}: cannot be written to: {error.strerror or error}") from error
    return Ingested(tuple(documents), tuple(refused))


def _plain_source(id: str, title: str) -> Source:
    return Source(
        id, "document", title, (NOT_STATED,), NOT_STATED, "", date.today().isoformat(), None, "en",
        "outside-analyst", "paragraph", RIGHTS,
    )  # fmt: skip


def document_from_paragraphs(
    id: str, title: str, paragraphs: Sequence[str], source: Source | None = None
) -> Document:
    """Return a document of paragraphs as they are, two line ends between them, each sentence with its place.

    Args:
        id: the document's id; a given source's must be the same.
        title: used where no source is given.
        paragraphs: texts; paragraph n has the place `para. n`, counted from 1. An empty one keeps its number.
        source: who published it; one without author, publisher and URL is made where there is none.
    """
    made = source or _plain_source(id, title)
    sentences: list[Sentence] = []
    start = 0
    for number, paragraph in enumerate(paragraphs):
        place = Locator("paragraph", f"para. {number + 1}", made.URL, paragraph=number + 1)
        sentences += [
            Sentence(start + span.start, start + span.end, "", number, place)
            for span in sentence_spans(paragraph, made.language)
        ]
        start += len(paragraph) + 2
    return Document(id, made, "\n\n".join(paragraphs), tuple(sentences))
