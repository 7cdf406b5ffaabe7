"""`POST /ask/stream`: the answer as server-sent events, each stage as it is done."""

from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from nkqa.engine import Engine, Retrieved, Understood
from nkqa.server import schema
from nkqa.server.bodies import JsonRoute
from nkqa.server.problems import as_problem, document, documented
from nkqa.server.questions import ASK_ERRORS
from nkqa.server.service import service
from nkqa.types import Answer, Hit

router = APIRouter(route_class=JsonRoute, tags=["questions"])
STREAMED = {"cache-control": "no-store", "x-accel-buffering": "no"}
_JSON = TypeAdapter(Any)
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["understood", "sources", "sentence", "answer", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_EXAMPLE = """event: understood
data: {"standalone_question":"How many peacekeepers were sent?","kind":"how_many","names":[],"dates":[]}

event: sources
data: {"passages":[{"rank":1,"score":0.93,"passage_id":"…","document":"…","title":"…","issued":"…"}]}

event: sentence
data: {"text":"First sentence.","citations":[{"number":1,"quote":"First sentence."}],"score":0.93}

event: answer
data: {"id":"…","status":"answered"}

event: done
data: {}
"""


def event(name: str, data: object) -> bytes:
    """Return one server-sent event; JSON holds no line break, so one `data` line is enough."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _JSON.dump_json(data))


@router.post(
    "/ask/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`understood`, `sources`, a `sentence` for each, `answer` (what `POST /ask` "
            "returns), `done`; or `error` with a problem document, and nothing after it.",
            "content": {"text/event-stream": {"itemSchema": _EVENT, "example": _EXAMPLE}},
        },
        **documented(*ASK_ERRORS),
    },
    summary="Ask a question, and see the answer being made",
)
async def ask_stream(body: schema.AskRequest, request: Request) -> StreamingResponse:
    """Answer as `POST /ask` does, in server-sent events; a bad request is answered as there."""
    held = service(request)
    stages = held.stream(body.ask(held.settings.composer), request)
    first = await anext(stages)

    async def events() -> AsyncGenerator[bytes]:
        try:
            stage = first
            while True:
                for name, data in _told(held.engine, stage):
                    yield event(name, data)
                stage = await anext(stages)
        except StopAsyncIteration:
            yield event("done", {})
        except Exception as error:  # noqa: BLE001 the status is sent already: the error is the last event
            yield event("error", document(as_problem(error), request.scope["state"].get("request_id", "")))
        finally:
            await stages.aclose()

    return StreamingResponse(events(), media_type="text/event-stream", headers=STREAMED)


def _told(engine: Engine, stage: Understood | Retrieved | Answer) -> list[tuple[str, object]]:
    match stage:
        case Understood(question):
            names = [
                {"id": m.entry.id, "name": m.entry.names[0], "start": m.start, "end": m.end}
                for m in question.names
            ]
            dates = [{"date": d.iso, "start": d.start, "end": d.end} for d in question.dates]
            told = {
                "standalone_question": question.standalone,
                "kind": question.kind,
                "names": names,
                "dates": dates,
            }
            return [("understood", told)]
        case Retrieved(hits):
            return [("sources", {"passages": [_brief(engine, hit) for hit in hits]})]
        case Answer():
            numbered = {c.number: c for c in stage.citations}
            sentences: list[tuple[str, object]] = [
                (
                    "sentence",
                    {"text": s.text, "citations": [numbered[n] for n in s.citations], "score": s.score},
                )
                for s in stage.sentences
            ]
            return [*sentences, ("answer", stage)]


def _brief(engine: Engine, hit: Hit) -> dict[str, object]:
    source = engine.document(hit.passage.document_id).source
    return {
        "rank": hit.rank,
        "score": hit.score,
        "passage_id": hit.passage.id,
        "document": source.id,
        "title": source.title,
        "issued": source.issued,
        "heading": hit.passage.heading,
    }
