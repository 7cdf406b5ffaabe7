"""Bytes and broken text -> text: encodings, soft hyphens, ligatures, odd spaces, words broken over lines."""

import re
import unicodedata
from collections import Counter

from charset_normalizer import from_bytes

from nkqa.errors import FormatError

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP file (or a document of an office program)",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF-": "a PDF",
    b"\xd0\xcf\x11\xe0": "a document of an old office program",
}
_LINE_END_HYPHEN = re.compile("[\u00ad\u0002\ufffe]\\s*\n\\s*")
_INVISIBLE = re.compile("[\u00ad\u0002\ufffe\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_LEADERS = re.compile(r"(?:\. ?){5,}|(?:… ?){2,}|_{4,}|(?:- ){4,}|={5,}|-{5,}|\*{4,}")
_ODD_SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000\t]")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CAMEL = re.compile(r"\b([A-Z][a-z]{2,})([A-Z][a-z]{2,})\b")


def decode(data: bytes, declared: str | None = None) -> str:
    """Return the text of a file, whatever its encoding.

    Args:
        data: the file.
        declared: the encoding that the file itself names, believed after UTF-8 was tried.

    Raises:
        FormatError: it is no text.
    """
    for magic, what in _NOT_TEXT.items():
        if data.startswith(magic):
            raise FormatError(f"is {what}, not text; save it as text, HTML or PDF")
    text = _decoded(data, declared)
    odd = sum(1 for c in text[:20_000] if unicodedata.category(c) == "Cc" and c not in "\n\r\t\f\x02")
    if odd > len(text[:20_000]) * 0.005:
        raise FormatError("is not text: it has control characters in it")
    return text


def _decoded(data: bytes, declared: str | None) -> str:
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    for name in (encoding, "utf-8", declared):
        if name is None or name.lower().replace("-", "") == "utf7":
            continue
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    found = from_bytes(data[:500_000])
    best = found.best()
    if best is not None:  # the commonest of those that fit as well
        alike = [m for m in found if m.encoding in ("cp1252", "latin_1") and m.chaos <= best.chaos]
        best = alike[0] if best.encoding in ("cp1250", "mac_roman", "cp1257", "cp1254") and alike else best
    if best is None:
        raise FormatError("is not text in any encoding known here; save it as UTF-8")
    return data.decode(best.encoding, "replace")


def tidy(text: str) -> str:
    """Return `text` in NFC with plain line ends and spaces, ligatures resolved, invisible characters gone."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _PRIVATE.sub("", _LINE_END_HYPHEN.sub("", text))
    text = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text) if not text.isascii() else text
    text = _LIGATURE.sub(lambda m: unicodedata.normalize("NFKC", m.group()), _INVISIBLE.sub("", text))
    return _LEADERS.sub(" … ", _ODD_SPACE.sub(" ", unicodedata.normalize("NFC", text)))


def vocabulary(text: str) -> Counter[str]:
    """Return how often each word, hyphens included, stands whole in `text`."""
    return Counter(word.lower() for word in _WORD.findall(text))


def joined(before: str, after: str, known: Counter[str], between: str = "") -> str:
    """Return two lines as one text, mending a word that was broken at the line end.

    The hyphen stays where the document itself writes the word with it, or where a capital or digit follows.

    Args:
        before: the first line.
        after: the next line.
        known: the document's words.
        between: what is put between them, such as the mark of a new page.
    """
    head, tail = re.search(r"([^\W\d_]+)[-‐]$", before), re.match(r"[^\W\d_]+", after)
    if head is None or tail is None:
        return before + between + after if before.endswith(("-", "‐", "/")) else f"{before} {between}{after}"
    whole, hyphened = (head[1] + tail[0]).lower(), f"{head[1]}-{tail[0]}".lower()
    keep = not tail[0][0].islower() or known[hyphened] > known[whole]
    return (before if keep else before[:-1]) + between + after


def restore_hyphens(text: str, known: Counter[str]) -> str:
    """Return `text` with `NorthSouth` written `North-South`, if `known` has it: the hyphen was lost."""
    return _CAMEL.sub(lambda m: f"{m[1]}-{m[2]}" if known[f"{m[1]}-{m[2]}".lower()] else m[0], text)
