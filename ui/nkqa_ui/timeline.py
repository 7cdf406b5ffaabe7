"""Dated events drawn from sentences: a strip in SVG and, below it, the same as a list."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from nkqa.dates import dates_in
from nkqa.types import Answer, Citation, Document
from nkqa_ui.html import esc, tag
from nkqa_ui.render import source_url
from nkqa_ui.wording import count, day, who

WIDTH, HEIGHT, MARGIN, GAP = 960, 150, 36, 30
AXIS = HEIGHT - 34
FEW, LABEL = 6, 130
"""Dates up to which each is written at the axis, and the width that one takes there."""
SHOWN = 3
"""Sentences of a date that are shown at once; the others are folded away."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sentence that names a date: who published it, its words, its place, and where it can be seen."""

    quote: str
    who: str
    place: str
    href: str


@dataclass(slots=True)
class Event:
    """What is said of one date; `when` is a day, a month, a year or a decade (2020-11-09, 1990s)."""

    when: str
    entries: list[Entry] = field(default_factory=list)
    differ: bool = False

    @property
    def label(self) -> str:
        """The date in words."""
        return day(self.when)

    @property
    def position(self) -> float:
        """The beginning of the date, as a year with a fraction."""
        parts = [int(p) for p in self.when.removesuffix("s").split("-")]
        if len(parts) == 1:
            return float(parts[0])
        return parts[0] + (date(parts[0], parts[1], (*parts, 1)[2]).timetuple().tm_yday - 1) / 366

    @property
    def exact(self) -> bool:
        """Whether the date is known to the month at least."""
        return "-" in self.when


def _valid(iso: str) -> bool:
    try:
        date.fromisoformat((iso + "-01-01")[:10])
    except ValueError:
        return False
    return True


def _dates(text: str) -> list[str]:
    """The dates of `text` with a year, each once; a month where the same sentence names a day of it goes."""
    found = []
    for mention in dates_in(text):
        if mention.year is not None and _valid(mention.iso):
            decade = text[: mention.end].endswith("s") and mention.month is None
            found.append(mention.iso + ("s" if decade else ""))
    found = list(dict.fromkeys(found))
    return [d for d in found if not any(other.startswith(f"{d}-") for other in found)]


def _gather(pairs: Iterable[tuple[str, Entry]]) -> list[Event]:
    events: dict[str, Event] = {}
    for text, entry in pairs:
        for when in _dates(text):
            event = events.setdefault(when, Event(when))
            if entry not in event.entries:
                event.entries.append(entry)
    return sorted(events.values(), key=lambda e: (e.position, e.when))


def _entry(citation: Citation) -> Entry:
    href = source_url(citation.document, citation.start, citation.end)
    return Entry(
        citation.quote, who(citation.source.author, citation.source.publisher), citation.locator.label, href
    )


def of_answer(answer: Answer) -> list[Event]:
    """Return the dated events of an answer's citations; those on which its sources differ are marked."""
    events = _gather((c.quote, _entry(c)) for c in answer.citations)
    at_odds = {
        when
        for found in answer.disagreements
        for p in found.positions
        for value in p.values
        for when in _dates_of_value(value, events)
    }
    for event in events:
        event.differ = event.when in at_odds
    return events


def _dates_of_value(value: str, events: Sequence[Event]) -> set[str]:
    """The events that the value of a position names; `1 December` without its year meets any year."""
    named = dates_in(value)
    return {
        e.when
        for e in events
        for n in named
        for own in dates_in(e.label)
        if n.month and n.agrees(own) and n.day == own.day
    }


