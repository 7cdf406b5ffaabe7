"""corpus/ -> Documents: front matter, headings, and one sentence a line with the mark of its place."""

import hashlib
import os
import re
from collections.abc import Hashable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from nkqa.errors import CorpusError
from nkqa.text import clean
from nkqa.types import Document, Locator, LocatorKind, Perspective, Sentence, Source

MAX_FRONT_MATTER = 8_192
"""Bytes; more is no front matter but a mistake (or an attack on the YAML parser)."""
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_MARKED = re.compile(r"^(?P<text>.*\S)\s+\[(?P<mark>[^\[\]]+)\]$")
_PAGE = re.compile(
    r"^pp?\. (?P<page>[1-9]\d{0,5})(?:-\d+)?(?:, fn\. (?P<fn>\d+(?:-\d+)?))?"
    r"(?:, para\. (?P<para>[1-9]\d{0,5}))?$"
)
_TIME = re.compile(r"^(?:(?P<hours>\d{1,2}):(?=[0-5]\d:))?(?P<minutes>\d{1,3}):(?P<seconds>[0-5]\d)$")
_PARA = re.compile(r"^para\. (?P<para>[1-9]\d{0,5})$")
_HEADING = re.compile(r"^(?P<marks>#{1,6})\s+(?P<text>\S.*)$")
_ISSUED = re.compile(r"^\d{4}-\d{2}(?:-\d{2})?$")


_EXAMPLES = {"page": "[p. 9, fn. 41]", "timestamp": "[05:56]", "paragraph": "[para. 2]"}


class _Person(BaseModel):
    model_config = ConfigDict(extra="forbid")
    literal: str | None = None
    family: str | None = None
    given: str | None = None

    def name(self) -> str:
        return self.literal or " ".join(p for p in (self.given, self.family) if p)

    @model_validator(mode="after")
    def _named(self) -> "_Person":
        if not self.name().strip():
            raise ValueError("needs literal, or family and given")
        return self


