"""What is asked: the kind of question, its names and dates, follow-ups made to stand alone, what to refuse."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nkqa.dates import DateMention, dates_in
from nkqa.errors import BadQuestion
from nkqa.figures import Figure, figures_in
from nkqa.lexical import search_terms
from nkqa.names import Gazetteer, Mention, Name
from nkqa.text import STOP_WORDS, clean, fold, term, words
from nkqa.types import Reason, Turn

MAX_CHARACTERS = 1_000
Kind = Literal[
    "who", "where", "when", "how_many", "how_much", "how_long", "which", "list", "why", "how", "yes_no",
    "compare", "define", "keyword",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """A question as understood.

    `standalone` needs no history; `search` is `standalone` with typos mended and names in their head form;
    `terms` are its search terms. `names`, `dates` and `figures` point into `standalone`. `refusal` is set
    where the words alone say that the corpus cannot answer.
    """

    text: str
    standalone: str
    search: str
    kind: Kind
    names: tuple[Mention, ...]
    dates: tuple[DateMention, ...]
    figures: tuple[Figure, ...]
    terms: tuple[str, ...]
    refusal: Reason | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the corpus talks about: its folded words, the years in it, and its last year and month."""

    words: frozenset[str]
    years: frozenset[int]
    last_year: int
    last_month: int


_KINDS: tuple[tuple[Kind, str], ...] = (
    ("how_many", r"\bhow many\b|\bnumber of\b|\bhow large\b|\bhow big\b|\bwhat number\b|\bhw many\b"),
    ("how_much", r"\bhow much\b|\bcosts?\b|\bwhat (?:share|percentage|proportion|part)\b|\bhow high\b|\bpercent"),
    ("how_long", r"\bhow long\b|\bfor how (?:long|many years)\b|\bduration\b|\bhow old\b"),
    ("compare", r"\bcompar|\bdifferen(?:ce|t|ces)\b|\bdisagree|\bversus\b|\bvs\b|\bboth sources\b|\bdo (?:the )?sources\b"),
    ("when", r"\bwhen\b|\bwhat (?:date|day|year|month)\b|\b(?:which|on which|by which) (?:date|day|year|month)\b"
             r"|\bdeadline\b|\bby what\b|\bhow soon\b|\bsince when\b"),
    ("list", r"\b(?:list|name all|enumerate)\b|\bwhat (?:are|were) the\b|\bwhich (?:\w+ ){0,2}(?:districts|countries|"
             r"provisions|terms|principles|reasons|territories|places|towns|states|groups|organi[sz]ations)\b"
             r"|\bwhat (?:provisions|terms|reasons|principles|conditions|steps|measures|recommendations|goals)\b"
             r"|\bprovisions\b|\bterms of\b|\brecommendations?\b"),
    ("why", r"\bwhy\b|\bwhat (?:made|caused|led)\b|\bfor what reason|\breasons?\b|\bhow come\b|\bcauses?\b"),
    ("where", r"\bwhere\b|\bin what (?:city|town|place)\b|\b(?:which|what) (?:city|town|place|region|country|district)\b"),
    ("who", r"\bwho(?:se|m)?\b|\bwhich (?:president|leader|minister|official|person)\b|\bby whom\b"),
    ("define", r"^(?:what|who) (?:is|was|are|were)\b (?:the |an? )?[\w' -]+\??$|\bdefine\b|\bwhat does .* mean\b|\bmeaning of\b"),
    ("how", r"\bhow\b"),
    ("yes_no", r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)\b"),
    ("which", r"\bwhich\b|\bwhat\b"),
)  # fmt: skip

