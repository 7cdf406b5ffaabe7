"""`nkqa corpus check`: what is wrong with the corpus, each fault with its file and line.

Places are in order when

- pages and paragraphs never fall within a section, and no section begins on an earlier page than the one
  above it does;
- a footnote stands on one page, and of two footnotes the one with the higher number never on an earlier page;
- in a recording no paragraph begins (that is, has its earliest second) before the paragraph above it in the
  same section. Seconds may jump within a paragraph, which puts together what belongs together, and from one
  section to the next, where two sets of notes on one recording meet.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from nkqa.corpus import parse_source, read_text, source_files
from nkqa.dates import dates_in
from nkqa.differences import Known, load_differences
from nkqa.errors import CorpusError
from nkqa.faithful import Allowances, Fault, faults_against, load_allowances, original_files
from nkqa.foreseen import FILE, load_questions
from nkqa.names import Gazetteer, Name, load_names
from nkqa.passages import cut
from nkqa.text import fold, words
from nkqa.tokens import OWN, token_counter
from nkqa.types import Document, Sentence

BUDGET = 160
"""Most tokens in a sentence or passage: the default of `NKQA_MAX_TOKENS`."""
_MESSAGE = re.compile(r"^(?P<file>[^:\n]+):(?:(?P<line>\d+):)? (?P<message>.*)$", re.DOTALL)
_DANGLING = re.compile(
    r"^(?:It|They|He|She|We|I|You|This|These|That|Those|Its|Their|His|Her|Such|The (?:former|latter))\b"
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A fault: the file's name, its line (1 where the whole file is meant), and what to change."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A source that could be read, and the line of each of its sentences."""

    file: str
    document: Document
    lines: tuple[int, ...]

    def quote(self, at: int) -> str:
        """Return sentence number `at`."""
        sentence = self.document.sentences[at]
        return self.document.text[sentence.start : sentence.end]

    def sentences(self) -> Iterator[tuple[int, str, Sentence]]:
        """Yield line, text and sentence."""
        for at, sentence in enumerate(self.document.sentences):
            yield self.lines[at], self.quote(at), sentence


def _as_finding(error: CorpusError, file: str) -> Finding:
    match = _MESSAGE.match(str(error))
    if match is None:
        return Finding(file, 1, str(error))
    return Finding(Path(match["file"]).name, int(match["line"] or 1), match["message"])


def _sentence_lines(text: str) -> tuple[int, ...]:
    """Return the lines of a source file that hold sentences."""
    rows = text.replace("\r\n", "\n").split("\n")
    body = rows.index("---", 1) + 1
    return tuple(n for n, row in enumerate(rows, 1) if n > body and row.strip() and not row.startswith("#"))


def read_digests(corpus: Path) -> tuple[list[Digest], list[Finding]]:
    """Return the sources that can be read, and what is wrong with the others."""
    digests: list[Digest] = []
    findings: list[Finding] = []
    for file in source_files(corpus):
        try:
            text = read_text(file)
            digests.append(Digest(file.name, parse_source(text, file.name), _sentence_lines(text)))
        except CorpusError as error:
            findings.append(_as_finding(error, file.name))
    if not digests and not findings:
        findings.append(Finding("sources", 1, f"there is no source in {corpus / 'sources'}"))
    return digests, findings


# --- one source --------------------------------------------------------------------------------------------


def _ids(digests: Sequence[Digest]) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for digest in digests:
        id = digest.document.id
        if f"{id}.md" != digest.file:
            yield Finding(digest.file, 2, f"has the id {id!r}; name the file {id}.md")
        if (other := owners.setdefault(id, digest.file)) != digest.file:
            yield Finding(digest.file, 2, f"has the id {id!r}, as {other} has")
        if digest.document.source.issued > date.today().isoformat():
            yield Finding(
                digest.file, 1, f"is issued on {digest.document.source.issued}, which is still to come"
            )


def _order(digest: Digest) -> Iterator[Finding]:
    """Yield places that fall within a section."""
    numbered = list(digest.sentences())
    for (_, _, before), (line, _, here) in pairwise(numbered):
        if here.heading != before.heading or here.locator.second is not None:
            continue
        was = (before.locator.page or 0, before.locator.paragraph or 0)
        now = (here.locator.page or 0, here.locator.paragraph or 0)
        by_page = digest.document.source.locator == "page"
        if now[0] < was[0] or (not by_page and now[1] < was[1]):
            yield Finding(
                digest.file,
                line,
                f"falls back from {before.locator.label!r} to {here.locator.label!r} in one section",
            )


