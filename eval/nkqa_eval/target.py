"""What is asked: the engine in this process, or a running server; both look the same to the runner."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
from pydantic import TypeAdapter

from nkqa.errors import BadQuestion, Unavailable
from nkqa.types import Answer, Ask, Document, Hit, Passage, Sentence, Source
from nkqa_eval.questions import Gold
from nkqa_eval.retrieval import DEPTH
from nkqa_eval.row import Asked

_SECONDS = 60.0
_TRIES = 4
_ANSWER = TypeAdapter(Answer)
_PASSAGE = TypeAdapter(Passage)
_SOURCE = TypeAdapter(Source)
_SENTENCES = TypeAdapter(tuple[Sentence, ...])


class Target(Protocol):
    """Answers questions, and shows the documents and passages that its answers point into."""

    @property
    def name(self) -> str:
        """Say what it is, for the report."""
        ...

    @property
    def documents(self) -> Mapping[str, Document]:
        """Return the documents by id."""
        ...

    @property
    def passages(self) -> Sequence[Passage]:
        """Return all passages that are searched."""
        ...

    def ask(self, gold: Gold) -> Asked:
        """Ask one question; may be called from several threads."""
        ...


class AskedEngine(Protocol):
    """The part of `nkqa.engine.Engine` that is asked."""

    @property
    def documents(self) -> Mapping[str, Document]:
        """Return the documents by id."""
        ...

    @property
    def passages(self) -> Sequence[Passage]:
        """Return the passages in order."""
        ...

    def ask(self, ask: Ask) -> Answer:
        """Answer or abstain; raises BadQuestion."""
        ...

    def search(self, question: str, k: int = ...) -> list[Hit]:
        """Find passages."""
        ...


class InProcess:
    """An engine of this process."""

    def __init__(self, engine: AskedEngine) -> None:
        self.name = "in process"
        self.documents = engine.documents
        self.passages = engine.passages
        self._engine = engine

    def ask(self, gold: Gold) -> Asked:
        """Ask the engine; what was found is what the answer was made from, or else searched for again."""
        wanted = Ask(gold.question, gold.history, passages=True, timings=True)
        started = time.perf_counter()
        try:
            answer = self._engine.ask(wanted)
        except BadQuestion as error:
            return Asked(None, str(error), (), {"wall": _milliseconds(started)})
        wall = _milliseconds(started)
        hits = list(answer.passages or self._engine.search(answer.standalone_question, DEPTH))
        return asked(answer, hits, wall)


class OverHTTP:
    """A running server, asked through its public interface only; use as a context manager."""

    def __init__(self, url: str, client: httpx.Client | None = None, key: str = "") -> None:
        self.name = url
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = client or httpx.Client(base_url=url, timeout=_SECONDS, headers=headers)
        sources = self._get("/sources")
        self.fingerprint = str(sources["corpus"]["fingerprint"])
        listed = [entry["id"] for entry in sources["sources"]]
        self.documents = {name: _document(self._get(f"/sources/{name}")) for name in listed}
        self.passages = [passage for document in self.documents.values() for passage in self._walk(document)]

    def ask(self, gold: Gold) -> Asked:
        """Ask the server; 400 and 422 are questions turned down, anything else unexpected is an error."""
        body = {
            "question": gold.question,
            "history": [{"role": turn.role, "content": turn.content} for turn in gold.history],
            "include": ["passages", "timings"],
        }
        took: list[float] = []

        def send() -> httpx.Response:
            started = time.perf_counter()
            response = self._client.post("/ask", json=body)
            took.append(_milliseconds(started))
            return response

        response = self._send(send)
        wall = took[-1]
        if response.status_code in (400, 422):
            return Asked(None, str(response.json().get("detail", response.text)), (), {"wall": wall})
        answer = _ANSWER.validate_python(self._json(response))
        hits = list(answer.passages or ()) or self._search(answer.standalone_question, DEPTH)
        return asked(answer, hits, wall)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _walk(self, document: Document) -> list[Passage]:
        """Return the passages of a document by following the neighbours of one of them."""
        hits = self._search(document.source.title, 1, [document.id])
        if not hits:
            return []
        middle = hits[0].passage
        before, after = self._side(middle, "previous"), self._side(middle, "next")
        return [*reversed(before), middle, *after]

    def _side(self, passage: Passage, direction: str) -> list[Passage]:
        walked: list[Passage] = []
        while (found := self._get(f"/passages/{passage.id}")[direction]) is not None:
            passage = _PASSAGE.validate_python(found)
            walked.append(passage)
        return walked

    def _search(self, question: str, k: int, sources: Sequence[str] = ()) -> list[Hit]:
        body = {"question": question, "k": k, "filters": {"sources": list(sources)}}
        found = self._json(self._send(lambda: self._client.post("/search", json=body)))
        return [
            Hit(
                _PASSAGE.validate_python(hit["passage"]),
                hit["score"],
                hit["rank"],
                hit["dense"],
                hit["lexical"],
            )
            for hit in found["hits"]
        ]

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return self._json(self._send(lambda: self._client.get(path)))

    def _send(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send, and again when the server asks for patience, which is no part of what is measured."""
        try:
            for _ in range(_TRIES - 1):
                response = send()
                if response.status_code not in (429, 503) or "retry-after" not in response.headers:
                    return response
                time.sleep(min(float(response.headers["retry-after"]), _SECONDS))
            return send()
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.name} does not answer ({type(error).__name__}: {error}); "
                "start it there with `nkqa serve`"
            ) from error

    def _json(self, response: httpx.Response) -> Any:  # noqa: ANN401 - JSON
        if response.status_code != 200:
            raise Unavailable(
                f"{self.name}: {response.request.method} {response.request.url.path} gave "
                f"{response.status_code}: {response.text[:200]}"
            )
        return response.json()


def asked(answer: Answer, hits: Sequence[Hit], wall: float) -> Asked:
    """Return what came back, the passages in the order of their ranks."""
    ordered = sorted(hits, key=lambda hit: hit.rank)
    return Asked(
        answer, "", tuple(hit.passage for hit in ordered), {**(answer.timings or {}), "wall": round(wall, 3)}
    )


def _document(detail: dict[str, Any]) -> Document:
    source = _SOURCE.validate_python(detail)
    return Document(source.id, source, detail["text"], _SENTENCES.validate_python(detail["sentences"]))


def _milliseconds(started: float) -> float:
    return (time.perf_counter() - started) * 1000
