"""An answer to take away: plain text, Markdown, BibTeX and RIS, each with the place of every sentence."""

import re

from nkqa.types import Answer, Citation, Position, SourceInfo
from nkqa_ui.wording import between, day

_BIBTEX_TYPES = {
    "report": "techreport",
    "article-newspaper": "article",
    "article": "article",
    "article-journal": "article",
}
_RIS_TYPES = {
    "report": "RPRT",
    "article-newspaper": "NEWS",
    "article": "JOUR",
    "article-journal": "JOUR",
    "article-magazine": "MGZN",
    "broadcast": "VIDEO",
    "motion_picture": "VIDEO",
    "webpage": "ELEC",
}
_BIBTEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reference(citation: Citation) -> str:
    source = citation.source
    who = ", ".join(source.author)
    publisher = f"{source.publisher}, " if source.publisher and source.publisher not in source.author else ""
    place = citation.locator.url or source.URL or ""
    return _one_line(
        f"{who}: “{source.title}”, {publisher}{day(source.issued)}, {citation.locator.label}. {place}"
    )


def _cited(answer: Answer) -> tuple[Citation, ...]:
    return answer.citations or (answer.abstention.nearest if answer.abstention else ())


def _tail(answer: Answer) -> str:
    reach = between(answer.corpus.issued_from, answer.corpus.issued_to)
    return (
        f"nkqa, from {answer.corpus.documents} sources of {reach} (corpus {answer.corpus.fingerprint[:12]})"
    )


def _said(answer: Answer) -> str:
    return answer.answer if answer.abstention is None else f"{answer.answer} {answer.abstention.message}"


def text(answer: Answer) -> str:
    """Return question, answer and numbered places as plain text."""
    parts = [_one_line(answer.standalone_question), "", _one_line(_said(answer)), ""]
    for found in answer.disagreements:
        sides = "; ".join(p.marked() for p in found.positions)
        parts.append(_one_line(f"The sources differ ({found.about}): {sides}"))
    parts += [f"[{c.number}] {_reference(c)}" for c in answer.citations]
    return "\n".join([*parts, "", _tail(answer)])


def _md(value: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", _one_line(value))


def _md_reference(citation: Citation) -> str:
    source = citation.source
    place = citation.locator.url or source.URL
    label = _md(citation.locator.label)
    linked = f"[{label}](<{place.replace('<', '%3C').replace('>', '%3E')}>)" if place else label
    who = f"{_md(', '.join(source.author))}: *{_md(source.title)}*, {_md(source.publisher)}"
    return f"{who}, {day(source.issued)}, {linked}"


def _md_side(position: Position) -> str:
    return ", ".join(
        f"{_md(words)} {''.join(f'[^{n}]' for n in numbers)}"
        for words, numbers in position.wordings().items()
    )


def markdown(answer: Answer) -> str:
    """Return the answer as Markdown with footnotes that quote and link."""
    body = " ".join(_md(s.text) + "".join(f"[^{n}]" for n in s.citations) for s in answer.sentences) or _md(
        _said(answer)
    )
    parts = [f"**{_md(answer.standalone_question)}**", "", body, ""]
    for found in answer.disagreements:
        parts.append(f"The sources differ ({_md(found.about)}):")
        parts += [f"- {_md_side(p)}" for p in found.positions]
        parts.append("")
    parts += [f"None of the sources answers: {_md(part)}\n" for part in answer.unanswered]
    parts += [f"[^{c.number}]: {_md_reference(c)}: “{_md(c.quote)}”" for c in answer.citations]
    return "\n".join([*parts, "", f"*{_md(_tail(answer))}*"])


def _by_source(answer: Answer) -> dict[str, tuple[SourceInfo, list[Citation]]]:
    grouped: dict[str, tuple[SourceInfo, list[Citation]]] = {}
    for citation in _cited(answer):
        grouped.setdefault(citation.document, (citation.source, []))[1].append(citation)
    return grouped


def _places(citations: list[Citation]) -> str:
    return "; ".join(dict.fromkeys(c.locator.label for c in citations))


def _tex(value: str) -> str:
    return "".join(_BIBTEX_SPECIAL.get(c, c) for c in _one_line(value))


def _bibtex_entry(key: str, source: SourceInfo, citations: list[Citation]) -> str:
    year, _, rest = source.issued.partition("-")
    fields = {
        "author": " and ".join("{" + _tex(a) + "}" for a in source.author),
        "title": "{" + _tex(source.title) + "}",
        "institution" if source.type == "report" else "publisher": _tex(source.publisher),
        "year": year,
        "month": rest.partition("-")[0].lstrip("0"),
        "date": source.issued,
        "url": re.sub(r"[{}\\\s]", "", source.URL or ""),
        "note": _tex(f"Cited: {_places(citations)}"),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    kind = _BIBTEX_TYPES.get(source.type, "misc")
    return "\n".join([f"@{kind}{{{re.sub(r'[^A-Za-z0-9-]', '', key)},", *lines, "}"])


def bibtex(answer: Answer) -> str:
    """Return a BibTeX entry for each source cited, its places in the note."""
    return "\n\n".join(
        _bibtex_entry(key, source, cited) for key, (source, cited) in _by_source(answer).items()
    )


def _ris_entry(source: SourceInfo, citations: list[Citation]) -> str:
    fields = [("TY", _RIS_TYPES.get(source.type, "GEN"))]
    fields += [("AU", author) for author in source.author]
    fields += [("TI", source.title), ("PB", source.publisher), ("PY", source.issued[:4])]
    fields += [("DA", source.issued.replace("-", "/")), ("UR", source.URL or "")]
    fields += [("N1", f"{c.locator.label}: {c.quote}") for c in citations]
    return "\n".join([*(f"{name}  - {_one_line(value)}" for name, value in fields if value), "ER  - "])


def ris(answer: Answer) -> str:
    """Return a RIS record for each source cited, a note for each sentence."""
    return "\n".join(_ris_entry(source, cited) for source, cited in _by_source(answer).values())


def all_formats(answer: Answer) -> dict[str, str]:
    """Return every format by its name."""
    return {"text": text(answer), "markdown": markdown(answer), "bibtex": bibtex(answer), "ris": ris(answer)}