_PERSONAL = r"\b(?:you|your|u|i|my|me|we|our)\b"
_OPINION = re.compile(
    r"\b(?:do|what do|would|did) (?:you|u) (?:think|believe|feel|support|like|prefer|recommend|agree)|\byour (?:opinion|view|take|side)\b"
    r"|\bin your (?:opinion|view)\b|\bshould (?:i|we|my)\b|\b(?:can|could) i (?:travel|visit|go|buy|move|sue)\b"
    r"|\bis it (?:safe|ok|okay|wise|worth|fair|just|right|wrong|moral|a good idea)\b|\bwhose fault\b"
    r"|\bwho(?:'s| is| was| were| are)? (?:really |actually |more )?(?:right|wrong|to blame|at fault|guilty|evil|the (?:good|bad|real|true) (?:guys?|side|owner|victim|aggressor)s?)\b"
    r"|\bwho (?:deserves?|truly owns|really owns|rightfully)\b|\brightful(?:ly)? (?:owner|belong)|\bbelongs? to (?:really|rightfully)\b"
    r"|\b(?:better|worse|best|worst) (?:leader|president|army|country|nation|people|side)\b|\bmorally\b|\bwho do you\b|\bwhich side (?:is|was|should|do|are)\b"
    r"|\b(?:more|better|greater|stronger|best|greatest) (?:right|claim)s? (?:to|on|over)\b|\brightful(?:ly)?\b"
    r"|\b(?:the )?(?:worse|worst|bigger|biggest|real|true) (?:war )?(?:criminal|villain|aggressor|victim|liar|terrorist)s?\b"
    r"|\b(?:heroes|villains|terrorists|barbarians)\b"
    r"|\b(?:rate|rank) (?:the|these|them)\b|\bshould (?:have|has) (?:won|lost)\b|\bgive me advice\b|\badvi[sc]e me\b",
    re.IGNORECASE,
)
_PREDICTION = re.compile(
    r"\bwill (?:there (?:ever )?be|.{1,60}\b(?:ever|again|in (?:the )?(?:next|coming|future)|by 20[2-9]\d|in 20[2-9]\d|win|happen))\b"
    r"|\bwhat will happen\b|\bpredict|\bforecast (?:the|for)\b|\bgoing to happen\b|\bwho will win\b|\bnext war\b"
    r"|\bin (?:\d+|ten|twenty|fifty|five) years(?:' time)?\b|\b(?:odds|chances|probability|likelihood) (?:of|that)\b",
    re.IGNORECASE,
)
_SAYS_WHO = re.compile(
    r"\b(?:according to|says?|said|think|thinks|believe|believes|expect|expects|expected|predicts?|recommend\w*|"
    r"crisis group|pism|legie[cć]|ker-lindsay|the sources|analyst|analysts|experts?|officials?|afp|moscow times)\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"\b(?:today|nowadays|at present|latest|recent(?:ly)?|this (?:year|month|week)|last (?:year|month|week)|yesterday|tomorrow|"
    r"these days|up to date|so far this|breaking news)\b",
    re.IGNORECASE,
)
_PAST = re.compile(r"\b(?:did|was|were|had|has|have|happened|result(?:s|ed)?)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|there|then|one|ones|both|"
    r"the (?:same|other|others|latter|former))\b",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"^(?:and|but|or|so|what about|how about|and what about|and how about|also|what of)\b|^(?:why|when|where|who|how|how many|"
    r"how much|how long|since when|by when|until when|by whom|which ones?|says who|really|why not|what else|anything else|"
    r"any(?:one|body) else|more|go on|tell me more|such as|like what|for example|and)\W*$",
    re.IGNORECASE,
)
_AND_X = re.compile(
    r"^(?:and|but|or|so)?\s*(?:what about|how about|what of|and|but|or|also)\s+(?:(?:for|in|of|by|from|with|to|on)\s+)?(?P<x>.+?)\W*$",
    re.IGNORECASE,
)

# Words that only ever join others, for telling languages apart by what is not English.
_OTHER_LANGUAGES: dict[str, frozenset[str]] = {
    "fr": frozenset("le la les des du une est sont dans pour avec sur qui que quoi combien pourquoi quand comment où ont été quel quelle quels cette ces au aux et".split()),
    "de": frozenset("der die das und ist sind wie viele wurden wurde warum wer wann ein eine nach mit von im den dem zu auf nicht hat haben welche".split()),
    "es": frozenset("el la los las una es son cuántos cuantos por qué que quién quien cuándo cuando dónde donde cómo como fue fueron del con para en y".split()),
    "it": frozenset("il lo gli della del delle sono quanti perché perche chi quando dove come è stato stati nel con per una di che".split()),
    "tr": frozenset("kaç kac ne neden kim nerede zaman nasıl nasil kimler hangi ve ile için icin mi mı mu mü nedir oldu asker barış savaş".split()),
    "az": frozenset("neçə nece nə niyə kim harada necə hansı və ilə üçün neçe nə vaxt edilib oldu sülhməramlı".split()),
    "pt": frozenset("os das dos uma são foi quantos porque quem quando onde como não com para em".split()),
    "nl": frozenset("het een van hoeveel waarom wie wanneer waar zijn werden met voor niet op de".split()),
    "pl": frozenset("ile dlaczego kto kiedy gdzie jak jest są był było przez dla czy nie na do w i z".split()),
    "ru": frozenset("skolko pochemu kto kogda gde kak chto eto".split()),
    "hy": frozenset("inchu erb vortegh qani inch".split()),
}  # fmt: skip
_ENGLISH = STOP_WORDS | frozenset("who what when where why how which many much long is are was were will be".split())


def check_text(text: str) -> str:
    """Return the question cleaned.

    Raises:
        BadQuestion: it is empty, too long, or holds no letter or digit; the message says what is wanted.
    """
    try:
        cleaned = clean(text)
    except ValueError as error:
        raise BadQuestion(f"the question cannot be read: {error}; send plain text") from error
    if not cleaned:
        raise BadQuestion("the question is empty; ask something in words")
    if len(cleaned) > MAX_CHARACTERS:
        raise BadQuestion(f"the question has {len(cleaned)} characters, {MAX_CHARACTERS} at most; shorten it")
    return cleaned


def kind_of(text: str) -> Kind:
    """Return the kind of a question, by its words."""
    plain = fold(text)
    for kind, pattern in _KINDS:
        if re.search(pattern, plain):
            return kind
    return "keyword"


def understand(
    text: str, history: Sequence[Turn], names: Gazetteer, vocabulary: Vocabulary, *, widen: bool = True
) -> Question:
    """Return what a question asks.

    Args:
        text: as typed.
        history: the conversation before it, newest last.
        names: the gazetteer.
        vocabulary: what the corpus talks about.
        widen: whether names are sought in every spelling; off for an ablation.

    Raises:
        BadQuestion: the text cannot be asked.
    """
    cleaned = check_text(text)
    standalone = stand_alone(cleaned, history, names)
    mentions = names.find(standalone) + names.find_typos(standalone, vocabulary.words) if widen else []
    mentions.sort(key=lambda m: m.start)
    search = names.rewrite(standalone, mentions)
    found_terms = search_terms(search, names) if widen else search_terms(standalone, Gazetteer())
    question = Question(
        text=cleaned,
        standalone=standalone,
        search=search,
        kind=own_kind if (own_kind := kind_of(cleaned)) != "keyword" else kind_of(standalone),
        names=tuple(mentions),
        dates=tuple(dates_in(standalone)),
        figures=tuple(figures_in(standalone)),
        terms=tuple(dict.fromkeys(found_terms)),
    )
    return replace(question, refusal=refuse(question, vocabulary))


def refuse(question: Question, vocabulary: Vocabulary) -> Reason | None:
    """Return the reason for which the words of a question alone show that the corpus has no answer, if any."""
    text = question.standalone
    if is_foreign(text, vocabulary):
        return "unsupported_language"
    if is_unclear(question, vocabulary):
        return "unclear"
    if beyond := _beyond(question, vocabulary):
        return beyond
    if _OPINION.search(text):
        return "opinion_or_prediction"
    if _PREDICTION.search(text) and not _SAYS_WHO.search(text):
        return "opinion_or_prediction"
    return None


def _beyond(question: Question, vocabulary: Vocabulary) -> Reason | None:
    """Dates of the question after the corpus's last month, or in a year that it does not mention."""
    for date in question.dates:
        if date.year is None:
            continue
        late = date.year > vocabulary.last_year
        same = date.year == vocabulary.last_year and date.month is not None and date.month > vocabulary.last_month
        # A source may look ahead to a year, but cannot tell what then happened.
        foreseen = date.year in vocabulary.years and not _PAST.search(question.standalone)
        if same or (late and not foreseen):
            return "after_corpus"
        if date.year < vocabulary.last_year and date.year not in vocabulary.years:
            return "before_corpus"
    return None


def about_now(question: Question) -> bool:
    """Whether a question asks how things stand at present, which the sources cannot know."""
    return bool(_PRESENT.search(question.standalone))


def is_foreign(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a text is in another script or language than English, names of the corpus aside."""
    letters = [c for c in text if c.isalpha()]
    latin = sum(1 for c in letters if fold(c).isascii() or c in "ıəƏşŞğĞçÇöÖüÜİñß")
    if letters and latin < 0.6 * len(letters):
        return True
    tokens = [w.text.casefold() for w in words(text)]
    english = sum(1 for t in tokens if t in _ENGLISH)
    unknown = sum(1 for t in tokens if t not in _ENGLISH and fold(t) not in vocabulary.words and not t[0].isdigit())
    for marks in _OTHER_LANGUAGES.values():
        foreign = sum(1 for t in tokens if t in marks and t not in _ENGLISH)
        if foreign >= 2 and foreign > english and unknown >= 1:
            return True
        if foreign >= 1 and english == 0 and unknown >= 2:
            return True
    return False


def is_unclear(question: Question, vocabulary: Vocabulary) -> bool:
    """Whether nothing is left to search for: no term, or nothing but words that nobody knows."""
    if question.names or question.dates:
        return False
    content = [t for t in question.terms if not t.startswith("@")]
    if not content:
        return True
    tokens = [fold(w.text) for w in words(question.standalone) if term(w.text)]
    return len(tokens) <= 2 and all(_is_noise(t) for t in tokens if t not in vocabulary.words) and not any(
        t in vocabulary.words for t in tokens
    )


def _is_noise(token: str) -> bool:
    """Whether a token looks like keys pressed at random: no vowel, or too many consonants in a row."""
    return not re.search(r"[aeiouy]", token) or bool(re.search(r"[^aeiouy\d]{5,}", token)) or token in {"asdf", "qwerty"}


# --- follow-ups --------------------------------------------------------------------------------------------


def stand_alone(text: str, history: Sequence[Turn], names: Gazetteer) -> str:
    """Return a follow-up question with what it takes from the conversation put in; others as they are."""
    asked = [clean(t.content) for t in history if t.role == "user" and t.content.strip()]
    if not asked:
        return text
    topic = _topic(asked, names)
    own = names.find(text)
    if (match := _AND_X.match(text)) and len(words(match["x"])) <= 6:
        return _swap(re.sub(r"\s+(?:there|then|too|as well)$", "", match["x"]), topic, names)
    if _ELLIPSIS.match(text):
        return f"{text.rstrip('?!. ')}: {topic}"
    if _PRONOUN.search(text):
        mended = _fill_pronoun(text, asked, history, names)
        return mended if mended != text else f"{text.rstrip('?!. ')} ({topic.rstrip('?!. ')})?"
    content = [w for w in words(text) if term(w.text)]
    if not own and len(content) <= 3:
        return f"{text.rstrip('?!. ')} ({topic.rstrip('?!. ')})?"
    return text


def _topic(asked: Sequence[str], names: Gazetteer) -> str:
    """The newest question that stands alone, each made so from those before it."""
    standing = asked[0]
    for i, text in enumerate(asked[1:], 1):
        standing = stand_alone(text, [Turn("user", t) for t in (*asked[: i - 1], standing)], names)
    return standing


def _swap(new: str, topic: str, names: Gazetteer) -> str:
    """The earlier question with `new` in the place of the name that is of its kind, or beside it."""
    own = names.find(new)
    if own:
        kind = own[0].entry.kind
        alike = {"people": {"people", "place", "body"}, "body": {"body", "people", "place"}}.get(kind, {kind})
        for mention in names.find(topic):
            if mention.entry.kind in alike and mention.entry.id != own[0].entry.id:
                return topic[: mention.start] + new + topic[mention.end :]
    return f"{topic.rstrip('?!. ')}: {new}?"


def _fill_pronoun(text: str, asked: Sequence[str], history: Sequence[Turn], names: Gazetteer) -> str:
    """The question with its first pronoun replaced by the newest fitting name of the conversation."""
    match = _PRONOUN.search(text)
    assert match is not None
    wanted = _fitting(match.group().casefold())
    earlier = [*asked[::-1], *(t.content for t in reversed(history) if t.role == "assistant")]
    for said in earlier if wanted else ():
        fitting: list[Name] = [m.entry for m in names.find(said) if m.entry.kind in wanted]
        present = {m.entry.id for m in names.find(text)}
        fitting = [e for e in fitting if e.id not in present]
        if fitting:
            name = fitting[0].names[0]
            possessive = match.group().casefold() in {"his", "its", "their", "theirs"}
            return text[: match.start()] + name + ("'s" if possessive else "") + text[match.end() :]
    return text


def _fitting(pronoun: str) -> frozenset[str]:
    if pronoun in {"he", "him", "his", "she", "her"}:
        return frozenset({"person"})
    if pronoun == "there":
        return frozenset({"place"})
    return frozenset()
