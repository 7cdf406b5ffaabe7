"""The words by which questions are told apart: kinds, opinions and forecasts, the present, other languages."""

import re
from typing import Literal

from nkqa.text import STOP_WORDS, fold, words

Kind = Literal[
    "who", "where", "when", "how_many", "how_much", "how_long", "which", "list", "why", "how", "yes_no",
    "compare", "define", "keyword",
]  # fmt: skip


def _any(*alternatives: str) -> re.Pattern[str]:
    """A pattern that finds any of the alternatives, each between word borders."""
    return re.compile("|".join(rf"\b(?:{a})" for a in alternatives), re.IGNORECASE)


_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("how_many", _any(r"h(?:o)?w many\b", r"number of\b", r"how (?:large|big)\b", r"what number\b")),
    ("how_much", _any(
        r"how (?:much|high)\b", r"costs?\b", r"what (?:share|percentage|proportion|part of)\b", r"percent")),
    ("how_long", _any(r"(?:for )?how (?:long|many years)\b", r"duration\b", r"how old\b")),
    ("compare", _any(
        r"compar", r"differ(?:s|ed|ing|ence|ences|ent|ently)?\b", r"disagree", r"versus\b", r"vs\b",
        r"both (?:sources|sides)\b", r"(?:each|either) side\b", r"do (?:the )?sources\b", r"in contrast\b")),
    # A "when" after another word that asks only says when that was: what happened when the fighting ended.
    ("when", re.compile(
        r"^(?!(?:is|are|was|were|did|does|has|have|had|would|should) )"
        r"(?:(?!\b(?:what|who|whom|whose|which|how|why|where)\b).)*?\bwhen\b")),
    ("when", _any(
        r"(?:know|say|tell (?:me|us)|and|since) when\b", r"what (?:date|day|year|month)\b",
        r"(?:on |by |in )?which (?:date|day|year|month)\b",
        r"deadline\b", r"by what\b", r"how soon\b", r"since when\b")),
    ("list", _any(
        r"list\b", r"name all\b", r"enumerate\b", r"what (?:are|were) the\b", r"provisions\b", r"terms of\b",
        r"recommendations?\b",
        r"which (?:\w+ ){0,2}(?:districts|countries|provisions|terms|principles|reasons|territories|places|"
        r"towns|states|groups|organi[sz]ations)\b",
        r"what (?:provisions|terms|reasons|principles|conditions|steps|measures|recommendations|goals)\b")),
    ("why", _any(r"why\b", r"what (?:made|caused|led)\b", r"for what reason", r"reasons?\b", r"how come\b",
                 r"causes?\b")),
    ("where", _any(
        r"where\b", r"in what (?:city|town|place)\b",
        r"(?:which|what) (?:city|town|place|region|country|district)\b")),
    ("who", _any(
        r"who(?:se|m)?\b", r"which (?:president|leader|minister|official|person)\b", r"by whom\b")),
    ("define", re.compile(
        r"^(?:what|who) (?:is|was|are|were)\b (?:the |an? )?[\w' -]+\??$|\bdefine\b|\bwhat does .* mean\b"
        r"|\bmeaning of\b")),
    ("how", _any(r"how\b")),
    ("yes_no", re.compile(
        r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)\b")),
    ("which", _any(r"which\b", r"what\b")),
)  # fmt: skip

