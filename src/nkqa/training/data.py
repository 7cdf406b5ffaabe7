"""Makes the reader's examples: windows that answer a question, and harder ones that almost do."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import sentencex

from nkqa.training.swaps import Stock, Swap, names_in, negated, numbers_in, swaps
from nkqa.types import Span, Window

Vectors = dict[str, npt.NDArray[np.float32]]
"""Texts with their MiniLM vectors, of length 1."""

HELD_OUT = (
    "Sky_(United_Kingdom)",
    "Black_Death",
    "Geology",
    "Private_school",
    "Kenya",
    "Prime_number",
    "The_Legend_of_Zelda:_Twilight_Princess",
    "Solar_energy",
)
"""Whole articles that are only measured on: six of SQuAD 1.1 dev, two of SQuAD 2.0 train."""

_STOPPERS = """what who whom whose which when where why how is are was were do does did the a an of in on at
to by for from with has had have that this there"""
STOPPERS = frozenset(_STOPPERS.split())
"""Words that people leave out when they type keywords."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on a paragraph. `sentence` holds the answer; for an unanswerable one, the plausible answer.

    `answer` are code points in that sentence, None where only the sentence is known.
    """

    text: str
    paragraph: int
    sentence: int
    answer: tuple[int, int] | None
    answers: tuple[str, ...]
    answerable: bool = True


@dataclass(slots=True)
class Article:
    """Paragraphs, each a list of sentences, and what is asked about them.

    `hard` gives for each question the (paragraph, sentence) pairs elsewhere that look most like an answer.
    """

    title: str
    origin: str
    paragraphs: list[list[str]]
    questions: list[Asked] = field(default_factory=list)
    hard: list[list[tuple[int, int]]] = field(default_factory=list)
    stock: Stock = field(default_factory=lambda: Stock({}, {}, ()))


@dataclass(frozen=True, slots=True)
class Example:
    """What the net learns from. `sentence` and `answer` (code points of the window) only where `label` is 1.

    `spanned` is False where the words are not known, so that the span heads learn nothing from it.
    """

    question: str
    window: Window
    label: int
    sentence: int
    answer: tuple[int, int] | None
    spanned: bool
    kind: str


def window_of(sentences: Sequence[str]) -> Window:
    """Join sentences with blanks into a window."""
    spans, at = [], 0
    for sentence in sentences:
        spans.append(Span(at, at + len(sentence)))
        at += len(sentence) + 1
    return Window(" ".join(sentences), tuple(spans))


def split(text: str) -> list[tuple[int, int]]:
    """Code points of the sentences of a paragraph, blanks trimmed; no sentence is empty."""
    spans = []
    for part in sentencex.get_sentence_boundaries("en", text):
        raw = text[part["start_index"] : part["end_index"]]
        start = part["start_index"] + len(raw) - len(raw.lstrip())
        if raw.strip():
            spans.append((start, start + len(raw.strip())))
    return spans


def read_squad(path: Path) -> list[Article]:
    """Read a gzipped SQuAD file; questions whose answer runs over a sentence's end are left out."""
    data: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))["data"]
    articles = []
    for entry in data:
        article = Article(entry["title"], "squad", [])
        for paragraph in entry["paragraphs"]:
            spans = split(paragraph["context"])
            article.paragraphs.append([paragraph["context"][start:end] for start, end in spans])
            asked = (_asked(qa, spans, len(article.paragraphs) - 1) for qa in paragraph["qas"])
            article.questions += [question for question in asked if question]
        articles.append(article)
    return articles


def _asked(qa: dict[str, Any], spans: list[tuple[int, int]], paragraph: int) -> Asked | None:
    answerable = not qa.get("is_impossible", False)
    given = qa["answers"] if answerable else qa.get("plausible_answers", [])
    if not given:
        return None
    start = given[0]["answer_start"]
    end = start + len(given[0]["text"])
    text = qa["question"].strip()
    for number, (first, last) in enumerate(spans):
        if first <= start and end <= last:
            answers = tuple(dict.fromkeys(answer["text"] for answer in given))
            return Asked(text, paragraph, number, (start - first, end - first), answers, answerable)
    return None


