"""`GET /healthz` (alive) and `GET /readyz` (index and model loaded)."""

from fastapi import APIRouter, Request

from nkqa.server import schema
from nkqa.server.problems import documented
from nkqa.server.service import service

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="Is the process alive?", responses=documented())
async def healthz() -> schema.Health:
    """Answer at once, whatever the engine does."""
    return schema.Health(status="ok")


@router.get("/readyz", summary="Can questions be asked?", responses=documented("maintenance"))
async def readyz(request: Request) -> schema.Ready:
    """Say what is loaded."""
    engine = service(request).engine
    corpus = engine.corpus
    return schema.Ready(
        status="ok",
        version=engine.manifest.nkqa_version,
        corpus=schema.CorpusInfo(
            fingerprint=corpus.fingerprint,
            documents=corpus.documents,
            issued_from=corpus.issued_from,
            issued_to=corpus.issued_to,
        ),
        passages=len(engine.passages),
        built_at=engine.manifest.built_at,
        embedding_model=engine.manifest.embedding_model,
    )