def _begins(digest: Digest) -> Iterator[Finding]:
    """Yield sections that begin on an earlier page, paragraphs at an earlier second than the one above."""
    pages: dict[str, tuple[int, int]] = {}
    seconds: dict[int, tuple[int, int, str]] = {}
    for line, _, sentence in digest.sentences():
        place = sentence.locator
        if place.page is not None:
            pages.setdefault(sentence.heading.split(" > ")[0], (place.page, line))
        if place.second is not None:
            first, shown, heading = seconds.get(sentence.paragraph, (place.second, line, sentence.heading))
            seconds[sentence.paragraph] = (min(first, place.second), shown, heading)
    for (above, (was, _)), (section, (now, line)) in pairwise(pages.items()):
        if now < was:
            yield Finding(digest.file, line, f"section {section!r} begins before section {above!r} above it")
    for (was, _, above), (now, line, section) in pairwise(seconds.values()):
        if now < was and above == section:
            yield Finding(digest.file, line, "paragraph begins at an earlier second than the one above it")


def _footnotes(digest: Digest) -> Iterator[Finding]:
    pages: dict[int, int] = {}
    for line, _, sentence in digest.sentences():
        page, note = sentence.locator.page, sentence.locator.footnote
        if page is None or note is None:
            continue
        number = int(note.split("-")[0])
        if (other := pages.setdefault(number, page)) != page:
            yield Finding(
                digest.file, line, f"has footnote {number} on page {page}; it was on page {other} before"
            )
        late = [n for n, p in pages.items() if n > number and p < page]
        if late:
            yield Finding(
                digest.file, line, f"has footnote {number} on page {page}, after footnote {min(late)}"
            )


def _real_date(year: int | None, month: int | None, day: int | None) -> bool:
    try:
        date(year or 2020, month or 1, day or 1)
    except ValueError:
        return False
    return True


def _dates(digest: Digest) -> Iterator[Finding]:
    for line, quote, _ in digest.sentences():
        for found in dates_in(quote):
            said = quote[found.start : found.end]
            days = [d for d in (found.day, found.last) if d is not None and not found.vague]
            if not all(_real_date(found.year, found.month, d) for d in days):
                yield Finding(digest.file, line, f"has a day that is in no calendar: {said!r}")


def _pronouns(digest: Digest) -> Iterator[Finding]:
    for line, quote, _ in digest.sentences():
        if found := _DANGLING.match(quote):
            yield Finding(digest.file, line, f"begins with {found.group()!r}; say who or what is meant")


def _tokens(digest: Digest) -> Iterator[Finding]:
    count = token_counter(OWN)
    over = [(line, n) for line, quote, _ in digest.sentences() if (n := count(quote)) > BUDGET]
    yield from (Finding(digest.file, line, f"has {n} tokens; {BUDGET} at most: split it") for line, n in over)
    if not over:
        try:
            cut(digest.document, count, BUDGET)
        except CorpusError as error:
            yield _as_finding(error, digest.file)


def _plain(digest: Digest) -> Iterator[Finding]:
    """Yield sentences with markup or with two places."""
    for line, quote, _ in digest.sentences():
        if re.search(r"\[[^\]]*\]\(|\*\*|`|<[a-z/]", quote):
            yield Finding(digest.file, line, "has markup in it; a sentence is plain text")
        if re.search(r"\[(?:pp?\.|para\.|\d+:)", quote):
            yield Finding(digest.file, line, "has two places; give one, or make it two sentences")
        if not re.search(r"[.?!][\"')]*$", quote):
            yield Finding(digest.file, line, "does not end like a sentence")


# --- all sources -------------------------------------------------------------------------------------------


def _duplicates(digests: Sequence[Digest]) -> Iterator[Finding]:
    seen: dict[str, tuple[str, int]] = {}
    for digest in digests:
        for line, quote, _ in digest.sentences():
            key = " ".join(fold(w.text) for w in words(quote))
            file, first = seen.setdefault(key, (digest.file, line))
            if (file, first) != (digest.file, line):
                yield Finding(digest.file, line, f"says the same as {file}:{first}")


