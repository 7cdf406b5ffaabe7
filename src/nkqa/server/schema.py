"""The wire: what requests may hold, and what answers look like, described and with examples.

Requests are strict: no unknown field, no `"5"` for 5. The models of answers mirror `nkqa.types` field by
field (a test compares them); they describe, while the bytes are made from the dataclasses directly.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nkqa import types
from nkqa.text import clean
from nkqa.types import Ask, Composing, Filters, LocatorKind, Perspective, Reason, Role, Status, Turn

MOST_QUESTION = 1_000
MOST_TURN = 4_000
MOST_TURNS = 20
EXAMPLE_QUESTION = "How many Russian peacekeepers were sent?"


def _has_text(text: str) -> str:
    if not clean(text):
        raise ValueError("holds no readable character")
    return text


Question = Annotated[str, Field(min_length=1, max_length=MOST_QUESTION), AfterValidator(_has_text)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Names = Annotated[list[Name], Field(max_length=50)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Strict(BaseModel):
    """What a client sends: nothing unknown, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid")


class TurnRequest(Strict):
    """One message of the conversation before the question."""

    role: Role = Field(description="Who said it.", examples=["user"])
    content: str = Field(
        max_length=MOST_TURN, description="What was said.", examples=["Who mediated the deal?"]
    )


class FiltersRequest(Strict):
    """Which sources may answer; what is left out stays open. `GET /sources` has the values."""

    sources: Names = Field([], description="Ids of sources.", examples=[["crisis-group-b91"]])
    types: Names = Field([], description="Types in CSL-JSON's names.", examples=[["report"]])
    perspectives: list[Perspective] = Field(
        [], max_length=6, description="Whose voices.", examples=[["newsroom"]]
    )
    issued_from: Day | None = Field(None, description="First day of publication.", examples=["2020-11-09"])
    issued_to: Day | None = Field(None, description="Last day of publication.", examples=["2020-12-31"])

    def filters(self) -> Filters:
        """Return the engine's form."""
        return Filters(
            tuple(self.sources), tuple(self.types), tuple(self.perspectives), self.issued_from, self.issued_to
        )


class AskRequest(Strict):
    """A question, and how to answer it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"question": EXAMPLE_QUESTION},
                {
                    "question": "And for how long?",
                    "history": [{"role": "user", "content": EXAMPLE_QUESTION}],
                    "filters": {"perspectives": ["newsroom", "outside-analyst"]},
                    "max_sentences": 3,
                    "include": ["passages", "timings"],
                },
            ]
        }
    )

    question: Question = Field(description="The question, in English.", examples=[EXAMPLE_QUESTION])
    history: list[TurnRequest] = Field(
        [],
        max_length=MOST_TURNS,
        description="The conversation before, newest last, so that a follow-up is understood.",
    )
    filters: FiltersRequest = Field(
        default_factory=lambda: FiltersRequest.model_validate({}), description="Which sources may answer."
    )
    composer: Composing | None = Field(
        None,
        description="`extractive` (sentences of the sources) or `llm` (a language model, where one is set "
        "up); left out, what the server is set to.",
        examples=["extractive"],
    )
    max_sentences: int = Field(5, ge=1, le=10, description="Most sentences in the answer.", examples=[5])
    include: list[Literal["passages", "timings"]] = Field(
        [],
        max_length=2,
        description="`passages`: what the search found. `timings`: milliseconds by stage.",
        examples=[["timings"]],
    )

    def ask(self, composer: Composing) -> Ask:
        """Return the engine's form; `composer` is what the server is set to."""
        return Ask(
            self.question,
            tuple(Turn(turn.role, turn.content) for turn in self.history),
            self.filters.filters(),
            self.composer or composer,
            self.max_sentences,
            "passages" in self.include,
            "timings" in self.include,
        )


