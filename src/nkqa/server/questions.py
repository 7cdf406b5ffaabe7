"""`POST /ask`, `GET /ask` and `POST /search`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from nkqa import types
from nkqa.server import schema
from nkqa.server.bodies import JsonRoute
from nkqa.server.places import source_info
from nkqa.server.problems import documented
from nkqa.server.service import Service, service, unchanged

router = APIRouter(route_class=JsonRoute, tags=["questions"])
ANSWER = TypeAdapter(types.Answer)
_HIT = TypeAdapter(dict[str, Any])
JSON_BODY = ("bad-json", "too-slow", "too-large", "wrong-media-type", "invalid")
ASK_ERRORS = (*JSON_BODY, "bad-question", "not-found", "unavailable", "internal")
_TAG = {"ETag": {"schema": {"type": "string"}, "description": "The same for the same question and corpus."}}


class AskQuery(BaseModel):
    """The parts of a question that fit into an address."""

    model_config = ConfigDict(extra="forbid")

    question: schema.Question = Field(
        description="The question, in English.", examples=[schema.EXAMPLE_QUESTION]
    )
    max_sentences: int = Field(5, ge=1, le=10, description="Most sentences in the answer.")


@router.post(
    "/ask",
    response_model=schema.Answer,
    responses={200: {"headers": _TAG}, **documented(*ASK_ERRORS)},
    summary="Ask a question",
)
async def ask(body: schema.AskRequest, request: Request) -> Response:
    """Answer with sentences of the sources, each with its place; or abstain, with the reason.

    An abstention is an answer (200, `status: "abstained"`); only failures are errors. A filter that names a
    source which does not exist is 404.
    """
    held = service(request)
    return await _answer(held, body.ask(held.settings.composer), request)


@router.get(
    "/ask",
    response_model=schema.Answer,
    responses={
        200: {"headers": _TAG},
        304: {"description": "The client holds the answer already (If-None-Match)."},
        **documented("address-too-long", "invalid", "bad-question", "unavailable", "internal"),
    },
    summary="Ask a question, in an address that can be kept",
)
async def ask_by_address(asked: Annotated[AskQuery, Query()], request: Request) -> Response:
    """Answer as `POST /ask` does, for links and caches; 304 to `If-None-Match` while nothing changed."""
    held = service(request)
    wanted = types.Ask(asked.question, max_sentences=asked.max_sentences)
    etag = held.ask_etag(wanted)
    if unchanged(request, etag):
        return Response(status_code=304, headers={"etag": etag})
    return await _answer(held, wanted, request)


async def _answer(held: Service, wanted: types.Ask, request: Request) -> Response:
    answer = await held.ask(wanted, request)
    steady = wanted.composer == "extractive" and not wanted.timings
    headers = {"etag": held.ask_etag(wanted), "cache-control": "private, no-cache"}
    return Response(
        ANSWER.dump_json(answer),
        media_type="application/json",
        headers=headers if steady else {"cache-control": "no-store"},
    )


@router.post(
    "/search",
    response_model=schema.SearchResponse,
    responses=documented(*ASK_ERRORS),
    summary="Search passages",
)
async def search(body: schema.SearchRequest, request: Request) -> Response:
    """Find passages without answering, best first."""
    held = service(request)
    engine = held.engine
    hits = await held.work.run(lambda: engine.search(body.question, body.k, body.filters.filters()))
    found = {
        "question": body.question,
        "hits": [_placed_hit(held, hit) for hit in hits],
        "corpus": engine.corpus,
    }
    return Response(_HIT.dump_json(found), media_type="application/json")


def _placed_hit(held: Service, hit: types.Hit) -> dict[str, Any]:
    document = held.engine.document(hit.passage.document_id)
    sentences = document.sentences[hit.passage.first : hit.passage.last + 1]
    return {
        "passage": hit.passage,
        "score": hit.score,
        "rank": hit.rank,
        "dense": hit.dense,
        "lexical": hit.lexical,
        "source": source_info(document),
        "locators": [s.locator for s in sentences],
    }