def read_pairs(path: Path, leave_out: set[str], size: int = 5, paragraphs: int = 40) -> list[Article]:
    """Read question/sentence pairs (Du et al. 2017); neighbours in the file become paragraphs.

    `leave_out` are questions, as `plain` writes them, that must not be learnt from.
    """
    articles: list[Article] = []
    for line in gzip.decompress(path.read_bytes()).decode("utf-8").splitlines():
        question, sentence = (_joined(part) for part in line.split("\t"))
        if plain(question) in leave_out or len(sentence) > 600:
            continue
        if not articles or _full(articles[-1], paragraphs, size):
            articles.append(Article(f"pairs-{len(articles)}", "pairs", [[]]))
        where = _place(articles[-1].paragraphs, sentence, size)
        articles[-1].questions.append(Asked(question, *where, None, ()))
    return articles


def _full(article: Article, paragraphs: int, size: int) -> bool:
    return len(article.paragraphs) == paragraphs and len(article.paragraphs[-1]) == size


def _place(paragraphs: list[list[str]], sentence: str, size: int) -> tuple[int, int]:
    """Where the sentence stands, put at the end if it is new: (paragraph, sentence)."""
    for number, paragraph in enumerate(paragraphs):
        if sentence in paragraph:
            return number, paragraph.index(sentence)
    if len(paragraphs[-1]) == size:
        paragraphs.append([])
    paragraphs[-1].append(sentence)
    return len(paragraphs) - 1, len(paragraphs[-1]) - 1


def plain(text: str) -> str:
    """A text without case, blanks and marks, to compare the same question in two files."""
    return re.sub(r"[\W_]+", "", text.lower())


def _joined(text: str) -> str:
    text = text.replace("``", '"').replace("''", '"').replace("-lrb-", "(").replace("-rrb-", ")")
    text = re.sub(r" ([.,;:?!%)]|'s\b|n't\b)", r"\1", text.strip())
    return re.sub(r"([($]) ", r"\1", text)


def add_stock(articles: Sequence[Article], near: dict[str, list[str]], alike: "Alike") -> None:
    """Give each article what may be swapped in: its names with their likest, its numbers, and near words."""
    for article in articles:
        text = " ".join(sentence for paragraph in article.paragraphs for sentence in paragraph)
        found = list(dict.fromkeys(names_in(text) + [n for q in article.questions for n in names_in(q.text)]))
        article.stock = Stock(near, alike(found), tuple(numbers_in(text)))


