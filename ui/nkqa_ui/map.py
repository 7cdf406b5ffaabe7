"""The places in a text on a plain drawn map: points and names, no borders, nothing fetched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import cos, radians
from statistics import median

from nkqa.names import Gazetteer, Name
from nkqa.types import Answer, Document
from nkqa_ui.html import esc, tag
from nkqa_ui.wording import count

WIDTH, HEIGHT, MARGIN = 520, 400, 44
LETTER = 8.6
"""Width that a letter of a label takes, on a phone."""
KM_PER_DEGREE = 111.2
REACH = 5.0
"""Degrees from the middle of all places within which one is drawn."""
CLOSE, FEW = 0.75, 5
"""Degrees of a first, closer map, and the places that it must have more of."""
LEAST_SPAN = 1.6
"""Degrees of latitude that a map shows at least, so that one place alone has surroundings."""


@dataclass(slots=True)
class Place:
    """A place with the spellings that the texts use, the commonest first, and how often it is named."""

    name: Name
    spellings: dict[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The spelling that the texts use most."""
        return max(self.spellings, key=lambda s: self.spellings[s]) if self.spellings else self.name.names[0]

    @property
    def others(self) -> list[str]:
        """The other names of the place."""
        return [n for n in self.name.names if n.casefold() != self.label.casefold()]

    @property
    def latitude(self) -> float:
        """Degrees north."""
        return self.name.latitude or 0.0

    @property
    def longitude(self) -> float:
        """Degrees east."""
        return self.name.longitude or 0.0

    @property
    def times(self) -> int:
        """How often the texts name it."""
        return sum(self.spellings.values())


def of_people(spelling: str, head: str) -> bool:
    """Whether a spelling speaks of people or of what is theirs, as Northlander does, and not of the place."""
    longer = spelling.casefold().startswith(head.casefold()) and " " not in spelling[len(head) :]
    return (longer and len(spelling) > len(head)) or spelling.endswith(("ish", "nch", "ians", "Turks"))


def places_in(texts: Iterable[str], names: Gazetteer) -> list[Place]:
    """Return the places with coordinates that `texts` name, most often named first."""
    found: dict[str, Place] = {}
    for text in texts:
        for mention in names.find(text):
            entry = mention.entry
            if entry.latitude is None or entry.longitude is None:
                continue
            spelling = text[mention.start : mention.end]
            if of_people(spelling, entry.names[0]):
                continue
            place = found.setdefault(entry.id, Place(entry))
            place.spellings[spelling] = place.spellings.get(spelling, 0) + 1
    return sorted(found.values(), key=lambda p: (-p.times, p.name.id))


def apart(places: Sequence[Place], reach: float) -> tuple[list[Place], list[Place]]:
    """Return the places that lie near each other, and those too far from them to be drawn."""
    middle = (
        (median(p.latitude for p in places), median(p.longitude for p in places)) if places else (0.0, 0.0)
    )
    near = [
        p
        for p in places
        if abs(p.latitude - middle[0]) < reach and abs(p.longitude - middle[1]) < reach * 1.3
    ]
    return near or list(places), [p for p in places if near and p not in near]


def of_answer(answer: Answer, names: Gazetteer) -> list[Place]:
    """Return the places that the quotes of an answer name."""
    return places_in((c.quote for c in answer.citations), names)


def of_documents(documents: Iterable[Document], names: Gazetteer) -> list[Place]:
    """Return the places that documents name."""
    return places_in((d.text for d in documents), names)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a map shows: degrees to points of the drawing, with the same scale in both directions."""

    west: float
    north: float
    scale: float
    """Points of the drawing for a degree of latitude."""
    squeeze: float
    """Length of a degree of longitude in degrees of latitude."""

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Return where a place is drawn."""
        return ((longitude - self.west) * self.squeeze * self.scale, (self.north - latitude) * self.scale)


def frame(points: Sequence[tuple[float, float]]) -> Frame:
    """Return the frame that holds all points (latitude, longitude) with a margin."""
    south, north = min(p[0] for p in points), max(p[0] for p in points)
    west, east = min(p[1] for p in points), max(p[1] for p in points)
    squeeze = cos(radians((south + north) / 2))
    high, wide = max(north - south, LEAST_SPAN), max((east - west) * squeeze, LEAST_SPAN)
    scale = min((HEIGHT - 2 * MARGIN) / high, (WIDTH - 2 * MARGIN - 90) / wide)
    middle = ((south + north) / 2, (west + east) / 2)
    return Frame(middle[1] - WIDTH / 2 / scale / squeeze, middle[0] + HEIGHT / 2 / scale, scale, squeeze)


Box = tuple[float, float, float, float]


