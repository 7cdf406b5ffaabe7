"""An answer as plain text: its sentences with their numbers, then a line for each number."""

from collections.abc import Iterator

from nkqa.types import Answer, Citation


def reference(citation: Citation) -> str:
    """Return the line of one citation: who, what, when, where, and the link that opens there."""
    source = citation.source
    who = "; ".join(source.author) or source.publisher
    parts = (
        who,
        source.title,
        source.issued,
        citation.locator.label,
        citation.locator.url or source.URL or "",
    )
    return f"[{citation.number}] " + ", ".join(part for part in parts if part)


def paragraphs(answer: Answer) -> Iterator[str]:
    """Yield the answer in pieces that joined are the whole: each sentence, then the references."""
    if answer.abstention is not None:
        yield f"{answer.answer} {answer.abstention.message}"
        if answer.abstention.nearest:
            yield "\n\nNearest in the sources:"
            for citation in answer.abstention.nearest:
                yield f'\n- "{citation.quote}" {reference(citation)}'
        return
    for number, sentence in enumerate(answer.sentences):
        marks = "".join(f"[{n}]" for n in sentence.citations)
        yield f"{' ' if number else ''}{sentence.text} {marks}"
    for disagreement in answer.disagreements:
        sides = "; ".join(position.marked() for position in disagreement.positions)
        yield f"\n\nThe sources differ on {disagreement.about}: {sides}."
    for part in answer.unanswered:
        yield f"\n\nNone of the sources answers: {part}"
    yield "\n"
    for citation in answer.citations:
        yield f"\n{reference(citation)}"


def plain(answer: Answer) -> str:
    """Return the answer as one text."""
    return "".join(paragraphs(answer))
