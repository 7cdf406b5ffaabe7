"""Document -> Passages: whole sentences of one section, under a token budget, exact slices of the text."""

from collections.abc import Iterator
from itertools import groupby

from nkqa.errors import CorpusError
from nkqa.protocols import TokenCounter
from nkqa.types import Document, Passage


def index_text(document: Document, heading: str, text: str) -> str:
    """Return what is searched for a passage: title and heading, then the text."""
    return f"{document.source.title}. {heading.replace(' > ', '. ')}. {text}"


def _paragraphs(document: Document) -> Iterator[list[int]]:
    """Yield the positions of each paragraph's sentences."""
    numbered = enumerate(document.sentences)
    for _, group in groupby(numbered, key=lambda pair: pair[1].paragraph):
        yield [i for i, _ in group]


def _slice(document: Document, run: list[int]) -> str:
    """The text from the first sentence of a run to the last."""
    return document.text[document.sentences[run[0]].start : document.sentences[run[-1]].end]


def _split(document: Document, run: list[int], count: TokenCounter, budget: int) -> Iterator[list[int]]:
    """Yield pieces of one paragraph that keep the budget, cut between sentences, nearly equal in length."""
    sizes = [count(document.text[document.sentences[i].start : document.sentences[i].end]) for i in run]
    pieces = max(1, -(-sum(sizes) // budget))
    goal = sum(sizes) / pieces
    piece: list[int] = []
    held = 0
    for position, size in zip(run, sizes, strict=True):
        if size > budget:
            start = document.sentences[position].start
            raise CorpusError(
                f"{document.id}: the sentence at {start} has {size} tokens and a passage {budget} at most; "
                "split it, or raise NKQA_MAX_TOKENS"
            )
        if piece and (held + size / 2 > goal or count(_slice(document, [*piece, position])) > budget):
            yield piece
            piece, held = [], 0
        piece.append(position)
        held += size
    if piece:
        yield piece


def _merge(
    document: Document, runs: list[list[int]], count: TokenCounter, budget: int
) -> Iterator[list[int]]:
    """Yield runs with short neighbours of one section put together while they keep half the budget."""
    held: list[int] = []
    for run in runs:
        sentences = document.sentences
        joined = held + run
        same = held and sentences[held[0]].heading == sentences[run[0]].heading
        if same and count(_slice(document, joined)) <= budget // 2:
            held = joined
            continue
        if held:
            yield held
        held = run
    if held:
        yield held


def cut(document: Document, count: TokenCounter, budget: int) -> list[Passage]:
    """Return the passages of a document in order: every sentence is in exactly one of them.

    Args:
        document: what to cut.
        count: counts tokens.
        budget: most tokens in a passage, headings not counted.

    Raises:
        CorpusError: one sentence alone is over the budget.
    """
    runs = [piece for run in _paragraphs(document) for piece in _split(document, run, count, budget)]
    passages = []
    for number, run in enumerate(_merge(document, runs, count, budget)):
        first, last = document.sentences[run[0]], document.sentences[run[-1]]
        text = document.text[first.start : last.end]
        passage = Passage(
            f"{document.id}:{number:03d}", document.id, first.start, last.end, run[0], run[-1],
            first.heading, text, index_text(document, first.heading, text),
        )  # fmt: skip
        passages.append(passage)
    return passages