def _meets(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def label_spot(x: float, y: float, width: float, taken: Sequence[Box]) -> tuple[Box, str] | None:
    """Return where a label fits beside a point, with its anchor; None where it would cover something."""
    spots: list[tuple[Box, str]] = [
        ((x + 9, y - 8, x + 9 + width, y + 8), "start"),
        ((x - 9 - width, y - 8, x - 9, y + 8), "end"),
        ((x - width / 2, y - 25, x + width / 2, y - 9), "middle"),
        ((x - width / 2, y + 9, x + width / 2, y + 25), "middle"),
    ]
    for box, anchor in spots:
        inside = box[0] > 4 and box[2] < WIDTH - 4 and box[1] > 4 and box[3] < HEIGHT - 30
        if inside and not any(_meets(box, other) for other in taken):
            return box, anchor
    return None


def _label(place: Place, spot: tuple[Box, str]) -> str:
    (left, top, right, _), anchor = spot
    at = {"start": left, "end": right, "middle": (left + right) / 2}[anchor]
    return f'<text x="{at:.1f}" y="{top + 13:.1f}" text-anchor="{anchor}">{esc(place.label)}</text>'


def _point(place: Place, x: float, y: float, spot: tuple[Box, str] | None) -> str:
    others = f" Also: {', '.join(place.others)}." if place.others else ""
    tip = f"{place.label}. {place.name.description}{others}"
    text = _label(place, spot) if spot is not None else ""
    dot = f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    dot += f'<circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="12"/>'
    return tag("g", dot, text, class_="place", tabindex=0, role="img", aria_label=tip, data_tip=tip)


def _points(places: Sequence[Place], shown: Frame) -> str:
    spots = [shown.at(p.latitude, p.longitude) for p in places]
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    parts = []
    for place, (x, y) in zip(places, spots, strict=True):
        spot = label_spot(x, y, LETTER * len(place.label) + 4, taken)
        if spot is not None:
            taken.append(spot[0])
        parts.append(_point(place, x, y, spot))
    return "".join(parts)


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):.0f}°{letters[0] if value >= 0 else letters[1]}"


def _graticule(shown: Frame) -> str:
    step = 1.0 if shown.scale > 60 else 5.0 if shown.scale > 16 else 20.0
    bottom, right = shown.north - HEIGHT / shown.scale, shown.west + WIDTH / shown.scale / shown.squeeze
    parts = []
    for latitude in _steps(bottom, shown.north, step):
        y, label = shown.at(latitude, shown.west)[1], _degrees(latitude, "NS")
        parts.append(f'<line x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if y > 34:
            parts.append(f'<text x="5" y="{y - 4:.1f}">{label}</text>')
    for longitude in _steps(shown.west, right, step):
        x, label = shown.at(shown.north, longitude)[0], _degrees(longitude, "EW")
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}"/>')
        if 4 < x < WIDTH - 36:
            parts.append(f'<text x="{x + 4:.1f}" y="14">{label}</text>')
    return tag("g", *parts, class_="grid", aria_hidden="true")


def _steps(low: float, high: float, step: float) -> list[float]:
    first = (low // step + 1) * step
    return [first + i * step for i in range(int((high - first) // step) + 1)]


def _scale_bar(shown: Frame) -> str:
    per_km = shown.scale / KM_PER_DEGREE
    km = next((k for k in (1000, 500, 200, 100, 50, 20, 10) if k * per_km <= WIDTH / 4), 5)
    right, y = WIDTH - 16, HEIGHT - 14
    left = right - km * per_km
    return (
        f'<g class="bar" aria-hidden="true"><line x1="{left:.1f}" x2="{right}" y1="{y}" y2="{y}"/>'
        f'<text x="{right}" y="{y - 6}" text-anchor="end">{km} km</text></g>'
    )


def _list(places: Sequence[Place]) -> str:
    items = []
    for place in places:
        others = f" Also: {', '.join(place.others)}." if place.others else ""
        items.append(
            tag("li", tag("b", esc(place.label), dir="auto"), esc(f" {place.name.description}{others}"))
        )
    return tag("details", tag("summary", f"The {count(len(places), 'place')} as a list"), tag("ul", *items))


def _context(around: Sequence[Place], shown: Frame, places: Sequence[Place]) -> str:
    """Other places within the frame, faint, so that one place alone can be found; those that fit are labelled."""
    drawn = {p.name.id for p in places}
    taken: list[Box] = []
    for place in places:
        x, y = shown.at(place.latitude, place.longitude)
        taken.append((x - 14, y - 26, x + 14 + LETTER * len(place.label), y + 26))
    parts = []
    for place in around:
        x, y = shown.at(place.latitude, place.longitude)
        spot = label_spot(x, y, LETTER * len(place.label) + 4, taken) if place.name.id not in drawn else None
        if spot is not None and 4 < x < WIDTH - 4 and 4 < y < HEIGHT - 30:
            taken += [spot[0], (x - 4, y - 4, x + 4, y + 4)]
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>{_label(place, spot)}')
    return tag("g", *parts, class_="around", aria_hidden="true")


def _drawing(places: Sequence[Place], around: Sequence[Place]) -> str:
    shown = frame([(p.latitude, p.longitude) for p in places])
    return tag(
        "svg",
        _graticule(shown),
        _context(around, shown, places),
        _points(places, shown),
        _scale_bar(shown),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="group",
        aria_label=f"Map of {count(len(places), 'place')}",
        class_="map",
    )


def draw(places: Sequence[Place], around: Sequence[Place] = ()) -> str:
    """Return the map with its list, or a plain word where there is no place; `around` are drawn faintly."""
    if not places:
        return tag("p", "No place with known coordinates is named here.", class_="note")
    near, far = apart(places, REACH)
    closer, _ = apart(near, CLOSE)
    drawing = _drawing(near, around)
    if FEW < len(closer) < len(near):
        drawing = _drawing(closer, around) + tag("h4", "With what lies around it") + drawing
    note = "Positions of places named in the text, in the text's own spelling. No borders are drawn."
    beyond = f" Farther away: {', '.join(p.label for p in far)}." if far else ""
    words = tag("p", note, esc(beyond), class_="note")
    return tag("div", drawing, words, _list(places), class_="map-box")
