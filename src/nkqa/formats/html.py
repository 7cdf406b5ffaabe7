"""HTML -> blocks: the main text, by trafilatura; where it finds too little, the article or the body."""

import re
from collections.abc import Iterator

import trafilatura
from selectolax.lexbor import LexborHTMLParser, LexborNode

from nkqa.errors import FormatError
from nkqa.formats.draft import Block, Draft, as_date, as_url
from nkqa.formats.markdown import markdown_blocks
from nkqa.formats.sniff import settle
from nkqa.formats.transcript import with_linked_times
from nkqa.text import fold

_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,30})", re.IGNORECASE)
_TEXT_TAGS = (
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "li",
    "blockquote",
    "tr",
    "figcaption",
    "pre",
    "dd",
    "dt",
)
_JUNK = "script, style, noscript, template, nav, aside, footer, form, iframe, svg, button"
_ENOUGH = 0.5
"""Share of an article's words that must come out of the extraction."""


def declared_charset(data: bytes) -> str | None:
    """Return the encoding that an HTML file names in its first two kilobytes."""
    found = _CHARSET.search(data[:2048])
    return found[1].decode("ascii") if found else None


def _main(tree: LexborHTMLParser) -> LexborNode | None:
    """Return the one article or main part of a page, if it says which it is."""
    for tag in ("article", "main", "[role=main]"):
        found = tree.css(tag)
        if len(found) == 1:
            return found[0]
    return None


def _walk(root: LexborNode) -> Iterator[Block]:
    """Yield headings and paragraphs under a node, innermost blocks only."""
    for node in root.css(", ".join(_TEXT_TAGS)):
        tag = node.tag or ""
        if tag in ("li", "blockquote", "tr", "dd") and node.css_first("p, li, blockquote") not in (
            None,
            node,
        ):
            continue
        text = " ".join(node.text(separator=" " if tag == "tr" else "").split())
        if text:
            yield Block(
                text, int(tag[1]) if re.fullmatch("h[1-6]", tag) else 0, tag in ("li", "tr", "dd", "dt")
            )


def _words(blocks: list[Block]) -> int:
    return sum(len(b.text.split()) for b in blocks)


def _title(found: str, tree: LexborHTMLParser) -> str:
    """Return the title that was found, unless the page's own `<title>` knows nothing of it."""
    node = tree.css_first("head > title")
    own = " ".join(node.text().split()) if node else ""
    return found if found and (not own or fold(found) in fold(own)) else own or found


def _meta(text: str, tree: LexborHTMLParser) -> dict[str, str]:
    """Return what a page says of itself, as trafilatura finds it."""
    found = trafilatura.extract_metadata(text, extensive=False)  # no dates from the text
    html = tree.css_first("html")
    meta = {"language": (html.attributes.get("lang") or "") if html else ""}
    if found is None:
        return meta
    said = {
        "title": _title(found.title or "", tree),
        "author": found.author,
        "publisher": found.sitename or found.hostname,
        "issued": as_date(found.date or ""),
        "URL": as_url(found.url or ""),
    }
    return meta | {key: value for key, value in said.items() if value}


def read_html(text: str) -> Draft:
    """Return the blocks of an HTML page.

    Raises:
        FormatError: there is no text in it.
    """
    text = with_linked_times(text)
    tree = LexborHTMLParser(text)
    meta = _meta(text, tree)
    extracted = trafilatura.extract(
        text, output_format="markdown", favor_precision=True, include_tables=True, include_comments=False
    )
    for junk in tree.css(_JUNK):
        junk.decompose()
    blocks = markdown_blocks(extracted or "")
    root = _main(tree) or tree.body
    whole = list(_walk(root)) if root is not None else []
    if _words(blocks) < _ENOUGH * _words(whole) and (_main(tree) is not None or _words(blocks) < 20):
        blocks = whole
    if not blocks and root is not None:
        blocks = [Block(line) for line in root.text(separator="\n").split("\n") if line.strip()]
    if not blocks:
        raise FormatError("holds no text outside of its navigation")
    timed = any("\ue000e" in b.text for b in blocks)
    return settle(Draft(blocks, meta, "webpage", "timestamp" if timed else "paragraph"))