def _name_line(rows: Sequence[str], name: Name) -> int:
    wanted = re.compile(rf"^\s*-\s+id:\s*['\"]?{re.escape(name.id)}['\"]?\s*$")
    return next((number for number, row in enumerate(rows, 1) if wanted.match(row)), 1)


def _names(file: Path, names: Gazetteer, digests: Sequence[Digest]) -> Iterator[Finding]:
    """Yield names that no source uses in any spelling, and coordinates of what is no place."""
    texts = [d.document.text for d in digests]
    used = {mention.entry.id for text in texts for mention in names.find(text)}
    rows = file.read_text("utf-8").split("\n") if file.is_file() else []
    ids: set[str] = set()
    for name in names.entries:
        line = _name_line(rows, name)
        if name.id in ids:
            yield Finding(file.name, line, f"has two entries {name.id!r}")
        ids.add(name.id)
        alone = Gazetteer([name])
        if name.id not in used and not any(alone.find(text) for text in texts):
            yield Finding(
                file.name, line, f"{name.id!r}: no source uses any of its spellings ({name.names[0]})"
            )
        if name.kind != "place" and name.latitude is not None:
            yield Finding(file.name, line, f"{name.id!r} is a {name.kind} and has a latitude")


def _questions(file: Path, documents: Sequence[Document], differences: Sequence[Known]) -> Iterator[Finding]:
    """Yield a finding where foreseen questions name sentences that no longer stand as they did, or no difference."""
    questions = load_questions(file, documents)
    named = {i for q in questions.all for i in (*q.asks, *q.beside)} - {k.id for k in differences}
    for name in sorted(named):
        yield Finding(
            file.name, 1, f"questions name the difference {name!r}, which differences.yaml does not have"
        )
    if outdated := questions.outdated:
        yield Finding(
            file.name,
            outdated[0],
            f"{len(outdated)} question(s), this the first, name a sentence that was edited or is gone; "
            "read them, and give them the new one's mark (its first 8 digits of SHA-256; nkqa corpus reword does), "
            "or delete them",
        )


def _against(
    digest: Digest, originals: Path, names: Gazetteer, allowances: Allowances, others: Sequence[str]
) -> Iterator[Finding]:
    files = original_files(originals, digest.document.id, others)
    if not files:
        yield Finding(digest.file, 1, f"has no original {digest.document.id}*.* in {originals}")
        return
    texts = [file.read_text("utf-8", "replace") for file in files]
    faults: list[Fault] = faults_against(digest.document, texts, names, allowances)
    yield from (Finding(digest.file, digest.lines[fault.sentence], fault.message) for fault in faults)


_OF_ONE = (_order, _begins, _footnotes, _dates, _pronouns, _tokens, _plain)


def check(corpus: Path, originals: Path | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a corpus, in order of files and lines.

    Args:
        corpus: folder with `sources/` and `names.yaml`.
        originals: folder with the originals, where they are at hand. The original of a source is each file
            there whose name begins with the source's id.
    """
    digests, findings = read_digests(corpus)
    names, allowances = Gazetteer(), Allowances(())
    try:
        names = load_names(corpus / "names.yaml")
        allowances = load_allowances(corpus / "allow.yaml")
    except CorpusError as error:
        findings.append(_as_finding(error, "names.yaml"))
    differences: tuple[Known, ...] = ()
    try:
        differences = load_differences(corpus / "differences.yaml", [d.document for d in digests])
    except CorpusError as error:
        findings.append(_as_finding(error, "differences.yaml"))
    try:
        findings += _questions(corpus / FILE, [d.document for d in digests], differences)
    except CorpusError as error:
        findings.append(_as_finding(error, FILE))
    findings += _ids(digests)
    findings += (finding for digest in digests for rule in _OF_ONE for finding in rule(digest))
    findings += _duplicates(digests)
    findings += _names(corpus / "names.yaml", names, digests)
    if originals is not None:
        ids = [d.document.id for d in digests]
        for digest in digests:
            findings += _against(digest, originals, names, allowances, ids)
        findings += (Finding("allow.yaml", 1, text) for text in allowances.unused())
    return tuple(sorted(findings))
