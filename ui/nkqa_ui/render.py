"""An Answer as safe HTML: the text with its citations, a card for each, and what the sources differ on."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from nkqa.types import Answer, AnswerSentence, Citation, Disagreement, Position
from nkqa_ui import export
from nkqa_ui.html import esc, host_of, lines, outside, tag, web_url
from nkqa_ui.wording import REASONS, between, count, day, kind, listed, voice, who, with_dates

_COPIES = (("text", "as text"), ("markdown", "as Markdown"), ("bibtex", "BibTeX"), ("ris", "RIS"))
VERDICTS = {
    "right": "Right",
    "wrong": "Wrong",
    "wrong_source": "Wrong source",
    "missing": "Something is missing",
    "biased": "One-sided",
}


def ask_url(question: str) -> str:
    """Return the address of the page that asks `question`."""
    return "./?" + urlencode({"q": question})


def source_url(document: str, start: int, end: int) -> str:
    """Return the address of the source view with `[start, end)` marked."""
    return "page/source?" + urlencode({"id": document, "start": start, "end": end}) + "#here"


def short_name(citation: Citation) -> str:
    """Return who speaks in a citation."""
    return who(citation.source.author, citation.source.publisher) or citation.source.title


def marker(citation: Citation, key: str) -> str:
    """Return the number of a citation as a link to its place in the source view."""
    return tag(
        "a",
        str(citation.number),
        class_="cite",
        href=source_url(citation.document, citation.start, citation.end),
        data_card=f"{key}-c{citation.number}",
        aria_label=f"{citation.number}: {short_name(citation)}, {citation.locator.label}",
        aria_describedby=f"{key}-q{citation.number}",
    )


def _answering(answer: Answer, index: int) -> list[tuple[int, int]]:
    """The stretches of a sentence that answer: the short answer, or what each side says where sources differ."""
    given: AnswerSentence = answer.sentences[index]
    values = [
        value
        for found in answer.disagreements
        for position in found.positions
        for value, number in zip(position.values, position.citations, strict=True)
        if number in given.citations
    ]
    told = [(given.text.find(v), given.text.find(v) + len(v)) for v in values if v and v in given.text]
    short = answer.short_answer
    if not answer.disagreements and short is not None and short.sentence == index:
        told = [(short.start, short.end)] if given.text[short.start : short.end] == short.text else []
    return told


def _marked(text: str, stretches: Iterable[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(stretches):
        if start >= at:
            parts += [esc(text[at:start]), tag("mark", esc(text[start:end]), class_="short")]
            at = end
    return "".join([*parts, esc(text[at:])])


def sentence(answer: Answer, index: int, key: str) -> str:
    """Return a sentence of the answer with the numbers that it rests on."""
    given: AnswerSentence = answer.sentences[index]
    known = {c.number: c for c in answer.citations}
    marks = "".join(marker(known[n], key) for n in given.citations if n in known)
    text = _marked(given.text, _answering(answer, index))
    return tag("span", text, f'<span class="cites">&#8288;{marks}</span>', class_="s", dir="auto")


def card(citation: Citation, key: str, label: str | None = None) -> str:
    """Return the card of a citation: quote, who published it, when, where it stands, and the links to it."""
    number = str(citation.number) if label is None else label
    source = citation.source
    where = web_url(citation.locator.url) or web_url(source.URL)
    opened = f"Original at {host_of(where)}" if where else ""
    return tag(
        "li",
        tag("span", esc(number), class_="badge", aria_hidden="true") if number else "",
        tag(
            "div",
            tag("blockquote", esc(citation.quote), id=f"{key}-q{citation.number}", dir="auto"),
            tag("p", tag("cite", esc(source.title), dir="auto"), class_="title"),
            tag(
                "p",
                f"{esc(short_name(citation))} · {esc(day(source.issued))} · ",
                tag("b", esc(citation.locator.label)),
                class_="place",
            ),
            tag("p", f"{esc(kind(source.type))} · {esc(voice(source.perspective))}", class_="voice"),
            tag(
                "p",
                tag(
                    "a",
                    "Read in context",
                    class_="view",
                    href=source_url(citation.document, citation.start, citation.end),
                ),
                outside(where, opened, class_="out") if where else "",
                class_="links",
            ),
            class_="body",
        ),
        class_="card",
        id=f"{key}-c{citation.number}",
    )


def _row(words: str, numbers: list[int], known: dict[int, Citation], key: str) -> str:
    cited = [known[n] for n in numbers if n in known]
    said_by = list(dict.fromkeys(short_name(c) for c in cited))
    dates = sorted({c.source.issued for c in cited})
    return tag(
        "tr",
        tag("th", esc(words), scope="row", dir="auto"),
        tag("td", esc("; ".join(said_by))),
        tag("td", esc("; ".join(day(d) for d in dates)), class_="when"),
        tag("td", "".join(marker(c, key) for c in cited), class_="cites"),
    )


def _side(position: Position, known: dict[int, Citation], key: str) -> str:
    return tag("tbody", *(_row(words, numbers, known, key) for words, numbers in position.wordings().items()))


def disagreement(found: Disagreement, known: dict[int, Citation], key: str) -> str:
    """Return a table with a body for each position, a row for each of its wordings; none is chosen."""
    head = "".join(
        tag("th", title, scope="col") for title in ("What is said", "Who says it", "Published", "Where")
    )
    return tag(
        "section",
        tag(
            "table",
            tag("caption", tag("b", "The sources differ"), f": {esc(found.about)}"),
            tag("thead", tag("tr", head)),
            *(_side(p, known, key) for p in found.positions),
        ),
        class_="differ",
        aria_label="The sources differ",
    )


def unanswered(answer: Answer) -> str:
    """Return the line that names what was asked as well and the sources leave open."""
    parts = "; ".join(tag("q", esc(part), dir="auto") for part in answer.unanswered)
    return tag("p", "None of the sources answers: ", parts, class_="note") if parts else ""


def as_of(answer: Answer) -> str:
    """Return the line that dates the answer."""
    if answer.as_of is None:
        return ""
    number = len({c.document for c in answer.citations})
    dates = between(answer.as_of.earliest, answer.as_of.latest)
    one = f"As of {dates}, when the source cited was published."
    return tag(
        "p",
        esc(one if number == 1 else f"As of {dates}, when the {number} sources cited were published."),
        class_="asof",
    )


def _suggestions(answer: Answer) -> str:
    if not answer.suggestions:
        return ""
    links = "".join(tag("li", tag("a", esc(s), class_="ask", href=ask_url(s))) for s in answer.suggestions)
    return tag("div", tag("h3", "You could ask"), tag("ul", links), class_="suggest")


def _model_note(answer: Answer) -> str:
    if answer.composer_used == "llm":
        model = answer.llm.model if answer.llm else "a language model"
        return tag(
            "p", esc(f"Put together by {model}; every sentence was checked against its quote."), class_="note"
        )
    if answer.llm is not None and answer.llm.status != "ok":
        return tag(
            "p",
            "The language model gave no usable answer, so these are the sources' sentences alone.",
            class_="note",
        )
    return ""


def _cards(citations: tuple[Citation, ...], key: str, title: str, numbered: bool = True) -> str:
    if not citations:
        return ""
    items = "".join(card(c, key, None if numbered else "") for c in citations)
    return tag(
        "section", tag("h3", esc(title)), tag("ol", items, class_="cards", role="list"), class_="places"
    )


def _answered(answer: Answer, key: str, figures: str) -> str:
    known = {c.number: c for c in answer.citations}
    text = " ".join(sentence(answer, i, key) for i in range(len(answer.sentences)))
    return "".join(
        [
            tag("div", text, class_="text", dir="auto"),
            unanswered(answer),
            as_of(answer),
            _model_note(answer),
            *(disagreement(d, known, key) for d in answer.disagreements),
            _cards(answer.citations, key, "Where it stands"),
            figures,
            _suggestions(answer),
        ]
    )


def _abstained(answer: Answer, key: str) -> str:
    found = answer.abstention
    if found is None:
        return tag("p", esc(answer.answer), class_="text")
    reach = between(answer.corpus.issued_from, answer.corpus.issued_to)
    return "".join(
        [
            tag(
                "p",
                tag("b", esc(REASONS.get(found.reason, "No answer"))),
                esc(with_dates(found.message)),
                class_="none",
            ),
            tag(
                "p",
                esc(f"The page rests on {count(answer.corpus.documents, 'source')} published {reach}."),
                class_="asof",
            ),
            _cards(found.nearest, key, "Nearest in the sources", numbered=False),
            _suggestions(answer),
        ]
    )


def understood(answer: Answer) -> str:
    """Return the question as it was understood, where that is not how it was put."""
    if answer.standalone_question.strip().casefold() == answer.question.strip().casefold():
        return ""
    return tag(
        "p", "Understood as: ", tag("q", esc(answer.standalone_question), dir="auto"), class_="understood"
    )


def _copies(answer: Answer) -> str:
    texts = export.all_formats(answer)
    buttons = "".join(
        tag("button", f"Copy {esc(words)}", type="button", data_do="copy", data_format=name)
        for name, words in _COPIES
    )
    kept = "".join(tag("pre", lines(texts[name]), hidden=True, data_export=name) for name, _ in _COPIES)
    return tag("details", tag("summary", "Copy"), tag("div", buttons, kept, class_="buttons"), class_="menu")


def feedback_form(answer: Answer, key: str) -> str:
    """Return the form that says what is right or wrong with an answer."""
    choices = "".join(
        f'<label><input type="radio" name="{key}-verdict" value="{code}" required> {esc(words)}</label>'
        for code, words in VERDICTS.items()
    )
    note = (
        f'<label class="say" for="{key}-say">A sentence, if you like</label>'
        f'<input type="text" id="{key}-say" name="comment" maxlength="500" autocomplete="off">'
    )
    form = tag(
        "form",
        tag("fieldset", tag("legend", "This answer is"), choices),
        note,
        tag("button", "Send", type="submit"),
        data_do="feedback",
        data_answer=answer.id,
        data_question=answer.question,
    )
    return tag("details", tag("summary", "Is this right?"), form, class_="menu")


def _tools(answer: Answer, key: str, feedback: bool) -> str:
    link = tag(
        "a",
        "Link to this question",
        class_="permalink",
        href=ask_url(answer.standalone_question),
        data_do="link",
    )
    printing = tag("button", "Print", type="button", data_do="print")
    return tag(
        "div", _copies(answer), link, printing, feedback_form(answer, key) if feedback else "", class_="tools"
    )


def asked(question: str, key: str) -> str:
    """Return the heading of a turn: the question as it was put."""
    return tag(
        "h2",
        '<span class="sr">You asked: </span>',
        tag("span", esc(question), dir="auto"),
        class_="q",
        id=f"{key}-h",
    )


def turn(
    answer: Answer, key: str, figures: str = "", feedback: bool = False, without: Sequence[str] = ()
) -> str:
    """Return question and answer as one article.

    Args:
        answer: what is shown.
        key: an id that no other turn of the page has.
        figures: what may be looked at, already safe.
        feedback: whether there is a form for it.
        without: titles of the sources that were left out.
    """
    left_out = (
        tag("p", esc(f"Left out, as you chose: {listed(list(without))}."), class_="note") if without else ""
    )
    body = _answered(answer, key, figures) if answer.status == "answered" else _abstained(answer, key)
    return tag(
        "article",
        asked(answer.question, key),
        understood(answer),
        left_out,
        tag("div", body, class_="a"),
        _tools(answer, key, feedback),
        class_=f"turn {answer.status}",
        id=key,
        aria_labelledby=f"{key}-h",
    )


def pending(question: str, key: str, message: str, read: tuple[str, ...] = ()) -> str:
    """Return a turn whose answer is still being made: what is being done, and the sources read."""
    chips = "".join(tag("li", esc(name)) for name in read)
    return tag(
        "article",
        asked(question, key),
        tag(
            "p",
            '<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>',
            esc(message),
            class_="pending",
        ),
        tag("ul", chips, class_="chips") if chips else "",
        class_="turn pending",
        id=key,
        aria_labelledby=f"{key}-h",
    )


def failed(question: str, key: str, message: str) -> str:
    """Return a turn that came to nothing, with the reason in plain words."""
    return tag(
        "article",
        asked(question, key),
        tag("p", esc(message), class_="failed"),
        class_="turn failed",
        id=key,
        aria_labelledby=f"{key}-h",
    )


def spoken(answer: Answer) -> str:
    """Return what a screen reader is told when an answer has come."""
    if answer.status == "abstained":
        return "No answer. " + (with_dates(answer.abstention.message) if answer.abstention else "")
    sources = len({c.document for c in answer.citations})
    differ = " The sources differ." if answer.disagreements else ""
    open_ = " A part of the question is not answered." if answer.unanswered else ""
    return (
        f"Answer: {count(len(answer.sentences), 'sentence')} from {count(sources, 'source')}.{differ}{open_}"
    )
