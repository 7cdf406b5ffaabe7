"""Timed transcripts -> blocks with marks of seconds: WebVTT, SubRip, timed lines, linked times."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nkqa.errors import FormatError
from nkqa.formats.draft import Block, Draft
from nkqa.formats.marks import mark
from nkqa.formats.sniff import front_matter

_TIME = r"(?:(?P<h{0}>\d{{1,3}}):)?(?P<m{0}>\d{{1,2}}):(?P<s{0}>\d{{2}})(?:[.,]\d{{1,3}})?"
_CUE = re.compile(r"^\s*" + _TIME.format(1) + r"\s*-->\s*" + _TIME.format(2))
_LINKED = re.compile(
    r"<a\b[^<>]{0,300}\byt-timestamp\b[^<>]{0,300}?\bdata-t=[\"']"
    + _TIME.format(1)
    + r"[\"'][^<>]{0,300}>[^<>]{0,40}</a>"
)
_TIMED_LINE = re.compile(r"^\s*[\[(]?" + _TIME.format(1) + r"[\])]?(?:\s*[-–—:|])?\s+(?=\S)")
_TAG = re.compile(r"</?[A-Za-z.][^<>]{0,200}>|\{\\[^{}]{0,50}\}|<\d[\d:.]{0,12}>")
_VOICE = re.compile(r"<v(?:\.[^\s<>]{0,50})?\s+([^<>]{1,80})>")
_ENDED = re.compile(r"[.!?…][\"”’')\]]*$")
_PAUSE = 2
"""Seconds of silence after which a finished sentence ends a paragraph."""
_LONGEST = 60
"""Seconds after which a finished sentence ends a paragraph anyway."""
_GROUP = 30
"""Words put together where a transcript has no sentence ends."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What was said from `start` to `end`, in seconds."""

    start: int
    end: int
    text: str
    voice: str = ""


def _seconds(match: re.Match[str], which: int = 1) -> int:
    return int(match[f"h{which}"] or 0) * 3600 + int(match[f"m{which}"]) * 60 + int(match[f"s{which}"])


def with_linked_times(text: str) -> str:
    """Return `text` with links such as `<a class="yt-timestamp" data-t="00:05:56">` made marks of a time."""
    return _LINKED.sub(lambda m: mark("e", min(_seconds(m), 999_999)), text)


def _cues(lines: Sequence[str]) -> Iterator[Cue]:
    """Yield the cues of WebVTT or SubRip; lines that roll from one cue into the next are taken once."""
    at = 0
    shown: set[str] = set()
    while at < len(lines):
        timed = _CUE.match(lines[at])
        at += 1
        if timed is None:
            continue
        said, voice = [], ""
        while at < len(lines) and lines[at].strip() and not _CUE.match(lines[at]):
            named = _VOICE.search(lines[at])
            voice = named[1].strip() if named else voice
            said.append(" ".join(_TAG.sub("", lines[at]).split()))
            at += 1
        if at < len(lines) and _CUE.match(lines[at]) and said and said[-1].isdigit():
            said.pop()  # the number of the next SubRip cue, where no blank line parts them
        fresh = [line for line in said if line and line not in shown]
        shown = set(said)
        if fresh:
            yield Cue(min(_seconds(timed), 999_999), min(_seconds(timed, 2), 999_999), " ".join(fresh), voice)


def _is_unpunctuated(cues: Sequence[Cue]) -> bool:
    ends = sum(1 for cue in cues for word in cue.text.split() if _ENDED.search(word))
    return ends * 60 < sum(len(cue.text.split()) for cue in cues)


def _paragraph_ends(held: Sequence[Cue], cue: Cue, unpunctuated: bool) -> bool:
    before = held[-1]
    if cue.voice and cue.voice != before.voice:
        return True
    if unpunctuated:
        return sum(len(c.text.split()) for c in held) >= _GROUP
    ended = bool(_ENDED.search(before.text))
    return ended and (cue.start - before.end >= _PAUSE or cue.start - held[0].start >= _LONGEST)


def _paragraphs(cues: Sequence[Cue]) -> Iterator[Block]:
    unpunctuated = _is_unpunctuated(cues)
    held: list[Cue] = []
    for cue in cues:
        if held and _paragraph_ends(held, cue, unpunctuated):
            yield _block(held)
            held = []
        held.append(cue)
    if held:
        yield _block(held)


def _block(cues: Sequence[Cue]) -> Block:
    said = " ".join(mark("t", cue.start) + cue.text for cue in cues)
    return Block(f"{cues[0].voice}: {said}" if cues[0].voice else said)


def read_cues(text: str) -> Draft:
    """Return the blocks of WebVTT or SubRip.

    Raises:
        FormatError: there is no cue in it.
    """
    meta, body = front_matter(text)
    cues = list(_cues(body.split("\n")))
    if not cues:
        raise FormatError("holds no cue such as 00:05:56.000 --> 00:05:59.000")
    return Draft(list(_paragraphs(cues)), meta, "broadcast", "timestamp")


def timed_lines(text: str) -> list[Block] | None:
    """Return the blocks of a text most of whose lines begin with a time, or None if it is not such a text."""
    lines = [line for line in text.split("\n") if line.strip()]
    timed = [(m, line) for line in lines if (m := _TIMED_LINE.match(line))]
    starts = [_seconds(m) for m, _ in timed]
    if len(timed) < 3 or len(timed) * 2 < len(lines) or starts != sorted(starts):
        return None
    cues: list[Cue] = []
    for line in lines:
        match = _TIMED_LINE.match(line)
        if match:
            cues.append(Cue(_seconds(match), _seconds(match), line[match.end() :].strip()))
        elif cues:
            last = cues.pop()
            cues.append(Cue(last.start, last.end, f"{last.text} {line.strip()}"))
    return list(_paragraphs(cues))
