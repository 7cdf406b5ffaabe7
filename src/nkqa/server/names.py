"""`GET /names` and `/names/{name}`: where the corpus speaks of somebody or something."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from nkqa.errors import NotFound
from nkqa.names import Name
from nkqa.server.problems import documented
from nkqa.server.schema import Page, PlaceEntry
from nkqa.server.service import service
from nkqa.server.sources import NOT_MODIFIED, tagged

router = APIRouter(tags=["corpus"])


class NameEntry(BaseModel):
    """Somebody or something that the corpus names."""

    id: str = Field(description="Id.", examples=["shusha"])
    kind: str = Field(description="place, person, body, agreement, event or people.", examples=["place"])
    names: list[str] = Field(
        description="Every spelling, the head name first.", examples=[["Shusha", "Shushi"]]
    )
    description: str = Field(description="One neutral line.")
    latitude: float | None = Field(description="Degrees, for places.")
    longitude: float | None = Field(description="Degrees, for places.")
    sentences: int = Field(description="How many sentences name it.", examples=[12])


class NameList(BaseModel):
    """All names of the corpus."""

    names: list[NameEntry] = Field(description="In the gazetteer's order.")


class NameDetail(NameEntry):
    """A name and the sentences that hold it."""

    mentions: list[PlaceEntry] = Field(description="The sentences, in the corpus's order.")


def _entry(name: Name, sentences: int) -> dict[str, object]:
    return {**asdict(name), "sentences": sentences}


@router.get(
    "/names", response_model=NameList, responses={**NOT_MODIFIED, **documented()}, summary="List the names"
)
async def names(request: Request) -> Response:
    """Return every name of the gazetteer, and how often the corpus has it."""
    held = service(request)
    found = await held.work.run(lambda: held.places.names)
    return tagged(
        request, {"names": [_entry(n, len(found.get(n.id, ()))) for n in held.engine.names.entries]}
    )


@router.get(
    "/names/{name}",
    response_model=NameDetail,
    responses={**NOT_MODIFIED, **documented("not-found", "invalid")},
    summary="Where is somebody named?",
)
async def name(name: str, page: Annotated[Page, Query()], request: Request) -> Response:
    """Return a name, by its id or any spelling, and the sentences that hold it in any spelling."""
    held = service(request)
    entry = held.engine.names.get(name)
    if entry is None:
        raise NotFound(f"no name has the id or spelling {name!r}; see GET /names")
    found = (await held.work.run(lambda: held.places.names)).get(entry.id, [])
    shown = found[page.offset : page.offset + page.limit]
    return tagged(request, {**_entry(entry, len(found)), "mentions": shown})
