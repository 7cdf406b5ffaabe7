"""Markdown -> blocks: headings, paragraphs, list items and table rows as plain text."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nkqa.formats.draft import Block, Draft
from nkqa.formats.marks import MARK
from nkqa.formats.repair import restore_hyphens, vocabulary
from nkqa.formats.sniff import front_matter, is_source, settle
from nkqa.formats.transcript import with_linked_times

_WIKI = re.compile(r"\[\[(?:[^\[\]|]{0,200}\|)?\s*([^\[\]|]{1,300}?)\s*\]\]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_NOTE = re.compile(r"\[\^[\w-]{1,40}\]:?")


def _inline(token: Token) -> str:
    """Return the words of an inline token: links as their text, pictures left out."""
    parts: list[str] = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak") or (
            child.type == "html_inline" and "br" in child.content
        ):
            parts.append(" ")
    return " ".join(_NOTE.sub("", "".join(parts)).split())


def _rows(tokens: Sequence[Token]) -> Iterator[str]:
    cells: list[str] = []
    for token in tokens:
        if token.type == "inline":
            cells.append(_inline(token))
        elif token.type == "tr_close":
            yield "; ".join(filter(None, cells))
            cells = []


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    """Yield blocks from a stream of tokens."""
    depth = level = 0
    table: list[Token] | None = None
    for token in tokens:
        if token.type == "table_open":
            table = []
        elif token.type == "table_close" and table is not None:
            yield from (Block(row, item=True) for row in _rows(table) if row)
            table = None
        elif table is not None:
            table.append(token)
        elif token.type in ("list_item_open", "list_item_close"):
            depth += 1 if token.type.endswith("open") else -1
        elif token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "inline" and (text := _inline(token)):
            yield Block(text, level, depth > 0)
            level = 0
        elif token.type in ("code_block", "fence"):
            yield Block(" ".join(token.content.split()), item=True)
        elif token.type == "html_block" and (text := " ".join(_TAG.sub(" ", token.content).split())):
            yield Block(text)


def markdown_blocks(text: str) -> list[Block]:
    """Return the blocks of Markdown; HTML comments and tags are left out."""
    text = _WIKI.sub(r"\1", with_linked_times(_COMMENT.sub(" ", text)))
    return [b for b in _blocks(MarkdownIt("commonmark").enable("table").parse(text)) if b.text]


def read_markdown(text: str) -> Draft:
    """Return the blocks of a Markdown file; one in the corpus's source format is passed on as it is."""
    if is_source(text):
        return Draft([], ready=text)
    meta, body = front_matter(text)
    known = vocabulary(body)
    body = restore_hyphens(body, known)
    meta = {key: restore_hyphens(value, known) for key, value in meta.items()}
    blocks = markdown_blocks(body)
    timed = any(m[1] == "e" for b in blocks for m in MARK.finditer(b.text))
    draft = Draft(blocks, meta, meta.get("type", "document"), "timestamp" if timed else "paragraph")
    return settle(draft)
