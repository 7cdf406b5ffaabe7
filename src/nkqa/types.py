"""The nouns that pass between the stages: frozen dataclasses, nothing else.

Offsets everywhere are Unicode code points, half open `[start, end)`. Those of a `Sentence`, `Passage` or
`Citation` point into `Document.text`; those of a `Window` or `Reading` into `Window.text`. An `Answer` has
the shape of the JSON that `POST /ask` returns: `dataclasses.asdict` is its whole translation.
"""

from dataclasses import dataclass, field
from typing import Literal

Perspective = Literal["party", "neighbour", "mediator", "multilateral", "outside-analyst", "newsroom"]
LocatorKind = Literal["page", "footnote", "timestamp", "paragraph"]
Role = Literal["user", "assistant"]
Status = Literal["answered", "abstained"]
Composing = Literal["extractive", "llm"]
Reason = Literal[
    "not_in_corpus",
    "after_corpus",
    "before_corpus",
    "opinion_or_prediction",
    "off_topic",
    "unclear",
    "false_premise",
    "unsupported_language",
]


@dataclass(frozen=True, slots=True)
class Span:
    """Code points `[start, end)` of some text; `0 <= start < end`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, not {self.start}..{self.end}")


@dataclass(frozen=True, slots=True)
class Source:
    """Who published what and when, in the names that CSL-JSON gives things.

    `issued` is an ISO date, whole (`2020-12-22`) or to the month (`2020-11`); `perspective` says whose voice
    it is; `locator` is the kind of place that its sentences carry.
    """

    id: str
    type: str
    title: str
    author: tuple[str, ...]
    publisher: str
    container_title: str
    issued: str
    URL: str | None
    language: str
    perspective: Perspective
    locator: LocatorKind
    rights: str


@dataclass(frozen=True, slots=True)
class Locator:
    """Where in the original a sentence stands.

    `label` is for people (`p. 9, fn. 41`, `05:56`), `url` opens the original there where a link can do that.
    `page` and `paragraph` count from 1, `second` from the start of a recording.
    """

    kind: LocatorKind
    label: str
    url: str | None
    section: str = ""
    page: int | None = None
    footnote: str | None = None
    paragraph: int | None = None
    second: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a document: `document.text[start:end]`, with its place in the original."""

    start: int
    end: int
    heading: str
    paragraph: int
    """Running number of the paragraph in the document, from 0."""
    locator: Locator


@dataclass(frozen=True, slots=True)
class Document:
    """A source as it is kept: its text, and every sentence of it with a place. `id` is the source's."""

    id: str
    source: Source
    text: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of one section: `document.text[start:end] == text`.

    `first` and `last` are positions in `document.sentences`, both included. `index_text` is what is searched
    (title and heading in front), never what is quoted.
    """

    id: str
    document_id: str
    start: int
    end: int
    first: int
    last: int
    heading: str
    text: str
    index_text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found. `score` is the fused one, 0 to 1; `rank` counts from 1 without gaps."""

    passage: Passage
    score: float
    rank: int
    dense: float
    """Cosine of question and passage, -1 to 1; 0 where dense search was left out."""
    lexical: float
    """BM25 divided by the best of this question, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive sentences to be read together; `sentences` are in order and point into `text`."""

    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of one window; all figures are probabilities, 0 to 1.

    `sentences` has as many entries as the window; `answer` are the likeliest answering words, if any.
    `answerable` is made of all that the reader says and calibrated; `window` and `words` are two of its parts as
    they are: that the window answers, and that these words do rather than none.
    """

    answerable: float
    sentences: tuple[float, ...]
    answer: Span | None
    answer_score: float
    window: float
    words: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation before a question."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which sources may answer; an empty tuple or None leaves that choice open. Dates are ISO, inclusive."""

    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    perspectives: tuple[Perspective, ...] = ()
    issued_from: str | None = None
    issued_to: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with everything that was said about how to answer it."""

    question: str
    history: tuple[Turn, ...] = ()
    filters: Filters = Filters()
    composer: Composing = "extractive"
    max_sentences: int = 5
    passages: bool = False
    timings: bool = False


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The part of a source that a citation shows."""

    id: str
    type: str
    title: str
    author: tuple[str, ...]
    publisher: str
    issued: str
    URL: str | None
    perspective: Perspective


