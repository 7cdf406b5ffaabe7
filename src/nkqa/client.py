"""A client of a running server, in three lines.

    with Client("http://127.0.0.1:8000") as client:
        answer = client.ask("How many Russian peacekeepers were sent?")
        print(answer.answer)

Answers are the dataclasses of `nkqa.types`, the same that the library itself gives.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError

from nkqa.errors import BadQuestion, NkqaError, NotFound, Unavailable
from nkqa.types import Answer, Composing, Hit, Passage, Source, Turn

T = TypeVar("T")
_ANSWER = TypeAdapter(Answer)
_HITS = TypeAdapter(list[Hit])
_SOURCES = TypeAdapter(list[Source])
_PASSAGE = TypeAdapter(Passage)


class Refused(NkqaError):
    """The server answered with a problem: its `status`, its `code`, and the whole document in `problem`."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("type", "")).rpartition(":")[2]
        self.problem = dict(problem)
        super().__init__(
            f"{status} {self.code}: {problem.get('detail') or problem.get('title') or 'no reason given'}"
        )


class Busy(Refused, Unavailable):
    """The server cannot answer now; `retry_after` says in how many seconds it may."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float) -> None:
        super().__init__(status, problem)
        self.retry_after = retry_after


class _Bad(Refused, BadQuestion):
    pass


class _Missing(Refused, NotFound):
    pass


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its name, and its data (an `Answer` for the event `answer`)."""

    name: str
    data: Answer | dict[str, Any]


class Client:
    """A connection to one server. Safe to share between threads; close it, or use it as a context."""

    def __init__(self, url: str = "http://127.0.0.1:8000", key: str = "", seconds: float = 60.0) -> None:
        """Take the server's address, an API key where one is needed, and the longest wait for an answer."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        filters: Mapping[str, Any] | None = None,
        composer: Composing | None = None,
        max_sentences: int = 5,
        include: Sequence[Literal["passages", "timings"]] = (),
    ) -> Answer:
        """Return the answer, or the abstention, to a question.

        Raises:
            BadQuestion: the question cannot be asked.
            Unavailable: the server cannot be reached, or not now (`Busy`).
            Refused: anything else that the server would not do.
        """
        body = _body(question, history, filters, composer, max_sentences, include)
        return _read(_ANSWER, self._send("POST", "/ask", json=body))

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        filters: Mapping[str, Any] | None = None,
        composer: Composing | None = None,
        max_sentences: int = 5,
    ) -> Iterator[Event]:
        """Yield what the server does as it does it, the event `answer` before the last.

        Raises:
            Refused, BadQuestion, Unavailable: as `ask`; also on the way.
        """
        body = _body(question, history, filters, composer, max_sentences, ())
        try:
            with self._http.stream("POST", "/ask/stream", json=body) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _refusal(answer)
                name = ""
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        yield _event(name, line.removeprefix("data: "))
        except httpx2.HTTPError as error:
            raise _unreachable(self._http.base_url, error) from error

    def search(self, question: str, k: int = 10, filters: Mapping[str, Any] | None = None) -> list[Hit]:
        """Return the best passages, best first."""
        body = {"question": question, "k": k, "filters": dict(filters or {})}
        return _read(_HITS, _part(self._send("POST", "/search", json=body), "hits"))

    def sources(self) -> list[Source]:
        """Return the sources of the corpus."""
        return _read(_SOURCES, _part(self._send("GET", "/sources"), "sources"))

    def source(self, id: str) -> dict[str, Any]:
        """Return a source with its text and its sentences."""
        return _object(self._send("GET", f"/sources/{_quoted(id)}"))

    def passage(self, id: str) -> Passage:
        """Return a passage."""
        return _read(_PASSAGE, _part(self._send("GET", f"/passages/{_quoted(id)}"), "passage"))

    def stands(self, document: str, start: int, end: int, sha256: str) -> bool:
        """Return whether a quote still stands where a citation says."""
        params: dict[str, str | int] = {"document": document, "start": start, "end": end, "sha256": sha256}
        return bool(_object(self._send("GET", "/verify", params=params))["stands"])

    def _send(self, method: str, path: str, **given: Any) -> bytes:  # noqa: ANN401 httpx2's own arguments
        try:
            answer = self._http.request(method, path, **given)
        except httpx2.HTTPError as error:
            raise _unreachable(self._http.base_url, error) from error
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer.content


def _body(
    question: str,
    history: Sequence[Turn],
    filters: Mapping[str, Any] | None,
    composer: Composing | None,
    max_sentences: int,
    include: Sequence[str],
) -> dict[str, Any]:
    return {
        "question": question,
        "history": [{"role": turn.role, "content": turn.content} for turn in history],
        "filters": dict(filters or {}),
        "composer": composer,
        "max_sentences": max_sentences,
        "include": list(include),
    }


def _unreachable(url: httpx2.URL, error: Exception) -> Unavailable:
    return Unavailable(f"{url}: {error or type(error).__name__}; is the server running? nkqa serve")


def _refusal(answer: httpx2.Response) -> Refused:
    try:
        problem = _object(answer.content)
    except NkqaError:
        problem = {"title": answer.reason_phrase}
    return _refused(answer.status_code, problem, answer.headers.get("retry-after", ""))


def _refused(status: int, problem: Mapping[str, Any], retry_after: str = "") -> Refused:
    if status in (429, 503):
        return Busy(status, problem, float(retry_after) if retry_after.isdecimal() else 1.0)
    kind = {404: _Missing, 422: _Bad}.get(status, Refused)
    return kind(status, problem)


def _event(name: str, data: str) -> Event:
    if name == "answer":
        return Event(name, _read(_ANSWER, data.encode()))
    told = _object(data.encode())
    if name == "error":
        raise _refused(int(told.get("status", 500)), told)
    return Event(name, told)


def _read(adapter: TypeAdapter[T], data: bytes) -> T:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise Unavailable(
            f"the server's answer is not one of nkqa's: {error.error_count()} errors"
        ) from error


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise Unavailable("the server's answer is not JSON") from error
    if not isinstance(found, dict):
        raise Unavailable("the server's answer is not a JSON object")
    return found


def _part(data: bytes, name: str) -> bytes:
    return json.dumps(_object(data).get(name)).encode()


def _quoted(id: str) -> str:
    return quote(id, safe="")