_OPINION = _any(
    r"(?:do|what do|would|did) (?:you|u) (?:think|believe|feel|support|like|prefer|recommend|agree)",
    r"your (?:opinion|view|take|side)\b",
    r"in your (?:opinion|view)\b",
    r"should (?:i|we|my)\b",
    r"(?:can|could) i (?:travel|visit|go|buy|move|sue)\b",
    r"is it (?:safe|ok|okay|wise|worth|fair|just|right|wrong|moral|a good idea)\b",
    r"whose fault\b",
    r"who(?:'s| is| was| were| are)? (?:really |actually |more )?(?:right|wrong|to blame|at fault|guilty|evil)\b",
    r"who(?:'s| is| was| were| are)? (?:really |actually )?the (?:good|bad|real|true) "
    r"(?:guy|side|owner|victim|aggressor)s?\b",
    r"who (?:deserves?|truly owns|really owns|do you)\b",
    r"rightful(?:ly)?\b",
    r"belongs? to really\b",
    r"(?:better|worse|best|worst) (?:leader|president|army|country|nation|people|side)\b",
    r"morally\b",
    r"which side (?:is|was|should|do|are)\b",
    r"(?:more|better|greater|stronger|best|greatest) (?:right|claim)s? (?:to|on|over)\b",
    r"(?:worse|worst|bigger|biggest|real|true) (?:war )?(?:criminal|villain|aggressor|victim|liar|terrorist)s?\b",
    r"(?:heroes|villains|terrorists|barbarians)\b",
    r"(?:is|are|was|were) .{1,40}\b(?:traitor|coward|hero|villain|liar|puppet|monster|fool)(?:e?s)?\b",
    r"(?:rate|rank) (?:the|these|them)\b",
    r"should (?:have|has) (?:won|lost)\b",
    r"(?:give me advice|advi[sc]e me)\b",
)
_PREDICTION = _any(
    r"will there (?:ever )?be",
    r"will .{1,60}\b(?:ever|again|in (?:the )?(?:next|coming|future)|(?:by|in) 20[2-9]\d|win|happen)\b",
    r"what will happen\b",
    r"predict",
    r"forecast (?:the|for)\b",
    r"going to happen\b",
    r"next war\b",
    r"in (?:\d+|ten|twenty|fifty|five) years(?:' time)?\b",
    r"(?:odds|chances|probability|likelihood) (?:of|that)\b",
)
_SAYS_WHO = _any(
    r"according to\b",
    r"(?:says?|said|thinks?|believes?|expect(?:s|ed)?|predicts?)\b",
    r"recommend\w*",
    r"crisis group|pism\b|legie[cć]|ker-lindsay|afp\b|moscow times",
    r"the sources\b",
    r"(?:analysts?|experts?|officials?)\b",
)
_VOICE = _any(
    r"according to\b",
    r"(?:says?|said|claim(?:s|ed)|demand(?:s|ed)?|wants?|wanted|thinks?|thought|insist(?:s|ed)?|told|wrote|written)\b",
    r"as far as\b",
    r"in the (?:eyes|view|opinion) of\b",
)
_VOICES = _any(
    r"sources?\b", r"accounts\b", r"each\b", r"both\b", r"other side\b", r"against\b",
    r"who (?:says|claims|denies|thinks|wants)\b", r"i (?:read|hear|heard)\b",
    r"(?:different|various|several|other) (?:reports?|sides|parties|people|voices|observers)\b",
    r"(?:is|are|was|were) (?:said|thought|told)\b",
)  # fmt: skip
_JOINED = re.compile(r"\b(?:and|or|but|while|whereas)\b|[;:]", re.IGNORECASE)
"""Where a question may turn to another voice: "how many by the one, and how many by the other"."""
_PRESENT = _any(
    r"today\b",
    r"nowadays\b",
    r"at present\b",
    r"latest\b",
    r"recent(?:ly)?\b",
    r"(?:this|last) (?:year|month|week)\b",
    r"yesterday\b",
    r"tomorrow\b",
    r"these days\b",
    r"up to date\b",
    r"breaking news\b",
)

