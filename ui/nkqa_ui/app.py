"""The page itself: Gradio's blocks around our own HTML, and `mount` that puts it into the server."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
from fastapi import FastAPI

from nkqa.engine import Engine
from nkqa_ui import first, render, sources, timeline
from nkqa_ui import map as places
from nkqa_ui.conversation import KEPT, Asked, Desk, follow
from nkqa_ui.feedback import FeedbackFile
from nkqa_ui.guard import Guard
from nkqa_ui.html import esc, tag
from nkqa_ui.pages import add_pages, head

PLACEHOLDER = "Ask in your own words"
MOST_CHARACTERS = 1_000
SESSIONS = 1_000
"""Conversations that are kept in memory; the oldest go first."""
_FONTS = ("system-ui", "sans-serif")


def _html(value: str = "", elem_id: str | None = None, **given: Any) -> gr.Markdown:  # noqa: ANN401
    """A place for our own HTML; see nkqa_ui.html for why this is not gr.HTML."""
    return gr.Markdown(
        value,
        elem_id=elem_id,
        sanitize_html=False,
        latex_delimiters=[],
        container=False,
        show_label=False,
        **given,
    )


def _joined(turns: list[Asked]) -> str:
    return tag("div", *(t.html for t in turns), class_="turns") if turns else ""


class Page:
    """The components of the page and what happens between them."""

    def __init__(self, engine: Engine, feedback: bool) -> None:
        self.engine = engine
        self.feedback = feedback
        self.desk = Desk(engine, feedback)
        self.ids = list(engine.documents)

    def build(self) -> Any:  # noqa: ANN401
        """Return the blocks, wired."""
        with gr.Blocks(title=f"{first.TITLE} - nkqa", analytics_enabled=False, fill_width=True) as blocks:
            self.turns = gr.State([], time_to_live=7_200)
            _html(first.header(), "nkqa-top")
            with gr.Tabs(elem_id="nkqa-tabs"):
                self._ask_tab()
                self._sources_tab()
                self._lazy_tab("Timeline", "nkqa-timeline", self._timeline)
                self._lazy_tab("Map", "nkqa-map", self._map)
            _html(first.footer(self.engine, self.feedback), "nkqa-foot")
            self._wire(blocks)
        return blocks

    def _ask_tab(self) -> None:
        with gr.Tab("Ask", id="ask"):
            self.intro = _html(first.screen(self.engine), "nkqa-intro")
            self.past = _html("", "nkqa-past")
            self.current = _html("", "nkqa-current")
            self.said = _html("", "nkqa-said")
            with gr.Row(elem_id="nkqa-after", visible=False) as self.after:
                self.again = gr.Button("Ask again", size="sm", elem_id="nkqa-again")
                self.edit = gr.Button("Edit the question", size="sm", elem_id="nkqa-edit")
                self.clear = gr.Button("Clear all", size="sm", elem_id="nkqa-clear")
            with gr.Row(elem_id="nkqa-ask"):
                self.box = gr.Textbox(
                    label="Your question", placeholder=PLACEHOLDER, lines=1, max_lines=5, autofocus=True,
                    max_length=MOST_CHARACTERS, elem_id="nkqa-box", container=False, show_label=False,
                    scale=8,
                )  # fmt: skip
                self.send = gr.Button("Ask", variant="primary", elem_id="nkqa-send", scale=0, min_width=84)
                self.stop = gr.Button("Stop", visible=False, elem_id="nkqa-stop", scale=0, min_width=84)

    def _sources_tab(self) -> None:
        self.used: list[gr.Checkbox] = []
        with gr.Tab("Sources", id="sources"), gr.Column(elem_id="nkqa-sources"):
            intro = (
                "Answers are made from these alone. Untick one to leave it out of the answers that follow."
            )
            _html(tag("div", tag("h2", "Sources"), tag("p", intro)))
            for document in self.engine.documents.values():
                with gr.Row(elem_classes="source-row"):
                    self.used.append(
                        gr.Checkbox(True, label=f"Use {document.source.title}", container=False, scale=0)
                    )
                    _html(sources.card(document))

    def _lazy_tab(self, title: str, elem_id: str, draw: Any) -> None:  # noqa: ANN401
        """A tab that is drawn when it is opened first."""
        with gr.Tab(title, id=elem_id) as tab:
            shown = _html("", elem_id)
        tab.select(draw, None, shown, show_progress="hidden", api_visibility="private")

    def _timeline(self) -> str:
        intro = "Every date that a sentence of the sources names. A larger dot stands for more sentences."
        return tag("div", tag("h2", "Timeline"), tag("p", intro), timeline.draw(self.desk.events, "tl"))

    def _map(self) -> str:
        return tag("div", tag("h2", "Map"), places.draw(self.desk.places))

    def _left_out(self, used: tuple[bool, ...]) -> list[str]:
        return [i for i, use in zip(self.ids, used, strict=True) if not use]

    def _ask(self, question: str, turns: list[Asked], *used: bool) -> Iterator[dict[Any, Any]]:
        """Ask and show the answer as it is made."""
        question = (question or "").strip()
        if not question:
            yield {self.said: tag("p", "Type a question first.")}
            return
        before = [t for t in turns if t.done][-KEPT:]
        yield self._begin(question, before)
        for turn in follow(self.desk, question, before, self._left_out(used)):
            yield self._step(turn, before, question)

    def _begin(self, question: str, before: list[Asked]) -> dict[Any, Any]:
        return {
            self.intro: gr.update(visible=False),
            self.past: _joined(before),
            self.current: render.pending(question, "now", "Reading the question"),
            self.said: tag("p", "Looking in the sources."),
            self.box: "",
            self.stop: gr.update(visible=True),
            self.after: gr.update(visible=False),
        }

    def _step(self, turn: Asked, before: list[Asked], question: str) -> dict[Any, Any]:
        shown: dict[Any, Any] = {self.current: turn.html}
        if turn.done:
            shown |= {
                self.turns: [*before, turn],
                self.said: tag("p", esc(turn.said)),
                self.stop: gr.update(visible=False),
                self.after: gr.update(visible=True),
            }
            if turn.answer is None:
                shown[self.box] = question
        return shown

    def _retry(self, turns: list[Asked], *used: bool) -> Iterator[dict[Any, Any]]:
        """Ask the last question again in the place of its answer."""
        if turns:
            yield from self._ask(turns[-1].question, turns[:-1], *used)

    def _take_back(self, turns: list[Asked]) -> dict[Any, Any]:
        """Put the last question back into the box and take its answer away."""
        if not turns:
            return {self.said: ""}
        rest = turns[:-1]
        return {
            self.turns: rest,
            self.past: _joined(rest),
            self.current: "",
            self.box: turns[-1].question,
            self.said: tag("p", "Your question is back in the box."),
            self.intro: gr.update(visible=not rest),
            self.after: gr.update(visible=bool(rest)),
        }

    def _clear(self) -> dict[Any, Any]:
        return {
            self.turns: [], self.past: "", self.current: "", self.box: "",
            self.said: tag("p", "The conversation is cleared."),
            self.intro: gr.update(visible=True), self.after: gr.update(visible=False),
            self.stop: gr.update(visible=False),
        }  # fmt: skip

    def _stopped(self, turns: list[Asked]) -> dict[Any, Any]:
        return {
            self.current: "",
            self.said: tag("p", "Stopped."),
            self.stop: gr.update(visible=False),
            self.intro: gr.update(visible=not turns),
            self.after: gr.update(visible=bool(turns)),
        }

    def _from_link(self, request: gr.Request, *used: bool) -> Iterator[dict[Any, Any]]:
        """Ask what the address of the page asks."""
        question = str(request.query_params.get("q") or "")[:MOST_CHARACTERS]
        if question.strip():
            yield from self._ask(question, [], *used)
        else:
            yield {self.said: ""}

    def _wire(self, blocks: gr.Blocks) -> None:
        shown = [self.turns, self.intro, self.past, self.current, self.said, self.box, self.stop, self.after]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        given = [self.box, self.turns, *self.used]
        asking = gr.on(
            [self.box.submit, self.send.click], self._ask, given, shown, trigger_mode="once", **quiet
        )
        retrying = self.again.click(self._retry, [self.turns, *self.used], shown, **quiet)
        linked = blocks.load(self._from_link, self.used or None, shown, **quiet)
        self.stop.click(
            self._stopped,
            self.turns,
            shown,
            cancels=[asking, retrying, linked],
            concurrency_limit=None,
            **quiet,
        )
        self.edit.click(self._take_back, self.turns, shown, concurrency_limit=None, **quiet)
        self.clear.click(
            self._clear, None, shown, cancels=[asking, retrying, linked], concurrency_limit=None, **quiet
        )


def theme() -> gr.themes.Base:
    """Return a theme of system fonts; colours are those of style.css."""
    return gr.themes.Base(font=list(_FONTS), font_mono=["ui-monospace", "monospace"])


def mount(app: FastAPI, engine: Engine) -> FastAPI:
    """Put the page at `/` of a server, behind its guard; call it after all other routes are there."""
    path = engine.settings.feedback_file
    feedback = FeedbackFile(path, engine.corpus.fingerprint) if path else None
    add_pages(app, engine, feedback)
    blocks = Page(engine, feedback is not None).build()
    blocks.state_session_capacity = SESSIONS
    blocks.queue(max_size=32, default_concurrency_limit=2, api_open=False)
    gr.mount_gradio_app(
        app, blocks, path="/", show_error=False, ssr_mode=False, enable_monitoring=False, mcp_server=False,
        pwa=False,
        run_history=False, footer_links=[], max_file_size=1, theme=theme(),
    )  # fmt: skip
    mounted: Any = app.router.routes[-1]
    mounted.app = Guard(mounted.app, head())
    return app