def of_documents(documents: Iterable[Document]) -> list[Event]:
    """Return the dated events of whole documents."""
    return _gather(
        (quote, Entry(quote, said_by, s.locator.label, source_url(document.id, s.start, s.end)))
        for document in documents
        for said_by in [who(document.source.author, document.source.publisher)]
        for s in document.sentences
        for quote in [document.text[s.start : s.end]]
    )


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the axis with its own scale: years `low` to `high`, drawn from `left` to `right`."""

    low: float
    high: float
    left: float
    right: float

    def x(self, position: float) -> float:
        """Return where a date is drawn."""
        share = (position - self.low) / ((self.high - self.low) or 1)
        return self.left + max(0.0, min(1.0, share)) * (self.right - self.left)


def _dense(positions: list[float]) -> list[float]:
    """The dates of a year without the few that stand far before the others."""
    tenth = len(positions) // 10
    lonely = positions[tenth] - positions[0] > (positions[-1] - positions[0]) / 2
    return positions[tenth:] if lonely else positions


def bands(events: Sequence[Event]) -> list[Band]:
    """Return the stretches of the axis: the year of most dates, what lies before, what after."""
    exact = Counter(int(e.position) for e in events if e.exact)
    first, last = events[0].position, events[-1].position
    if not exact or last - first < 2 or max(exact.values()) < 4:
        pad = max((last - first) * 0.03, 0.02)
        return [Band(first - pad, last + pad, MARGIN, WIDTH - MARGIN)]
    year = max(exact, key=lambda y: exact[y])
    inside = _dense([e.position for e in events if e.exact and int(e.position) == year])
    ranges = [
        (first - 0.5, inside[0] - 0.021, 0.34) if first < inside[0] else None,
        (inside[0] - 0.02, inside[-1] + 0.02, 0.54),
        (year + 1.0, last + 0.5, 0.12) if last >= year + 1 else None,
    ]
    used = [r for r in ranges if r is not None]
    unit = (WIDTH - 2 * MARGIN - GAP * (len(used) - 1)) / sum(share for *_, share in used)
    spans, left = [], float(MARGIN)
    for low, high, share in used:
        spans.append(Band(low, high, left, left + share * unit))
        left += share * unit + GAP
    return spans


def _band(position: float, spans: Sequence[Band]) -> Band:
    """The stretch that a date is drawn on: the last that begins before it."""
    begun = [b for b in spans if b.low <= position]
    return begun[-1] if begun else spans[0]


def _ticks(band: Band) -> list[tuple[float, str]]:
    if band.high - band.low > 2.5:
        most = (band.right - band.left) / 60
        step = next(s for s in (1, 2, 5, 10, 20, 50, 500) if (band.high - band.low) / s <= most)
        first = -(-int(band.low + 1) // step) * step
        return [(float(y), str(y)) for y in range(first, int(band.high) + 1, step)]
    ticks = []
    for year in range(int(band.low), int(band.high) + 1):
        for month in range(1, 13):
            at = year + (date(year, month, 1).timetuple().tm_yday - 1) / 366
            if band.low <= at <= band.high:
                ticks.append((at, f"{date(year, month, 1):%b %Y}"))
    step = max(1, -(-len(ticks) // max(1, int((band.right - band.left) // 80))))
    return ticks[::step]


def _own_ticks(events: Sequence[Event], band: Band) -> list[tuple[float, str]]:
    """The dates themselves, where they are few; one that would lie on the label before it is left out."""
    ticks: list[tuple[float, str]] = []
    for event in events:
        if not ticks or band.x(event.position) - band.x(ticks[-1][0]) > LABEL:
            ticks.append((event.position, event.label))
    return ticks


def _axis(band: Band, ticks: Sequence[tuple[float, str]]) -> str:
    parts = [f'<line class="axis" x1="{band.left:.1f}" x2="{band.right:.1f}" y1="{AXIS}" y2="{AXIS}"/>']
    for at, label in ticks:
        x = band.x(at)
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS}" y2="{AXIS + 6}"/>')
        parts.append(f'<text x="{x:.1f}" y="{AXIS + 22}" text-anchor="middle">{esc(label)}</text>')
    return "".join(parts)


Dot = tuple[float, float, float]
"""Where a dot is drawn, and its radius."""


def _spots(events: Sequence[Event], spans: Sequence[Band]) -> list[Dot]:
    """Where the dots are drawn: stacked where they would lie on each other."""
    spots: list[Dot] = []
    for event in events:
        radius = min(4.5 + len(event.entries) ** 0.5, 11)
        x, y = _band(event.position, spans).x(event.position), AXIS - radius - 4
        while y > radius + 2 and any(
            (x - a) ** 2 + (y - b) ** 2 < (radius + c + 1) ** 2 for a, b, c in spots
        ):
            y -= 3
        spots.append((x, y, radius))
    return spots


def _dot(event: Event, spot: Dot, key: str) -> str:
    """A dot as a link to the list; its words show when it is pointed at."""
    x, y, radius = spot
    odds = ", the sources differ" if event.differ else ""
    said = f"{event.label}: {count(len(event.entries), 'sentence')}{odds}"
    ring = f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="{radius + 3:.1f}"/>' if event.differ else ""
    dot = f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
    entry = event.entries[0]
    tip = f"{said}. {entry.quote} ({entry.who}, {entry.place})"
    return tag("a", ring, dot, href=f"#{key}-{event.when}", aria_label=said, data_tip=tip)


def strip(events: Sequence[Event], key: str) -> str:
    """Return the dates as a strip; a dot's size tells how many sentences name the date."""
    spans = bands(events)
    spots = _spots(events, spans)
    few = len(spans) == 1 and len(events) <= FEW
    top = min(y - radius for _, y, radius in spots) - 8
    gaps = "".join(
        f'<line class="gap" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.0f}" y2="{AXIS + 12}"/>'
        for x in (b.right + GAP / 2 for b in spans[:-1])
    )
    return tag(
        "svg",
        *(_axis(b, _own_ticks(events, b) if few else _ticks(b)) for b in spans),
        gaps,
        *(_dot(event, spot, key) for event, spot in zip(events, spots, strict=True)),
        viewBox=f"0 {top:.0f} {WIDTH} {HEIGHT - top:.0f}",
        role="group",
        aria_label=f"Timeline from {events[0].label} to {events[-1].label}",
        class_="timeline",
    )


def _said(entry: Entry) -> str:
    place = tag("a", esc(f"{entry.who}, {entry.place}"), class_="view", href=entry.href)
    return tag("li", tag("span", esc(entry.quote), dir="auto"), " ", place)


def _item(event: Event, key: str) -> str:
    shown = "".join(_said(e) for e in event.entries[:SHOWN])
    rest = event.entries[SHOWN:]
    folded = ""
    if rest:
        more = tag("ul", *(_said(e) for e in rest))
        folded = tag("details", tag("summary", f"{len(rest)} more"), more)
    differ = tag("span", "The sources differ", class_="odds") if event.differ else ""
    title = (
        esc(event.label) if event.when.endswith("s") else tag("time", esc(event.label), datetime=event.when)
    )
    return tag(
        "li", tag("h4", title, differ), tag("ul", shown), folded, id=f"{key}-{event.when}", tabindex="-1"
    )


def draw(events: Sequence[Event], key: str) -> str:
    """Return strip and list, or a plain word where no date is named."""
    if not events:
        return tag("p", "No sentence here names a date.", class_="note")
    items = "".join(_item(e, key) for e in events)
    return tag(
        "div",
        tag("div", strip(events, key), class_="scroll"),
        tag("ol", items, class_="dates"),
        class_="timeline-box",
    )
