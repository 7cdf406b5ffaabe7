"""Answers, hits and sources as lines for a terminal; pure functions from the nouns to text."""

import textwrap
from collections.abc import Iterable, Iterator

from nkqa.types import Answer, Citation, Document, Hit, IndexManifest, Locator

WIDTH = 100


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def citation_lines(citation: Citation, *, quote: bool) -> Iterator[str]:
    """Yield who says it, where and when, with the link; the quote first where it is wanted."""
    source = citation.source
    number = f"[{citation.number}] " if citation.number else ""
    if quote:
        yield _wrapped(f'"{citation.quote}"', f"  {number}", "      ")
        number = "    "
    who = ", ".join(source.author)
    publisher = "" if source.publisher == who else f", {source.publisher}"
    yield _wrapped(
        f"{who}: {source.title}{publisher}, {source.issued}, {citation.locator.label}",
        f"  {number}",
        "      ",
    )
    if citation.locator.url:
        yield f"      {citation.locator.url}"


def answer_text(answer: Answer) -> str:
    """Return an answer as a reader wants it: the text, what differs, the citations, the date it is as of."""
    lines: list[str] = []
    if answer.standalone_question != answer.question:
        lines += [_wrapped(f"Understood as: {answer.standalone_question}"), ""]
    lines += [_wrapped(answer.answer), ""]
    if answer.abstention is not None:
        lines += [_wrapped(f"{answer.abstention.message} ({answer.abstention.reason})"), ""]
        for citation in answer.abstention.nearest:
            lines += citation_lines(citation, quote=True)
    for disagreement in answer.disagreements:
        lines.append(_wrapped(f"The sources differ on {disagreement.about}:"))
        for position in disagreement.positions:
            lines.append(_wrapped(position.marked(), "  - ", "    "))
        lines.append("")
    for citation in answer.citations:
        lines += citation_lines(citation, quote=False)
    if answer.as_of is not None:
        span = answer.as_of
        dates = span.latest if span.earliest == span.latest else f"{span.earliest} to {span.latest}"
        lines += ["", f"As of {dates}, the dates of the sources above."]
    if answer.suggestions:
        lines += ["", "You could also ask:", *(f"  - {s}" for s in answer.suggestions)]
    return "\n".join(lines).strip()


def hits_text(hits: Iterable[Hit], place: Iterable[Locator]) -> str:
    """Return the hits of a search, each with its score and the place where it begins."""
    lines = []
    for hit, locator in zip(hits, place, strict=True):
        lines.append(f"{hit.rank:2d}. {hit.score:.3f}  {hit.passage.id}  {locator.label}")
        lines += [_wrapped(hit.passage.text, "      ", "      "), ""]
    return "\n".join(lines).rstrip() or "Nothing found."


def sources_text(documents: Iterable[Document]) -> str:
    """Return one line a source, and who wrote and published it."""
    lines = []
    for document in documents:
        s = document.source
        lines.append(f"{s.id}  ({s.type}, {s.perspective}, {s.issued}, {len(document.sentences)} sentences)")
        lines.append(
            _wrapped(f"{', '.join(s.author)}: {s.title}. {s.publisher}. {s.URL or 'no link'}", "    ", "    ")
        )
    return "\n".join(lines)


def document_text(document: Document, page: int | None = None) -> str:
    """Return the sentences of a document, or of one page of it, with their places, under their headings."""
    lines: list[str] = []
    heading = ""
    for sentence in document.sentences:
        if page is not None and sentence.locator.page != page:
            continue
        if sentence.heading != heading:
            heading = sentence.heading
            lines += ["", heading, ""]
        text = document.text[sentence.start : sentence.end]
        lines.append(_wrapped(f"{text} [{sentence.locator.label}]", "", "  "))
    return "\n".join(lines).strip()


def manifest_text(manifest: IndexManifest, folder: str) -> str:
    """Return what an index was built from."""
    return "\n".join(
        f"{name:12} {value}"
        for name, value in {
            "index": folder,
            "built": f"{manifest.built_at} by nkqa {manifest.nkqa_version}, Chroma {manifest.chroma_version}",
            "corpus": f"{manifest.corpus_fingerprint[:16]}, {manifest.documents} documents",
            "passages": f"{manifest.passages} of at most {manifest.max_tokens} {manifest.tokenizer} tokens",
            "sentences": manifest.sentences,
            "model": f"{manifest.embedding_model} ({manifest.embedding_sha256[:12]})",
            "agreement": f"{manifest.agreement} (least cosine between the model and its exported encoder)",
        }.items()
    )
