"""What a document says of itself: front matter; title, byline, date and address in its first lines."""

import re
from collections.abc import Sequence

import yaml

from nkqa.dates import dates_in
from nkqa.errors import FormatError
from nkqa.formats.draft import Block, Draft, as_date, as_url
from nkqa.formats.marks import unmark
from nkqa.text import clean, fold

MAX_FRONT_MATTER = 8_192
_MOST_BRACKETS = 100
_FRONT = re.compile(r"\A\s*---[ ]*\n(.*?)\n---[ ]*(?:\n|\Z)", re.DOTALL)
_KEYS = {key: key for key in ("title", "author", "publisher", "container-title", "issued", "language")}
_KEYS |= {"authors": "author", "by": "author", "date": "issued", "published": "issued", "lang": "language"}
_KEYS |= {
    "url": "URL",
    "link": "URL",
    "source": "URL",
    "rights": "rights",
    "type": "type",
    "perspective": "perspective",
}
_KEYS |= {"videoid": "video", "video": "video", "youtube": "video"}
_BYLINE = re.compile(
    r"^(?:By:?\s+(?=[^\W\d_a-z])|From:\s+|Authors?:\s+)(?P<who>[^\W\d_]\S*(?: \S+){0,5})(?<![.!?])$"
)
_ADDRESS_LABEL = re.compile(r"^(?:original url|source|url|link|read at)\s*:?$", re.IGNORECASE)
_LABEL = re.compile(r"^(?:original url|source|url|link):\s+", re.IGNORECASE)
_NAME = re.compile(r"^[A-ZÀ-Ž][^\W\d_]+(?:[ -][A-ZÀ-Ž][^\W\d_.]*\.?){1,3}$")
_VIDEO = re.compile(r"^[A-Za-z0-9_-]{6,20}$")
_ENDED = re.compile(r"[.!?…:;][)\]”\"’'»]*$")
_FIRST, _LAST = 6, 3
"""Blocks at the beginning and the end that are searched."""
_MOST_WORDS = 20


