"""The first screen: what this is, what it rests on, what it will not do, and questions to begin with."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nkqa.engine import Engine
from nkqa_ui.html import esc, tag
from nkqa_ui.render import ask_url
from nkqa_ui.wording import between, count, day

TITLE = "Nagorno-Karabakh, November 2020"


@dataclass(frozen=True, slots=True)
class Example:
    """A question to begin with, its theme, and the sources that it needs."""

    theme: str
    question: str
    sources: tuple[str, ...]


@cache
def examples() -> tuple[Example, ...]:
    """Return the examples of `examples.json`."""
    raw = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))
    return tuple(Example(e["theme"], e["question"], tuple(e["sources"])) for e in raw)


def _examples(engine: Engine) -> str:
    shown = [e for e in examples() if set(e.sources) <= set(engine.documents)]
    items = "".join(
        tag(
            "li",
            tag(
                "a",
                tag("b", esc(e.theme)),
                tag("span", esc(e.question)),
                class_="ask",
                href=ask_url(e.question),
            ),
        )
        for e in shown
    )
    return tag("ul", items, class_="examples", aria_label="Questions to begin with") if shown else ""


def header() -> str:
    """Return the head of the page."""
    return tag("header", tag("h1", tag("b", "nkqa"), " ", tag("span", esc(TITLE))), class_="top")


def screen(engine: Engine) -> str:
    """Return what is shown before the first question."""
    info = engine.corpus
    rests = count(info.documents, "source")
    reach = between(info.issued_from, info.issued_to)
    return tag(
        "section",
        tag("h2", "Ask about the Nagorno-Karabakh conflict and the ceasefire of November 2020"),
        tag(
            "p",
            esc(
                f"Every sentence of an answer comes from one of {rests}, published {reach}, "
                "and says where it stands."
            ),
            class_="lede",
        ),
        tag(
            "p",
            esc(
                "It gives no opinions and makes no predictions, it chooses no side where its sources differ, "
                f"and it knows nothing after {day(info.issued_to)}."
            ),
            class_="wont",
        ),
        _examples(engine),
        class_="first",
    )


def footer(engine: Engine, feedback: bool) -> str:
    """Return the foot of the page: what is kept, and which corpus answers."""
    kept = (
        "Feedback that you send is kept, without your address."
        if feedback
        else "Feedback is off on this server."
    )
    memory = "Your conversation is kept in memory, for two hours at most, and written nowhere."
    if engine.settings.composer == "llm":
        memory += " Questions go to the language model that this server is set to use."
    corpus = f"Corpus {engine.corpus.fingerprint[:12]}."
    return tag("footer", tag("p", esc(f"{memory} {kept} {corpus}")), class_="foot")
