"""`GET /sources`, `/sources/{id}` and `/passages/{id}`: the corpus itself."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from nkqa.server import schema
from nkqa.server.places import placed, source_info
from nkqa.server.problems import documented
from nkqa.server.service import service, unchanged

router = APIRouter(tags=["corpus"])
JSON = TypeAdapter(dict[str, Any])
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged since the client's ETag."}}


def tagged(request: Request, body: dict[str, Any]) -> Response:
    """Return `body` as JSON with a tag of corpus and address, or 304 where the client holds it."""
    etag = service(request).etag(str(request.url.path), str(request.url.query))
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(JSON.dump_json(body), media_type="application/json", headers=headers)


@router.get(
    "/sources",
    response_model=schema.SourceList,
    responses={**NOT_MODIFIED, **documented()},
    summary="List the sources",
)
async def sources(request: Request) -> Response:
    """Return every source of the corpus, without its text."""
    engine = service(request).engine
    passages = Counter(p.document_id for p in engine.passages)
    entries = [
        {**asdict(d.source), "sentences": len(d.sentences), "passages": passages[d.id]}
        for d in engine.documents.values()
    ]
    return tagged(request, {"sources": entries, "corpus": engine.corpus})


@router.get(
    "/sources/{id}",
    response_model=schema.SourceDetail,
    responses={**NOT_MODIFIED, **documented("not-found")},
    summary="Read a source",
)
async def source(id: str, request: Request) -> Response:
    """Return a source with its text and every sentence's place."""
    document = service(request).engine.document(id)
    sentences = [placed(document, s) for s in document.sentences]
    return tagged(request, {**asdict(document.source), "text": document.text, "sentences": sentences})


@router.get(
    "/passages/{id}",
    response_model=schema.PassageDetail,
    responses={**NOT_MODIFIED, **documented("not-found")},
    summary="Read a passage",
)
async def passage(id: str, request: Request) -> Response:
    """Return a passage with its places and its neighbours in the document."""
    engine = service(request).engine
    found = engine.passage(id)
    document = engine.document(found.document_id)
    previous, following = engine.neighbours(found)
    body = {
        "passage": found,
        "source": source_info(document),
        "sentences": [placed(document, s) for s in document.sentences[found.first : found.last + 1]],
        "previous": previous,
        "next": following,
    }
    return tagged(request, body)
