"""A person's own documents -> Documents with places: Markdown, HTML, PDF, plain text, timed transcripts."""

from collections.abc import Sequence
from datetime import date

from nkqa.formats.cut import sentence_spans
from nkqa.types import Document, Locator, Sentence, Source

__all__ = ["document_from_paragraphs"]

NOT_STATED = "not stated"


def _plain_source(id: str, title: str) -> Source:
    return Source(
        id, "document", title, (NOT_STATED,), NOT_STATED, "", date.today().isoformat(), None, "en",
        "outside-analyst", "paragraph", "The reader's own document.",
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
