"""`GET /verify`: does a quote that somebody kept still stand where it stood?"""

from hashlib import sha256
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from nkqa.server import schema
from nkqa.server.places import PlacedSentence, placed
from nkqa.server.problems import documented
from nkqa.server.service import service

router = APIRouter(tags=["corpus"])
_MOST = 100_000_000


class VerifyQuery(BaseModel):
    """A quote as a citation gives it."""

    model_config = ConfigDict(extra="forbid")

    document: schema.Name = Field(description="Id of the document.", examples=["crisis-group-b91"])
    start: int = Field(ge=0, le=_MOST, description="First character of the quote in the document's text.")
    end: int = Field(ge=1, le=_MOST, description="The character after its last.")
    sha256: schema.Sha256 = Field(description="SHA-256 of the quote in UTF-8.")


class Verdict(BaseModel):
    """Whether the quote stands."""

    status: Literal["stands", "moved", "changed", "no_document"] = Field(
        description="`stands`: there, word for word. `moved`: a sentence of the document, but elsewhere. "
        "`changed`: no longer a sentence of the document. `no_document`: the corpus has no such document."
    )
    stands: bool = Field(description="Whether `status` is `stands`.")
    text: str | None = Field(description="What stands at these offsets now, 2,000 characters at most.")
    moved_to: schema.PlacedSentence | None = Field(description="Where the sentence is now, when it moved.")


@router.get("/verify", responses=documented("invalid"), summary="Does a quote still stand?")
async def verify(asked: Annotated[VerifyQuery, Query()], request: Request) -> Verdict:
    """Compare the text at these offsets with the hash of the quote."""
    document = service(request).engine.documents.get(asked.document)
    if document is None:
        return Verdict(status="no_document", stands=False, text=None, moved_to=None)
    text = document.text[asked.start : asked.end]
    if text and sha256(text.encode()).hexdigest() == asked.sha256:
        return Verdict(status="stands", stands=True, text=text[:2000], moved_to=None)
    sentences = (placed(document, s) for s in document.sentences)
    moved = next((s for s in sentences if s.sha256 == asked.sha256), None)
    status: Literal["moved", "changed"] = "moved" if moved else "changed"
    return Verdict(status=status, stands=False, text=text[:2000] or None, moved_to=_wire(moved))


def _wire(sentence: PlacedSentence | None) -> schema.PlacedSentence | None:
    return schema.PlacedSentence.model_validate(sentence, from_attributes=True) if sentence else None