# Words that only ever join others, for telling languages apart by what is not English.
_OTHER_LANGUAGES: dict[str, frozenset[str]] = {
    language: frozenset(listed.split())
    for language, listed in {
        "fr": "le la les des du une est sont dans pour avec sur qui que quoi combien pourquoi quand comment où "
        "ont été quel quelle quels cette ces au aux et",
        "de": "der die das und ist sind wie viele wurden wurde warum wer wann ein eine nach mit von im den dem "
        "zu auf nicht hat haben welche",
        "es": "el la los las una es son cuántos cuantos por qué que quién quien cuándo cuando dónde donde cómo "
        "como fue fueron del con para en y",
        "it": "il lo gli della del delle sono quanti perché perche chi quando dove come è stato stati nel con "
        "per una di che",
        "tr": "kaç kac ne neden kim nerede zaman nasıl nasil kimler hangi ve ile için icin mi mı mu mü nedir "
        "oldu asker barış savaş",
        "az": "neçə nece nə niyə kim harada necə hansı və ilə üçün neçe vaxt edilib oldu sülhməramlı",
        "pt": "os das dos uma são foi quantos porque quem quando onde como não com para em",
        "nl": "het een van hoeveel waarom wie wanneer waar zijn werden met voor niet op de",
        "pl": "ile dlaczego kto kiedy gdzie jak jest są był było przez dla czy nie na do w i z",
        "ru": "skolko pochemu kto kogda gde kak chto eto",
        "hy": "inchu erb vortegh qani inch",
    }.items()
}
_ENGLISH = STOP_WORDS | frozenset(
    "who what when where why how which many much long is are was were will be".split()
)
_LATIN_LEAST = 0.6
"""Share of a text's letters that must be Latin for it to be read as English."""


def kind_of(text: str) -> Kind:
    """Return the kind of a question, by its words."""
    plain = fold(text)
    return next((kind for kind, pattern in _KINDS if pattern.search(plain)), "keyword")


_SPECIFIC: frozenset[Kind] = frozenset({"how_many", "how_much", "how_long", "when", "where", "who", "why"})
_OPEN: frozenset[Kind] = frozenset({"keyword", "compare", "yes_no", "list"})


def asks_the_same(one: Kind, other: Kind) -> bool:
    """Whether a question of kind `one` can ask for what a phrase of kind `other` names.

    Both ask for one kind of thing (a number, a day, a place, somebody, a reason), or neither for one of these, or
    the question is open: keywords, a comparison, a list, whether something is so.
    """
    if one in _OPEN:
        return True
    return one == other if one in _SPECIFIC else other not in _SPECIFIC


def is_opinion(text: str) -> bool:
    """Whether a question asks for a judgement, advice, or a forecast that no source is asked for."""
    return bool(_OPINION.search(text) or (_PREDICTION.search(text) and not _SAYS_WHO.search(text)))


def asks_one_voice(text: str) -> bool:
    """Return whether a question asks what one voice says or wants, rather than what is so or how voices compare."""
    parts = [part for part in _JOINED.split(text) if _VOICE.search(part)]
    return len(parts) == 1 and not _VOICES.search(text) and kind_of(text) != "compare"


def is_about_now(text: str) -> bool:
    """Whether a question asks how things stand at present, which the sources cannot know."""
    return bool(_PRESENT.search(text))


def is_foreign(text: str, known: frozenset[str]) -> bool:
    """Whether a text is in another script or language than English; `known` are folded words of the corpus."""
    letters = [c for c in text if c.isalpha()]
    latin = sum(1 for c in letters if fold(c).isascii())
    if letters and latin < _LATIN_LEAST * len(letters):
        return True
    tokens = [w.text.casefold() for w in words(text)]
    english = sum(1 for t in tokens if t in _ENGLISH)
    unknown = sum(1 for t in tokens if t not in _ENGLISH and fold(t) not in known and not t[0].isdigit())
    for marks in _OTHER_LANGUAGES.values():
        foreign = sum(1 for t in tokens if t in marks and t not in _ENGLISH)
        if foreign >= 2 and foreign > english and unknown >= 1:
            return True
        if foreign >= 1 and english == 0 and unknown >= 2:
            return True
    return False


def is_noise(token: str) -> bool:
    """Whether a token looks like keys pressed at random: no vowel, or too many consonants in a row."""
    return not re.search(r"[aeiouy]", token) or bool(re.search(r"[^aeiouy\d]{5,}", token)) or token in _KEYS


_KEYS = frozenset({"asdf", "qwerty", "asd", "qwe", "asdfgh"})