class Alike:
    """Finds for each of some names the likest others, by cosine; forms of the name itself are none."""

    def __init__(self, vectors: Vectors, most: int = 8) -> None:
        """Keep the vectors."""
        self.vectors = vectors
        self.most = most

    def __call__(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return for each name that has a vector its `most` likest other names, best first."""
        known = [name for name in names if name in self.vectors]
        if not known:
            return {}
        matrix = np.stack([self.vectors[name] for name in known])
        order = np.argsort(-(matrix @ matrix.T), axis=1)
        table = {}
        for row, name in enumerate(known):
            words = set(name.lower().split())
            others = [known[i] for i in order[row, : 4 * self.most]]
            table[name] = [other for other in others if not words & set(other.lower().split())][: self.most]
        return table


def add_hard(articles: Sequence[Article], vectors: Vectors, most: int = 12) -> None:
    """Find for each question the sentences of other paragraphs that look most like an answer, and are none.

    Half cosine, half the share (by idf) of the question's words that the sentence has.
    """
    for article in articles:
        places = [(p, s) for p, sentences in enumerate(article.paragraphs) for s in range(len(sentences))]
        texts = [article.paragraphs[p][s] for p, s in places]
        if not article.questions:
            continue
        asked = [question.text for question in article.questions]
        cosines = np.stack([vectors[text] for text in asked]) @ np.stack([vectors[text] for text in texts]).T
        scores = cosines + coverage(asked, texts)
        article.hard = []
        for question, row in zip(article.questions, scores, strict=True):
            ranked = (places[i] for i in np.argsort(-row)[: 4 * most])
            article.hard.append([w for w in ranked if w[0] != question.paragraph][:most])


def coverage(questions: Sequence[str], texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """The share, by idf, of each question's words that each text has: (questions, texts), 0 to 1."""
    words = [set(re.findall(r"\w+", text.lower())) for text in texts]
    counts: dict[str, int] = {}
    for row in words:
        for word in row:
            counts[word] = counts.get(word, 0) + 1
    table = np.zeros((len(questions), len(texts)), dtype=np.float32)
    for number, question in enumerate(questions):
        terms = re.findall(r"\w+", question.lower())
        asked = {w: np.log(1 + len(texts) / (0.5 + counts.get(w, 0))) for w in terms}
        total = sum(asked.values()) or 1.0
        table[number] = [sum(asked[w] for w in asked.keys() & row) / total for row in words]
    return table


@dataclass(frozen=True, slots=True)
class Mix:
    """How often what is made, for one question a round.

    `sizes` are chances of windows of 1, 2, 3, 4, 5 sentences; `rooms` are (characters, chance) that a window
    may be long, about 4.3 characters a word piece; the others are chances or mean numbers.
    """

    sizes: tuple[float, ...] = (0.28, 0.22, 0.26, 0.14, 0.10)
    rooms: tuple[tuple[int, float], ...] = ((200, 0.35), (300, 0.40), (400, 0.25))
    beside: float = 0.42
    elsewhere: float = 0.40
    swapped: float = 0.62
    denied: float = 0.05
    both_swapped: float = 0.16
    window_swapped: float = 0.3
    roughened: float = 0.35


class Maker:
    """Makes examples from articles, another lot each round, all from one seed."""

    def __init__(self, articles: Sequence[Article], seed: int, mix: Mix = Mix()) -> None:
        """Keep the articles; `seed` decides everything that is drawn."""
        self.articles = articles
        self.random = Random(seed)
        self.mix = mix

    def examples(self, article: Article, number: int) -> Iterator[Example]:
        """One window that answers, if the question has one, and up to five that do not."""
        question = article.questions[number]
        if not question.answerable:
            yield self._unanswerable(article, question)
            return
        right = self._right(article, question)
        if right is None:
            return
        yield self._rough(self._both_swapped(article, right) if self._draw(self.mix.both_swapped) else right)
        if self._draw(self.mix.swapped):
            yield from self._rough_all(self._swapped(article, right))
        if self._draw(self.mix.denied) and (denial := negated(right.question)):
            yield self._rough(_negative(denial, right.window, "denied"))
        if self._draw(self.mix.beside):
            yield from self._rough_all(self._beside(article, question))
        if self._draw(self.mix.elsewhere):
            yield from self._rough_all(self._elsewhere(article, number))

    def _draw(self, chance: float) -> bool:
        return self.random.random() < chance

    def _rough_all(self, examples: Iterator[Example]) -> Iterator[Example]:
        return (self._rough(example) for example in examples)

    def _around(self, sentences: Sequence[str], at: int, least: int = 1) -> tuple[int, int]:
        """First and last sentence, both included, of a window around sentence `at`, of a size drawn."""
        size = max(least, self.random.choices(range(1, 6), self.mix.sizes)[0])
        room = self.random.choices([r for r, _ in self.mix.rooms], [c for _, c in self.mix.rooms])[0]
        first = max(0, at - self.random.randrange(size))
        last = min(len(sentences), first + size) - 1
        while last > first and sum(len(s) for s in sentences[first : last + 1]) > room:
            if last - at > at - first or (last > at and last - at == at - first and self._draw(0.5)):
                last -= 1
            else:
                first += 1
        return first, last

    def _right(self, article: Article, question: Asked) -> Example | None:
        sentences = article.paragraphs[question.paragraph]
        first, last = self._around(sentences, question.sentence)
        return _positive(question, sentences[first : last + 1], question.sentence - first)

    def _unanswerable(self, article: Article, question: Asked) -> Example:
        sentences = article.paragraphs[question.paragraph]
        first, last = self._around(sentences, question.sentence)
        return self._rough(_negative(question.text, window_of(sentences[first : last + 1]), "unanswerable"))

    def _swapped(self, article: Article, right: Example) -> Iterator[Example]:
        for _ in range(2):
            swap = self._pick(swaps(right.question, article.stock, right.window.text, self.random), right)
            if swap is None:
                return
            inside = swap.everywhere(right.window.text) != right.window.text
            if inside and self._draw(self.mix.window_swapped) and not _touches(swap, right):
                yield _negative(right.question, _changed(right.window, swap), f"window-{swap.kind}")
            else:
                yield _negative(swap.on(right.question), right.window, swap.kind)
            if self._draw(0.7):
                return

    def _pick(self, found: list[Swap], right: Example) -> Swap | None:
        """Prefer what the window has too, then kinds in the shares that real near-misses have."""
        weights = {"number": 1.3, "name": 1.3, "opposite": 1.3, "word": 0.6}
        chances = [weights[s.kind] * (1.0 if _has(right.window.text, s.old) else 0.12) for s in found]
        return self.random.choices(found, chances)[0] if found else None

    def _both_swapped(self, article: Article, right: Example) -> Example:
        """The same swap in question and window: still answered, so that odd words alone say nothing."""
        found = swaps(right.question, article.stock, right.window.text, self.random)
        found = [s for s in found if _has(right.window.text, s.old) and not _touches(s, right)]
        if not found:
            return right
        swap = self.random.choice(found)
        window = _changed(right.window, swap)
        answer = None
        if right.answer is not None:
            span = right.window.sentences[right.sentence]
            text = right.window.text[right.answer[0] : right.answer[1]]
            before = swap.everywhere(right.window.text[span.start : right.answer[0]])
            start = window.sentences[right.sentence].start + len(before)
            if window.text[start : start + len(text)] != text:
                return right
            answer = start, start + len(text)
        question = swap.everywhere(right.question)
        return Example(question, window, 1, right.sentence, answer, right.spanned, "both-swapped")

    def _beside(self, article: Article, question: Asked) -> Iterator[Example]:
        """The paragraph with its answer sentence taken out, or a part of what is left."""
        sentences = article.paragraphs[question.paragraph]
        others = [i for i in range(len(sentences)) if i != question.sentence]
        if not others:
            return
        at = min(others, key=lambda i: abs(i - question.sentence) + self.random.random())
        kept = [sentences[i] for i in others]
        first, last = self._around(kept, others.index(at))
        if not _answers(kept[first : last + 1], question):
            yield _negative(question.text, window_of(kept[first : last + 1]), "beside")

    def _elsewhere(self, article: Article, number: int) -> Iterator[Example]:
        question, hard = article.questions[number], article.hard[number]
        if not hard:
            return
        paragraph, sentence = hard[min(len(hard) - 1, int(self.random.expovariate(1 / 3)))]
        sentences = article.paragraphs[paragraph]
        first, last = self._around(sentences, sentence)
        if not _answers(sentences[first : last + 1], question):
            yield _negative(question.text, window_of(sentences[first : last + 1]), "elsewhere")

    def _rough(self, example: Example) -> Example:
        """Sometimes write the question as people type it: no question mark, keywords, a slip."""
        text = example.question
        if self._draw(self.mix.roughened):
            text = text.rstrip(" ?.")
        if self._draw(self.mix.roughened / 5):
            text = " ".join(w for w in text.rstrip(" ?.").split() if w.lower() not in STOPPERS) or text
        if self._draw(self.mix.roughened / 6):
            text = _slip(text, self.random)
        return replace(example, question=text)


def _slip(text: str, random: Random) -> str:
    words = [match.span() for match in re.finditer(r"[a-zA-Z]{6,}", text)]
    if not words:
        return text
    start, end = random.choice(words)
    at = random.randrange(start + 1, end - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _changed(window: Window, swap: Swap) -> Window:
    return window_of([swap.everywhere(window.text[span.start : span.end]) for span in window.sentences])


def _touches(swap: Swap, right: Example) -> bool:
    if right.answer is None:
        return False
    return _has(right.window.text[right.answer[0] : right.answer[1]], swap.old)


def _answers(sentences: Sequence[str], question: Asked) -> bool:
    text = " ".join(sentences).lower()
    return any(answer.lower() in text for answer in question.answers)


def _negative(question: str, window: Window, kind: str) -> Example:
    return Example(question, window, 0, -1, None, True, kind)


def _positive(question: Asked, sentences: Sequence[str], at: int) -> Example:
    window = window_of(sentences)
    start = window.sentences[at].start
    answer = question.answer and (start + question.answer[0], start + question.answer[1])
    return Example(question.text, window, 1, at, answer, answer is not None, "right")