@dataclass(frozen=True, slots=True)
class Citation:
    """One quoted sentence and where it stands: `quote == document.text[start:end]`, exactly.

    `document` is the document's id, `sentence` the quote's place among its sentences, from 0, and `sha256`
    that of the quote in UTF-8, for `GET /verify`.
    """

    number: int
    passage_id: str
    document: str
    sentence: int
    quote: str
    start: int
    end: int
    sha256: str
    source: SourceInfo
    locator: Locator


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of the answer. `score` is how surely it answers, 0 to 1; `citations` are numbers."""

    text: str
    citations: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """The words that answer: `sentences[sentence].text[start:end] == text`."""

    text: str
    sentence: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Position:
    """What one side of a disagreement says: a figure, date, name or place as its sources write it.

    `values` are the words of each citation, in the order of `citations`; `value` is the most telling of them.
    """

    value: str
    citations: tuple[int, ...]
    values: tuple[str, ...]

    def wordings(self) -> dict[str, list[int]]:
        """Return the numbers of the citations that use the same words, the most telling words first."""
        found: dict[str, list[int]] = {self.value: []}
        for value, number in zip(self.values, self.citations, strict=True):
            found.setdefault(value, []).append(number)
        return found

    def marked(self) -> str:
        """Return each wording with the marks of its citations: `75,000 [2][3], tens of thousands [4]`."""
        return ", ".join(
            f"{words} {''.join(f'[{n}]' for n in numbers)}" for words, numbers in self.wordings().items()
        )


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The same thing said differently: at least two positions, each with its citations."""

    about: str
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class AsOf:
    """The dates, earliest and latest, of the sources that an answer cites."""

    earliest: str
    latest: str


@dataclass(frozen=True, slots=True)
class Abstention:
    """Why there is no answer, in a code and in words, and what the corpus holds nearest."""

    reason: Reason
    message: str
    nearest: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """Which corpus answered. `issued_from` and `issued_to` are the first and last dates of its sources."""

    fingerprint: str
    documents: int
    issued_from: str
    issued_to: str


@dataclass(frozen=True, slots=True)
class LLMReport:
    """What became of the language model that was asked: `ok`, or why the extractive answer was given."""

    status: str
    model: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back, answered or abstained; a failure is an exception, never an empty answer.

    `confidence` is the probability, 0 to 1, that the sources answer the question. `unanswered` are those of the
    questions that "and" joins in it which they do not answer. `passages` and `timings` (milliseconds by stage) are None
    unless asked for.
    """

    id: str
    question: str
    standalone_question: str
    status: Status
    answer: str
    short_answer: ShortAnswer | None
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    disagreements: tuple[Disagreement, ...]
    as_of: AsOf | None
    confidence: float
    abstention: Abstention | None
    suggestions: tuple[str, ...]
    corpus: CorpusInfo
    unanswered: tuple[str, ...] = ()
    composer_used: Composing = "extractive"
    llm: LLMReport | None = None
    passages: tuple[Hit, ...] | None = None
    timings: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class IndexManifest:
    """What an index was built from; written last, so its presence means that the build is whole.

    `added` are a person's own files and folders, `refused` those files of them that could not be read, with
    the reason. `files` maps each data file to its SHA-256; `agreement` is the smallest cosine between the served
    encoder's vectors and those of the model it was exported from.
    """

    format: int
    nkqa_version: str
    chroma_version: str
    built_at: str
    corpus_fingerprint: str
    added: tuple[str, ...]
    refused: tuple[str, ...]
    embedding_model: str
    embedding_sha256: str
    encoder_sha256: str
    agreement: float
    dimension: int
    tokenizer: str
    max_tokens: int
    documents: int
    passages: int
    sentences: int
    files: dict[str, str] = field(default_factory=dict)