class SearchRequest(Strict):
    """A search for passages."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "return of displaced people", "k": 3}]}
    )

    question: Question = Field(
        description="A question or search words.", examples=["return of displaced people"]
    )
    k: int = Field(10, ge=1, le=50, description="Most passages.", examples=[10])
    filters: FiltersRequest = Field(
        default_factory=lambda: FiltersRequest.model_validate({}), description="Which sources to search."
    )


class SourceInfo(BaseModel):
    """The part of a source that a citation shows."""

    id: str = Field(description="Id, for `GET /sources/{id}`.", examples=["crisis-group-b91"])
    type: str = Field(description="Type, in CSL-JSON's names.", examples=["report"])
    title: str = Field(
        description="Title.", examples=["Improving Prospects for Peace after the Nagorno-Karabakh War"]
    )
    author: list[str] = Field(description="Authors.", examples=[["International Crisis Group"]])
    publisher: str = Field(description="Who published it.", examples=["International Crisis Group"])
    issued: str = Field(description="When, as an ISO date, whole or to the month.", examples=["2020-12-22"])
    URL: str | None = Field(description="Where the original is.", examples=["https://www.crisisgroup.org/"])
    perspective: Perspective = Field(description="Whose voice it is.", examples=["outside-analyst"])


class Source(SourceInfo):
    """A source of the corpus."""

    container_title: str = Field(description="Series or site.", examples=["Europe Briefing N°91"])
    language: str = Field(description="Language of the original.", examples=["en"])
    locator: LocatorKind = Field(description="The kind of place that its sentences carry.", examples=["page"])
    rights: str = Field(description="Who has which rights.")


class Locator(BaseModel):
    """Where in the original a sentence stands."""

    kind: LocatorKind = Field(description="What kind of place.", examples=["page"])
    label: str = Field(description="The place, for people.", examples=["p. 9, fn. 41"])
    url: str | None = Field(description="A link that opens the original there, where one can.")
    section: str = Field(description="Heading of the section.", examples=["The Russian peacekeepers"])
    page: int | None = Field(description="Page, from 1.", examples=[9])
    footnote: str | None = Field(description="Footnote.", examples=["41"])
    paragraph: int | None = Field(description="Paragraph of the section, from 1.")
    second: int | None = Field(description="Second of the recording.")


class Citation(BaseModel):
    """One quoted sentence and where it stands."""

    number: int = Field(description="The number in the answer's text.", examples=[1])
    passage_id: str = Field(description="For `GET /passages/{id}`.")
    document: str = Field(description="Id of the source's document.", examples=["crisis-group-b91"])
    sentence: int = Field(description="Position of the sentence in the document, from 0.", examples=[8])
    quote: str = Field(description="The sentence: exactly `text[start:end]` of the document.")
    start: int = Field(description="First character of the quote in the document's text.", examples=[120])
    end: int = Field(description="The character after its last.", examples=[135])
    sha256: str = Field(description="SHA-256 of the quote in UTF-8, for `GET /verify`.")
    source: SourceInfo = Field(description="Who published it, and when.")
    locator: Locator = Field(description="Its place in the original.")


class AnswerSentence(BaseModel):
    """A sentence of the answer."""

    text: str = Field(description="The sentence.")
    citations: list[int] = Field(description="Numbers of its citations.", examples=[[1]])
    score: float = Field(description="How surely it answers, 0 to 1.", examples=[0.93])


class ShortAnswer(BaseModel):
    """The words that answer: `sentences[sentence].text[start:end]`."""

    text: str = Field(description="The words.", examples=["1,960"])
    sentence: int = Field(description="Position of the sentence, from 0.", examples=[0])
    start: int = Field(description="First character in the sentence.", examples=[21])
    end: int = Field(description="The character after the last.", examples=[26])


class Position(BaseModel):
    """What one side of a disagreement says."""

    value: str = Field(
        description="The figure, date, name or place: its most telling words.", examples=["1 December"]
    )
    citations: list[int] = Field(description="Numbers of the citations that say so.", examples=[[2]])
    values: list[str] = Field(
        description="The words of each citation, in the order of `citations`.", examples=[["1 December"]]
    )


class Disagreement(BaseModel):
    """The same thing said differently by different sources."""

    about: str = Field(description="What they differ on.")
    positions: list[Position] = Field(description="At least two.")


class AsOf(BaseModel):
    """The dates of the sources that the answer cites."""

    earliest: str = Field(description="The first.", examples=["2020-11-16"])
    latest: str = Field(description="The last.", examples=["2020-12-22"])


class Abstention(BaseModel):
    """Why there is no answer."""

    reason: Reason = Field(description="The reason, as a code.", examples=["not_in_corpus"])
    message: str = Field(description="The reason, in words.")
    nearest: list[Citation] = Field(description="What the corpus holds nearest.")


class CorpusInfo(BaseModel):
    """Which corpus answered."""

    fingerprint: str = Field(description="Changes whenever the corpus does.")
    documents: int = Field(description="How many sources it holds.", examples=[4])
    issued_from: str = Field(description="Date of its first source.", examples=["2020-11-09"])
    issued_to: str = Field(
        description="Date of its last source; nothing later can be known.", examples=["2020-12-22"]
    )


class LLMReport(BaseModel):
    """What became of the language model that was asked."""

    status: str = Field(description="`ok`, or why the extractive answer was given.", examples=["ok"])
    model: str = Field(description="Its name.")
    detail: str = Field(description="More on the status.")


class Passage(BaseModel):
    """Whole sentences of one section of a source: exactly `text[start:end]` of the document."""

    id: str = Field(description="For `GET /passages/{id}`.")
    document_id: str = Field(description="Id of the source.", examples=["crisis-group-b91"])
    start: int = Field(description="First character in the document's text.")
    end: int = Field(description="The character after its last.")
    first: int = Field(description="Position of its first sentence in the document, from 0.")
    last: int = Field(description="Position of its last sentence.")
    heading: str = Field(description="Heading of the section.")
    text: str = Field(description="The text, exactly.")
    index_text: str = Field(description="What is searched: title and heading in front of the text.")


class Hit(BaseModel):
    """A passage that the search found."""

    passage: Passage = Field(description="The passage.")
    score: float = Field(description="The fused score, 0 to 1.", examples=[0.87])
    rank: int = Field(description="Place, from 1.", examples=[1])
    dense: float = Field(description="Cosine of question and passage.", examples=[0.61])
    lexical: float = Field(description="BM25, divided by the best of this question.", examples=[1.0])


class Answer(BaseModel):
    """An answer with its citations, or an abstention with its reason."""

    id: str = Field(description="Id of this answer.")
    question: str = Field(description="The question as it was asked.", examples=[EXAMPLE_QUESTION])
    standalone_question: str = Field(description="The question as it was understood, follow-ups resolved.")
    status: Status = Field(description="`answered` or `abstained`.", examples=["answered"])
    answer: str = Field(description="The sentences with their citation numbers: `First. [1] Second. [2][3]`.")
    short_answer: ShortAnswer | None = Field(description="The words that answer, where a few do.")
    sentences: list[AnswerSentence] = Field(description="The sentences; empty when abstained.")
    citations: list[Citation] = Field(description="The quotes behind them, by number.")
    disagreements: list[Disagreement] = Field(description="Where the sources differ on what was asked.")
    unanswered: list[str] = Field(
        description="Of questions joined by `and`, those that the sources leave open while they answer another."
    )
    as_of: AsOf | None = Field(description="How old what is said is.")
    confidence: float = Field(
        description="Probability that the sources answer the question.", examples=[0.91]
    )
    abstention: Abstention | None = Field(description="Why there is no answer, when abstained.")
    suggestions: list[str] = Field(description="Questions that the corpus can answer.")
    corpus: CorpusInfo = Field(description="The corpus that was asked.")
    composer_used: Composing = Field(description="How the answer was made.", examples=["extractive"])
    llm: LLMReport | None = Field(description="What became of the language model, where one was asked.")
    passages: list[Hit] | None = Field(description="What the search found, when `include` asks for it.")
    timings: dict[str, float] | None = Field(
        description="Milliseconds by stage, when `include` asks for them."
    )


class SearchHit(Hit):
    """A passage found, with its source and its places."""

    source: SourceInfo = Field(description="Who published it, and when.")
    locators: list[Locator] = Field(description="The places of its sentences, in order.")


class SearchResponse(BaseModel):
    """What a search found, best first."""

    question: str = Field(description="What was searched for.")
    hits: list[SearchHit] = Field(description="The passages.")
    corpus: CorpusInfo = Field(description="Which corpus was searched.")


class SourceEntry(Source):
    """A source with its size."""

    sentences: int = Field(description="How many sentences it has.", examples=[216])
    passages: int = Field(description="How many passages.", examples=[52])


class SourceList(BaseModel):
    """All sources of the corpus."""

    sources: list[SourceEntry] = Field(description="In the corpus's order.")
    corpus: CorpusInfo = Field(description="The corpus.")


class PlacedSentence(BaseModel):
    """A sentence with its offsets in the document's text and its place in the original."""

    text: str = Field(description="The sentence: `text[start:end]` of the document.")
    start: int = Field(description="First character.")
    end: int = Field(description="The character after its last.")
    sha256: str = Field(description="SHA-256 of the sentence, for `GET /verify`.")
    heading: str = Field(description="Heading of the section.")
    paragraph: int = Field(description="Running number of the paragraph in the document, from 0.")
    locator: Locator = Field(description="Its place in the original.")


