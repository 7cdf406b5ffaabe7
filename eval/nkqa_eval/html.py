"""The report as one HTML file that needs nothing else: pictures inside, no scripts, everything escaped."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from nkqa_eval import plots
from nkqa_eval.measures import MEASURES
from nkqa_eval.misses import MEANINGS
from nkqa_eval.report import Report, interval
from nkqa_eval.row import Row

_CSS = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
body { color: #1a1a1a; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
thead th { border-bottom: 1px solid #767676; }
.scroll { overflow-x: auto; }
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; }
.pictures, .beside { display: grid; gap: 1rem; }
.pictures, .beside { grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
details { border-top: 1px solid #ccc; padding: .4rem 0; }
summary { cursor: pointer; }
.met { color: #1b6e3c; }
.missed { color: #a3201d; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
td { font-variant-numeric: tabular-nums; }
td:nth-child(3), th { white-space: nowrap; }
code { font-size: .9em; overflow-wrap: anywhere; }
.small { font-size: .875rem; color: #4a4a4a; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_report(report: Report) -> str:
    """Return the page."""
    what = report.conditions
    title = f"nkqa on {what.set}"
    met = sum(row.met for row in report.rows)
    facts = {
        "questions": f"{len(report.rows)}, of which {met} met",
        "asked": what.target + (f", without {', '.join(what.without)}" if what.without else ""),
        "corpus": what.corpus,
        "version": f"{what.nkqa_version} {what.commit}".strip(),
        "machine": f"{what.machine}; {what.jobs} at a time",
        "when": what.when,
    }
    missed = [row for row in report.rows if not row.met]
    others = [row for row in report.rows if row.met]
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n",
            f"<h1>{escape(title)}</h1>\n",
            _table(("", ""), [(name, value) for name, value in facts.items() if value]),
            "<h2>In pictures</h2>\n<div class=pictures>\n",
            _figure(
                "Share of questions met, by type, with 95% intervals", plots.shares(report.by_type, "met")
            ),
            _figure("Risk at each coverage", plots.risk_and_coverage(report.risk_coverage)),
            _figure(
                "Confidence against the share of answerable questions",
                plots.reliability_diagram(report.reliability),
            ),
            _figure("Latency by stage", plots.latencies(report.latency)),
            _figure("Where each miss happened", plots.counts(report.misses)) if report.misses else "",
            "</div>\n",
            "<h2>Measures</h2>\n<p class=small>95% intervals by bootstrap over groups of questions.</p>\n",
            _measures(report),
            _latency(report),
            f"<h2>Missed: {len(missed)}</h2>\n",
            _meanings(report),
            *[_question(row) for row in missed],
            f"<h2>Met: {len(others)}</h2>\n",
            *[_question(row) for row in others],
            "</main>\n</body>\n</html>\n",
        ]
    )


def write_html(report: Report, path: Path) -> None:
    """Write the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html_report(report), encoding="utf-8")


def _measures(report: Report) -> str:
    rows = []
    for name, measure in MEASURES.items():
        if (estimate := report.measures.get(name)) is not None:
            rows.append((name, measure.section, interval(estimate), str(estimate.n), measure.definition))
    return _table(("measure", "of", "value", "n", "what it is"), rows)


def _latency(report: Report) -> str:
    rows = [
        (stage, f"{taken.p50:.1f}", f"{taken.p95:.1f}", f"{taken.most:.1f}")
        for stage, taken in report.latency.items()
    ]
    return "<h2>Latency</h2>\n" + _table(("stage", "p50 ms", "p95 ms", "most ms"), rows)


def _meanings(report: Report) -> str:
    rows = [(name, str(report.misses[name]), MEANINGS[name]) for name in MEANINGS if name in report.misses]
    return _table(("miss", "questions", "meaning"), rows) if rows else ""


def _question(row: Row) -> str:
    verdict = (
        '<span class="met">met</span>' if row.met else f'<span class="missed">{escape(row.miss or "")}</span>'
    )
    history = "".join(f"<dd>{escape(turn.role)}: {escape(turn.content)}</dd>" for turn in row.history)
    given = [
        ("Answer" if row.status == "answered" else row.status.capitalize(), row.answer or row.message),
        ("Reason", row.reason or ""),
        ("Short answer", row.short_answer or ""),
        ("Confidence", f"{row.confidence:.3f}"),
        ("Cited", "; ".join(f"{cited.source}, {cited.label}" for cited in row.cited)),
        ("Disagreements", "; ".join(row.disagreements)),
    ]
    wanted = [
        ("Note", row.note),
        ("Sources", ", ".join(row.sources)),
        ("Places", "; ".join(row.places)),
        ("Acceptable reasons", ", ".join(row.accepted_reasons)),
        ("Conflict", row.conflict or ""),
        ("Symmetry", row.symmetry or ""),
    ]
    nuggets = "".join(
        f'<dd><span class="{"met" if there else "missed"}">{"found" if there else "not found"}</span> '
        f"<code>{escape(' | '.join(nugget))}</code></dd>"
        for nugget, there in zip(row.nuggets, row.nuggets_found, strict=False)
    )
    needs = f"<dt>Nuggets, {row.min_nuggets} needed</dt>{nuggets}" if nuggets else ""
    before = f"<dt>Before</dt>{history}" if history else ""
    name = f"<code>{escape(row.id)}</code> {escape(row.type)}: {escape(row.question)}"
    return (
        f'<details id="{escape(row.id)}"><summary>{verdict} {name}</summary>\n'
        f"<div class=beside><dl>{before}{_entries(given)}</dl>"
        f"<dl>{_entries(wanted)}{needs}</dl></div></details>\n"
    )


def _entries(entries: list[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries if text)


def _figure(caption: str, svg: str) -> str:
    labelled = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)
    return f"<figure><figcaption>{escape(caption)}</figcaption>\n{labelled}</figure>\n"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    thead = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f"<div class=scroll><table>{thead}<tbody>\n{body}</tbody></table></div>\n"
