"""PDF -> pages of lines with place and letter size, by PDFium; by pypdf where PDFium cannot open it."""

import ctypes
import io
import re
from collections import Counter
from dataclasses import replace

import pypdf
import pypdfium2 as pdfium
from pypdf.errors import PyPdfError

from nkqa.errors import FormatError
from nkqa.formats.draft import Draft, as_date
from nkqa.formats.layout import Piece, page_of
from nkqa.formats.line import Line, Page, raised
from nkqa.formats.lines import blocks_of
from nkqa.formats.repair import restore_hyphens, tidy, vocabulary
from nkqa.formats.sniff import settle

MOST_PAGES = 1_500
_CREATED = re.compile(r"^(?:D:)?(\d{4})(\d{2})(\d{2})")


def _sizes(page: pdfium.PdfTextPage, start: int, end: int) -> list[float]:
    return [round(pdfium.raw.FPDFText_GetFontSize(page, i), 2) for i in range(start, end)]


def _scale(page: pdfium.PdfTextPage, index: int) -> float:
    """Return by how much the page enlarges the letters at `index`: font sizes are given before that."""
    matrix = pdfium.raw.FS_MATRIX()
    if not pdfium.raw.FPDFText_GetMatrix(page, index, ctypes.byref(matrix)):
        return 1.0
    return float((matrix.b**2 + matrix.d**2) ** 0.5) or 1.0


def _with_raised(text: str, sizes: list[float], main: float) -> str:
    """Return a line with digits that are smaller than its letters written as references to footnotes."""
    out, at = "", 0
    for match in re.finditer(r"(?<!\d)\d{1,3}(?!\d)", text):
        small = all(0 < size < main * 0.85 for size in sizes[match.start() : match.end()])
        out += text[at : match.start()] + (raised(match.group()) if small else match.group())
        at = match.end()
    return out + text[at:]


def _base(page: pdfium.PdfTextPage, index: int) -> float:
    """Return the height of the line that a letter stands on."""
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.raw.FPDFText_GetCharOrigin(page, index, x, y)
    return y.value


def _piece(page: pdfium.PdfTextPage, text: str, start: int) -> Piece | None:
    """Return the letters from `start` on as a piece, or None where they are blank."""
    shown = [i for i, c in enumerate(text) if not c.isspace()]
    if not shown:
        return None
    sizes = _sizes(page, start, start + len(text))
    main = max(Counter(sizes[i] for i in shown).items(), key=lambda pair: (pair[1] > 3, pair[0]))[0]
    first = page.get_charbox(start + shown[0], loose=True)
    last = page.get_charbox(start + shown[-1], loose=True)
    widest = start + next(i for i in shown if sizes[i] == main)
    words = _with_raised(text, sizes, main).strip()
    return Piece(words, first[0], last[2], _base(page, widest), round(main * _scale(page, widest), 1))


def _pieces(page: pdfium.PdfTextPage) -> list[Piece]:
    """Return the text of a page as PDFium parts it: a line, or what stands raised in one."""
    found: list[Piece] = []
    at = 0
    for part in re.split(r"(\r\n|\n|\r)", page.get_text_range(errors="replace")):
        piece = _piece(page, part, at)
        found += [piece] if piece else []
        at += len(part)
    return found


def _repaired(page: Page) -> Page:
    """Return the lines with their letters repaired; a soft hyphen at a line end becomes a plain one."""
    lines = []
    for line in page:
        text = re.sub("[\u00ad\u0002\ufffe]$", "-", line.text)
        marks = text.replace("\ue002", "\x0e").replace("\ue003", "\x0f")
        text = tidy(marks).replace("\x0e", "\ue002").replace("\x0f", "\ue003").strip()
        if text:
            lines.append(Line(text, line.gap, line.right, line.left, line.size))
    return lines


def _with_hyphens(pages: list[Page]) -> list[Page]:
    known = vocabulary("\n".join(line.text for page in pages for line in page))
    return [[replace(line, text=restore_hyphens(line.text, known)) for line in page] for page in pages]


def _by_pdfium(data: bytes) -> tuple[list[Page], dict[str, str]]:
    with pdfium.PdfDocument(data) as document:
        _check_pages(len(document))
        pages = []
        for page in document:
            text = page.get_textpage()
            pages.append(page_of(_pieces(text), page.get_height()))
            text.close()
            page.close()
        return pages, document.get_metadata_dict()


def _by_pypdf(data: bytes) -> tuple[list[Page], dict[str, str]]:
    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        raise FormatError("is encrypted; save a copy without a password")
    _check_pages(len(reader.pages))
    pages = []
    for page in reader.pages:
        lines = (page.extract_text() or "").split("\n")
        pages.append([Line(line.strip(), right=float(len(line))) for line in lines if line.strip()])
    return pages, {key.lstrip("/"): str(value) for key, value in (reader.metadata or {}).items()}


def _check_pages(count: int) -> None:
    if count > MOST_PAGES:
        raise FormatError(f"has {count} pages; {MOST_PAGES} are read at most: split it")


def _read(data: bytes) -> tuple[list[Page], dict[str, str]]:
    try:
        return _by_pdfium(data)
    except pdfium.PdfiumError as error:
        if pdfium.raw.FPDF_GetLastError() == pdfium.raw.FPDF_ERR_PASSWORD:
            raise FormatError("is encrypted; save a copy without a password") from error
    try:
        return _by_pypdf(data)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError) as error:
        raise FormatError(f"is damaged, neither PDFium nor pypdf can open it: {str(error)[:150]}") from error


def read_pdf(data: bytes) -> Draft:
    """Return the blocks of a PDF, with marks of the pages of the file, counted from 1.

    Raises:
        FormatError: it is no PDF, is encrypted or damaged, has too many pages, or has no text in it.
    """
    if b"%PDF-" not in data[:1024]:
        raise FormatError("is not a PDF, whatever its name says")
    pages, said = _read(data)
    pages = _with_hyphens([_repaired(page) for page in pages])
    if not any(c.isalpha() for page in pages for line in page for c in line.text):
        raise FormatError(
            "has pages without text, perhaps pictures of text; run text recognition on it first"
        )
    blocks, heads = blocks_of(pages)
    created = _CREATED.match(said.get("CreationDate", ""))
    meta = {"title": said.get("Title", ""), "author": said.get("Author", ""), "publisher": ""}
    meta["issued"] = as_date("-".join(created.groups())) or "" if created else ""
    draft = Draft(blocks, {k: v for k, v in meta.items() if v.strip()}, "document", "page")
    return settle(draft, heads)
