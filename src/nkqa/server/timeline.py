"""`GET /timeline`: the sentences that hold a date, by date."""

from bisect import bisect_left
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from nkqa.server.problems import documented
from nkqa.server.schema import Day, Page, PlaceEntry
from nkqa.server.schema import Name as Id
from nkqa.server.service import service
from nkqa.server.sources import NOT_MODIFIED, tagged

router = APIRouter(tags=["corpus"])


class TimelineQuery(Page):
    """Which dates."""

    first: Day | None = Field(None, alias="from", description="No date before this.", examples=["2020-09"])
    last: Day | None = Field(None, alias="to", description="No date after this.", examples=["2020-12-31"])
    source: Id | None = Field(None, description="Only this source.")


class DatedEntry(PlaceEntry):
    """A sentence and a date in it."""

    date: str = Field(description="The date as far as it is given.", examples=["2020-11-09"])
    first: str = Field(description="The first day it can mean.", examples=["2020-11-09"])
    last: str = Field(description="The last day.", examples=["2020-11-09"])


class Timeline(BaseModel):
    """Dated sentences, by date."""

    total: int = Field(description="How many there are in all.", examples=[120])
    entries: list[DatedEntry] = Field(description="Those of this page.")


@router.get(
    "/timeline",
    response_model=Timeline,
    responses={**NOT_MODIFIED, **documented("not-found", "invalid")},
    summary="What happened when?",
)
async def timeline(asked: Annotated[TimelineQuery, Query()], request: Request) -> Response:
    """Return the sentences that hold a date, by date; a date without its year is left out."""
    held = service(request)
    if asked.source is not None:
        held.engine.document(asked.source)
    all_dated = await held.work.run(lambda: held.places.timeline)
    end = bisect_left(all_dated, f"{asked.last or '9999'}~", key=lambda d: d.first)
    chosen = [
        d
        for d in all_dated[:end]
        if (asked.first is None or d.last >= asked.first) and asked.source in (None, d.source.id)
    ]
    shown = chosen[asked.offset : asked.offset + asked.limit]
    return tagged(request, {"total": len(chosen), "entries": shown})