def _flat(value: object) -> str:
    """Return a front matter value as one line; several names are put apart by semicolons."""
    if isinstance(value, dict):
        named = [value.get("literal"), value.get("given"), value.get("family"), value.get("name")]
        return " ".join(str(v) for v in named if v)
    if isinstance(value, list):
        return "; ".join(filter(None, map(_flat, value)))
    return str(value or "")


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return what the front matter says, in the names used here, and the text after it.

    All values are read as strings; keys that are not known are left out.

    Raises:
        FormatError: it is too long, uses aliases, or is no YAML.
    """
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    if len(match[1]) > MAX_FRONT_MATTER:
        raise FormatError(
            f"has front matter of {len(match[1])} characters; {MAX_FRONT_MATTER} are read at most"
        )
    if match[1].count("[") + match[1].count("{") > _MOST_BRACKETS:
        raise FormatError("has front matter that is nested too deeply")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(match[1], Loader=yaml.BaseLoader)):
            raise FormatError("has YAML aliases in its front matter; write the values out")
        read = yaml.load(match[1], Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise FormatError(f"has front matter that is not YAML: {str(error)[:200]}") from error
    if not isinstance(read, dict):
        return {}, text
    meta = {_KEYS[k.lower()]: _flat(v) for k, v in read.items() if isinstance(k, str) and k.lower() in _KEYS}
    video = meta.pop("video", "")
    if _VIDEO.match(video):
        meta.setdefault("URL", f"https://www.youtube.com/watch?v={video}")
        meta.setdefault("publisher", "YouTube")
        meta.setdefault("type", "broadcast")
    return meta, text[match.end() :]


def is_source(text: str) -> bool:
    """Whether `text` already is in the source format: it has id, perspective and locator."""
    match = _FRONT.match(text)
    keys = re.findall(r"(?m)^([A-Za-z-]+):", match[1]) if match else []
    return {"id", "perspective", "locator"} <= set(keys)


def whole_date(text: str) -> str | None:
    """Return the ISO date that `text` consists of, to the day or month, if it is nothing else."""
    found = dates_in(text)
    if len(found) != 1 or len(text) - (found[0].end - found[0].start) > 12 or found[0].month is None:
        return None
    return as_date(found[0].iso)


def _heads(draft: Draft, heads: Sequence[str]) -> None:
    """Take title and date from running heads, where the document has no other."""
    for head in heads:
        for date in dates_in(head):
            if date.year and date.month:
                draft.meta.setdefault("issued", as_date(date.iso) or "")
    titles = [h for h in heads if not any(c.isdigit() for c in h) and 2 < len(h.split()) <= _MOST_WORDS]
    if titles:
        draft.meta.setdefault("title", max(titles, key=len))


def _title(draft: Draft) -> None:
    """Take the title from the first heading or first unended short paragraph, and that out of the text."""
    if not draft.blocks:
        return
    first = draft.blocks[0]
    text = clean(unmark(first.text)[0])
    short = len(text.split()) <= _MOST_WORDS and (not _ENDED.search(text) or text.endswith("?"))
    is_title = first.level == 1 or (first.level == 0 and not first.item and short and len(draft.blocks) > 1)
    given = draft.meta.get("title")
    if text and (fold(text) == fold(given) if given else is_title or bool(first.level and short)):
        draft.meta["title"] = text
        del draft.blocks[0]


def _top(draft: Draft) -> None:
    """Take byline and date from the first paragraphs, and those out of the text."""
    for at, block in enumerate(list(draft.blocks[:_FIRST])):
        text = clean(unmark(block.text)[0])
        if block.level or len(text) > 100:
            continue
        byline = _BYLINE.match(text)
        who = byline["who"] if byline else text if at == 0 and _NAME.match(text) and not block.item else ""
        issued = whole_date(text) if not who else None
        if byline or (who and "author" not in draft.meta) or (issued and "issued" not in draft.meta):
            draft.meta.setdefault("author" if who else "issued", who or issued or "")
            draft.blocks.remove(block)


def _bottom(draft: Draft) -> None:
    """Take the address from the last paragraphs where one is nothing else, and that out of the text."""
    for block in list(draft.blocks[-_LAST:]):
        text = clean(unmark(block.text)[0])
        address = as_url(_LABEL.sub("", text).strip("<> "))
        if address and "URL" not in draft.meta and not block.level:
            draft.meta["URL"] = address
            draft.blocks.remove(block)
        elif _ADDRESS_LABEL.match(text):
            draft.blocks.remove(block)


def rejoined(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with paragraphs made whole that a page break, or a line in capitals, cut in two."""
    whole: list[Block] = []
    for block in blocks:
        start = unmark(block.text)[0]
        plain = not block.level and not block.item and not block.note and start[:1].islower()
        before = whole[-1] if whole else None
        if plain and len(whole) > 1 and before and _is_running_head(before) and _is_open(whole[-2]):
            whole.pop()
            before = whole[-1]
        if plain and before and _is_open(before):
            whole[-1] = Block(f"{before.text} {block.text}")
        else:
            whole.append(block)
    return whole


def _is_open(block: Block) -> bool:
    text = unmark(block.text)[0].rstrip()
    return not block.level and not block.item and not block.note and bool(text) and not _ENDED.search(text)


def _is_running_head(block: Block) -> bool:
    text = unmark(block.text)[0]
    return not block.note and len(text.split()) <= 8 and text.isupper()


def settle(draft: Draft, heads: Sequence[str] = ()) -> Draft:
    """Return the draft with broken paragraphs made whole and what it says of itself moved to `meta`."""
    draft.blocks = rejoined(draft.blocks)
    _heads(draft, heads)
    _title(draft)
    _top(draft)
    _bottom(draft)
    return draft
