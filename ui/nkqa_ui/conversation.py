"""The turns of a conversation: each question asked with what was said before, shown as it is answered."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from secrets import token_hex

from nkqa.engine import Engine, Retrieved, Understood
from nkqa.errors import BadQuestion, NkqaError
from nkqa.types import Answer, Ask, Filters, Turn
from nkqa_ui import map as places
from nkqa_ui import render, timeline
from nkqa_ui.html import tag
from nkqa_ui.wording import count, who

KEPT = 30
"""Turns that a conversation keeps; older ones go."""
TOLD = 20
"""Messages that the engine is told of, newest last."""
NO_SOURCE = "Every source is left out. Tick at least one under Sources, then ask again."

_log = logging.getLogger("nkqa.ui")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is shown for it; `answer` is None before there is one and after a failure."""

    key: str
    question: str
    html: str
    said: str
    answer: Answer | None = None
    done: bool = False


def history(turns: Sequence[Asked]) -> tuple[Turn, ...]:
    """Return what was said before, as the engine takes it."""
    told: list[Turn] = []
    for turn in turns:
        if turn.answer is not None:
            told += [Turn("user", turn.question), Turn("assistant", turn.answer.answer)]
    return tuple(told[-TOLD:])


def filters(engine: Engine, left_out: Collection[str]) -> Filters:
    """Return the filters that leave these sources out."""
    if not left_out:
        return Filters()
    return Filters(sources=tuple(i for i in engine.documents if i not in left_out))


class Desk:
    """What questions are asked of: the engine, and whether feedback on its answers is kept."""

    def __init__(self, engine: Engine, feedback: bool) -> None:
        self.engine = engine
        self.feedback = feedback

    @cached_property
    def places(self) -> list[places.Place]:
        """The places that the sources name; found when first asked for."""
        return places.of_documents(self.engine.documents.values(), self.engine.names)

    @cached_property
    def events(self) -> list[timeline.Event]:
        """The dated events of the sources; found when first asked for."""
        return timeline.of_documents(self.engine.documents.values())


def figures(answer: Answer, desk: Desk, key: str) -> str:
    """Return timeline and map of an answer, folded; nothing where there is too little to look at."""
    parts = []
    events = timeline.of_answer(answer)
    if len(events) > 1:
        parts.append(_folded(f"Timeline: {count(len(events), 'date')}", timeline.draw(events, f"{key}-tl")))
    found = places.of_answer(answer, desk.engine.names)
    if found:
        parts.append(_folded(f"Map: {count(len(found), 'place')}", places.draw(found, desk.places)))
    return "".join(parts)


def _folded(title: str, body: str) -> str:
    return tag("details", tag("summary", title), body, class_="figure")


def new_key() -> str:
    """Return an id for a turn that no other turn of the page has."""
    return f"t{token_hex(4)}"


def _failed(key: str, question: str, message: str) -> Asked:
    return Asked(key, question, render.failed(question, key, message), message, done=True)


def _stages(desk: Desk, ask: Ask, key: str, without: Sequence[str]) -> Iterator[Asked]:
    engine = desk.engine
    for stage in engine.stream(ask):
        if isinstance(stage, Understood):
            message = "Searching the sources"
            yield Asked(key, ask.question, render.pending(ask.question, key, message), message)
        elif isinstance(stage, Retrieved):
            found = [engine.documents[h.passage.document_id].source for h in stage.hits]
            message = f"Reading {count(len(stage.hits), 'passage')}"
            read = tuple(dict.fromkeys(who(s.author, s.publisher) for s in found))
            yield Asked(key, ask.question, render.pending(ask.question, key, message, read), message)
        else:
            shown = render.turn(stage, key, figures(stage, desk, key), desk.feedback, without)
            yield Asked(key, ask.question, shown, render.spoken(stage), stage, done=True)


def follow(desk: Desk, question: str, before: Sequence[Asked], left_out: Collection[str]) -> Iterator[Asked]:
    """Ask and yield the turn as it grows; the last one is done. Nothing is raised."""
    engine, key, question = desk.engine, new_key(), question.strip()
    if left_out and set(engine.documents) <= set(left_out):
        yield _failed(key, question, NO_SOURCE)
        return
    try:
        without = [engine.documents[i].source.title for i in left_out]
        composer = engine.settings.composer
        ask = Ask(question, history(before), filters(engine, left_out), composer)
        yield from _stages(desk, ask, key, without)
    except BadQuestion as error:
        yield _failed(key, question, str(error))
    except NkqaError as error:
        _log.warning("a question could not be answered: %s", type(error).__name__)
        yield _failed(key, question, str(error))
    except Exception:  # noqa: BLE001 - the page must say something whatever happened; the log has the rest
        code = token_hex(3)
        _log.exception("fault %s", code)
        yield _failed(
            key, question, f"This server made a mistake (fault {code}). Ask again, or ask in other words."
        )