class SourceDetail(Source):
    """A source with its whole text."""

    text: str = Field(description="The text that offsets point into (Unicode code points).")
    sentences: list[PlacedSentence] = Field(description="Every sentence, in order.")


class PassageDetail(BaseModel):
    """A passage with its places and what stands around it."""

    passage: Passage = Field(description="The passage.")
    source: SourceInfo = Field(description="Who published it, and when.")
    sentences: list[PlacedSentence] = Field(description="Its sentences.")
    previous: Passage | None = Field(description="The passage before it in the document.")
    next: Passage | None = Field(description="The passage after it.")


class Page(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=500, description="Most entries.")
    offset: int = Field(0, ge=0, le=1_000_000, description="How many to leave out first.")


class PlaceEntry(BaseModel):
    """A sentence of a source."""

    source: SourceInfo = Field(description="The source that holds it.")
    sentence: PlacedSentence = Field(description="The sentence, its offsets and its place.")


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = Field(description="Always `ok`.")


class Ready(Health):
    """Index and model are loaded; questions can be asked."""

    version: str = Field(description="Version of nkqa.", examples=["0.1.0"])
    corpus: CorpusInfo = Field(description="The corpus that answers.")
    passages: int = Field(description="How many passages are searched.")
    built_at: str = Field(description="When the index was built.")
    embedding_model: str = Field(description="The model that questions are encoded with.")


MIRRORED: dict[type[BaseModel], type] = {
    SourceInfo: types.SourceInfo,
    Source: types.Source,
    Locator: types.Locator,
    Citation: types.Citation,
    AnswerSentence: types.AnswerSentence,
    ShortAnswer: types.ShortAnswer,
    Position: types.Position,
    Disagreement: types.Disagreement,
    AsOf: types.AsOf,
    Abstention: types.Abstention,
    CorpusInfo: types.CorpusInfo,
    LLMReport: types.LLMReport,
    Passage: types.Passage,
    Hit: types.Hit,
    Answer: types.Answer,
}
"""Which model describes which dataclass."""