class FrontMatter(BaseModel):
    """The head of a source file, in CSL-JSON's names and a few of our own."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,63}$")
    type: str = Field(min_length=1)
    title: str = Field(min_length=1)
    author: list[_Person] = Field(min_length=1)
    publisher: str = Field(min_length=1)
    container_title: str = Field("", alias="container-title")
    issued: str
    URL: str | None = Field(None, pattern=r"^https?://\S+$")
    language: str = "en"
    perspective: Perspective
    locator: Literal["page", "timestamp", "paragraph"]
    rights: str = Field(min_length=1)

    @field_validator("title", "publisher", "container_title", "rights", mode="after")
    @classmethod
    def _clean(cls, value: str) -> str:
        return clean(value)

    @field_validator("issued", mode="after")
    @classmethod
    def _iso(cls, value: str) -> str:
        if not _ISSUED.match(value):
            raise ValueError("must be a date such as 2020-12-22 or 2020-12")
        date.fromisoformat(value if len(value) == 10 else f"{value}-01")
        return value

    def source(self) -> Source:
        """Return the source that this describes."""
        return Source(
            self.id, self.type, self.title, tuple(clean(a.name()) for a in self.author), self.publisher,
            self.container_title, self.issued, self.URL, self.language, self.perspective, self.locator,
            self.rights,
        )  # fmt: skip


def deep_link(url: str | None, page: int | None, second: int | None) -> str | None:
    """Return `url` opened at a second of a video or a page of a PDF."""
    if url is None:
        return None
    page_url, _, fragment = url.partition("#")
    if second is not None:
        opened = f"{page_url}{'&' if '?' in page_url else '?'}t={second}s"
        return f"{opened}#{fragment}" if fragment else opened
    return f"{page_url}#page={page}" if page is not None else url


def parse_mark(mark: str, source: Source, section: str) -> Locator | None:
    """Return the place that a mark such as `p. 9, fn. 41`, `05:56` or `para. 2` names.

    None if it names none, or one of another kind than the source has: a video has no pages.
    """
    if (timed := _TIME.match(mark)) and source.locator == "timestamp":
        second = int(timed["hours"] or 0) * 3600 + int(timed["minutes"]) * 60 + int(timed["seconds"])
        return Locator("timestamp", mark, deep_link(source.URL, None, second), section, second=second)
    paged = _PAGE.match(mark)
    if paged and (source.locator == "page" or (source.locator == "paragraph" and paged["para"])):
        page = int(paged["page"])
        kind: LocatorKind = "footnote" if paged["fn"] else "page" if not paged["para"] else "paragraph"
        para = int(paged["para"]) if paged["para"] else None
        label = f"{section}, {mark}" if para and section else mark
        return Locator(kind, label, deep_link(source.URL, page, None), section, page, paged["fn"], para)
    if (para_mark := _PARA.match(mark)) and source.locator == "paragraph":
        label = f"{section}, {mark}" if section else mark
        return Locator("paragraph", label, source.URL, section, paragraph=int(para_mark["para"]))
    return None


class _Loader(yaml.SafeLoader):
    """YAML as front matter needs it: every scalar is the text that stands there, and nothing stands for more.

    YAML 1.1 would read `no` as False, `1.10` as 1.1 and `12:30` as 750; an alias can stand for gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - as there
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if doubled := sorted({n for n in names if names.count(n) > 1}):
            raise yaml.YAMLError(f"{', '.join(doubled)}: stands there twice")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if tag == "tag:yaml.org,2002:null"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_front_matter(text: str, name: str) -> tuple[FrontMatter, str, int]:
    """Return the front matter, the body after it, and the number of the body's first line.

    Raises:
        CorpusError: there is none, it is too long, or a field is missing or wrong; all of them are named.
    """
    match = _FRONT.match(text)
    if match is None:
        raise CorpusError(f"{name}: must begin with front matter between two lines of ---")
    if len(match[1]) > MAX_FRONT_MATTER:
        raise CorpusError(
            f"{name}: front matter is {len(match[1])} characters long, {MAX_FRONT_MATTER} at most"
        )
    try:
        raw = yaml.load(match[1], Loader=_Loader)
        return FrontMatter.model_validate(raw), text[match.end() :], text[: match.end()].count("\n") + 1
    except (yaml.YAMLError, RecursionError) as error:
        raise CorpusError(f"{name}: front matter is not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise CorpusError(f"{name}: front matter: {faults}") from error


class _Writer:
    """Builds the text of a document and the sentences that point into it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.sentences: list[Sentence] = []
        self.paragraph = -1
        self.fresh = True

    def put(self, text: str) -> int:
        start = self.length
        self.parts.append(text)
        self.length += len(text)
        return start

    def heading(self, text: str) -> None:
        self.put(("\n\n" if self.length else "") + text)
        self.fresh = True

    def sentence(self, text: str, heading: str, locator: Locator) -> None:
        if self.fresh:
            self.paragraph += 1
            self.put("\n\n" if self.length else "")
        else:
            self.put(" ")
        start = self.put(text)
        self.sentences.append(Sentence(start, self.length, heading, self.paragraph, locator))
        self.fresh = False


def parse_source(text: str, name: str) -> Document:
    """Return the document in the text of a source file; `name` is used in messages.

    Raises:
        CorpusError: a line without a place, a place of another kind than the source has, or bad front matter.
    """
    front, body, first_line = read_front_matter(text.replace("\r\n", "\n"), name)
    source = front.source()
    writer = _Writer()
    headings: dict[int, str] = {}
    for number, raw in enumerate(body.split("\n"), first_line):
        line = clean(raw)
        if not line:
            writer.fresh = True
        elif heading_line := _HEADING.match(line):
            level = len(heading_line["marks"])
            headings = {k: v for k, v in headings.items() if k < level} | {level: heading_line["text"]}
            writer.heading(heading_line["text"])
        else:
            heading = " > ".join(headings[k] for k in sorted(headings))
            match = _MARKED.match(line)
            locator = parse_mark(match["mark"], source, heading.rsplit(" > ", 1)[-1]) if match else None
            if match is None or locator is None:
                raise CorpusError(
                    f"{name}:{number}: a sentence must end in its {source.locator}, such as "
                    f"{_EXAMPLES[source.locator]}: {line[:80]!r}"
                )
            writer.sentence(match["text"], heading, locator)
    if not writer.sentences:
        raise CorpusError(f"{name}: holds no sentence")
    return Document(source.id, source, "".join(writer.parts), tuple(writer.sentences))


def source_files(corpus: Path) -> list[Path]:
    """Return the source files of a corpus in order of their names."""
    return sorted((corpus / "sources").glob("*.md"))


def load_corpus(corpus: Path) -> list[Document]:
    """Read all sources of a corpus folder, oldest first.

    Raises:
        CorpusError: there is none, one does not keep the format, or two have one id.
    """
    files = source_files(corpus)
    if not files:
        raise CorpusError(f"{corpus}: no source in sources/*.md; set NKQA_CORPUS to a folder that has some")
    documents = [parse_source(read_text(f), f.name) for f in files]
    for file, document in zip(files, documents, strict=True):
        if document.id != file.stem:
            raise CorpusError(f"{file.name}: has id {document.id!r}; name the file {document.id}.md")
    return sorted(documents, key=lambda d: (d.source.issued, d.id))


def read_text(file: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        CorpusError: it cannot be read or is not UTF-8.
    """
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file}: {error}") from error


def fingerprint(corpus: Path, added: Iterable[Path] = ()) -> str:
    """Return the SHA-256 over the names and contents of all that an index is built from.

    Raises:
        CorpusError: a file cannot be read.
    """
    digest = hashlib.sha256()
    beside = [corpus / name for name in ("names.yaml", "differences.yaml", "questions.tsv")]
    for file in [*source_files(corpus), *beside, *sorted(added)]:
        if file.is_file():
            try:
                content = file.read_bytes()
            except OSError as error:
                raise CorpusError(f"{file}: {error}") from error
            digest.update(os.fsencode(file.name) + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()
