"""A BEIR folder through the same search: documents, queries and judgements that nobody here wrote.

Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models",
NeurIPS Datasets 2021 (arXiv 2104.08663). `corpus.jsonl` and `queries.jsonl` hold one object a line with `_id`
and `text` (documents with `title` too), `qrels/*.tsv` the columns query-id, corpus-id, score.
"""

import csv
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nkqa.types import Hit, Source
from nkqa_eval.bootstrap import Estimate, Part, ratio_interval
from nkqa_eval.measures import percentile
from nkqa_eval.questions import QuestionError
from nkqa_eval.report import Conditions, Latency, interval
from nkqa_eval.retrieval import graded_rank_values
from nkqa_eval.run import each

MEASURES = ("nDCG@10", "RR@10", "Success@1", "R@10", "R@100")
DEPTH = 100
PASSAGES = 200
"""Passages asked for, so that documents of several passages leave a hundred documents."""


@dataclass(frozen=True, slots=True)
class BeirDocument:
    """A document, its own id and the one that it is indexed under."""

    id: str
    key: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Beir:
    """A folder as read: documents, queries by id, and grades by query and document."""

    documents: tuple[BeirDocument, ...]
    queries: dict[str, str]
    grades: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class BeirRow:
    """One query with the documents found, best first, and its measures."""

    id: str
    query: str
    found: tuple[str, ...]
    values: dict[str, float]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class BeirReport:
    """The measures over a BEIR folder, named as ir-measures names them."""

    conditions: Conditions
    documents: int
    measures: dict[str, Estimate]
    latency: Latency
    rows: tuple[BeirRow, ...]


class SearchEngine(Protocol):
    """The part of `nkqa.engine.Engine` that is measured here."""

    def search(self, question: str, k: int = ...) -> list[Hit]:
        """Find passages."""
        ...


def read_beir(folder: Path) -> Beir:
    """Read a BEIR folder; of several files in `qrels` the one called `test.tsv`, or else all of them.

    Raises:
        QuestionError: a file is missing or does not keep the format.
    """
    documents = tuple(
        BeirDocument(entry["_id"], f"d{number:06d}", entry.get("title") or "", entry["text"])
        for number, entry in enumerate(_lines(folder / "corpus.jsonl"))
        if entry["text"].strip()
    )
    queries = {entry["_id"]: entry["text"] for entry in _lines(folder / "queries.jsonl")}
    test = folder / "qrels" / "test.tsv"
    files = [test] if test.is_file() else sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise QuestionError(f"no judgements in {folder / 'qrels'}: a BEIR folder has qrels/test.tsv")
    grades: dict[str, dict[str, int]] = {}
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            for number, columns in enumerate(csv.reader(lines, delimiter="\t"), start=1):
                if number == 1 and len(columns) == 3 and not columns[2].strip().lstrip("-").isdecimal():
                    continue  # the heads of the columns
                try:
                    query, document, grade = columns
                    grades.setdefault(query, {})[document] = int(grade)
                except ValueError as error:
                    raise QuestionError(
                        f"{file}:{number}: needs query-id, corpus-id and a whole number"
                    ) from error
    strangers = sorted(grades.keys() - queries.keys())
    if strangers:
        raise QuestionError(
            f"{folder}: {len(strangers)} judged queries are not in queries.jsonl: {strangers[0]}"
        )
    judged = {query: graded for query, graded in grades.items() if any(g > 0 for g in graded.values())}
    return Beir(documents, queries, judged)


def source_of(document: BeirDocument) -> Source:
    """Return a source for a document, so that it can be indexed."""
    return Source(
        id=document.key,
        type="document",
        title=document.title or document.id,
        author=(),
        publisher="",
        container_title="",
        issued="2021-04-17",
        URL=None,
        language="en",
        perspective="outside-analyst",
        locator="paragraph",
        rights="",
    )


def run_beir(
    engine: SearchEngine,
    beir: Beir,
    queries: Sequence[str],
    conditions: Conditions,
    jobs: int = 1,
    progress: bool = False,
) -> BeirReport:
    """Search for the queries with these ids; a document stands where its best passage does.

    As in BEIR, a document with the id of the query is left out, and nDCG takes the grades as gains.
    """
    ids = {document.key: document.id for document in beir.documents}

    def one(query: str) -> tuple[tuple[str, ...], float]:
        started = time.perf_counter()
        hits = engine.search(beir.queries[query], PASSAGES)
        milliseconds = (time.perf_counter() - started) * 1000
        found = dict.fromkeys(ids[hit.passage.document_id] for hit in hits)
        return tuple(name for name in found if name != query)[:DEPTH], milliseconds

    came_back = each(one, queries, jobs, progress)
    ranked = {query: found for query, (found, _) in zip(queries, came_back, strict=True)}
    values = graded_rank_values({query: beir.grades[query] for query in queries}, ranked, MEASURES)
    rows = tuple(
        BeirRow(query, beir.queries[query], found, values[query], milliseconds)
        for query, (found, milliseconds) in zip(queries, came_back, strict=True)
    )
    times = [row.milliseconds for row in rows]
    return BeirReport(
        conditions,
        len(beir.documents),
        beir_measures(rows),
        Latency(percentile(times, 50) or 0.0, percentile(times, 95) or 0.0, max(times, default=0.0)),
        rows,
    )


def beir_measures(rows: Sequence[BeirRow]) -> dict[str, Estimate]:
    """Return the mean of every measure over the queries, with its interval."""
    estimates = {
        name: ratio_interval([Part(row.id, row.values[name], 1) for row in rows]) for name in MEASURES
    }
    return {name: estimate for name, estimate in estimates.items() if estimate is not None}


def beir_table(report: BeirReport) -> str:
    """Return the measures as aligned text."""
    what = report.conditions
    lines = [f"{what.set}: {report.documents} documents, {len(report.rows)} queries, {what.commit}", ""]
    lines += [f"  {name:<24}{interval(e):<26}n={e.n}" for name, e in report.measures.items()]
    taken = report.latency
    return "\n".join([*lines, f"  milliseconds a search   p50 {taken.p50:.1f}, p95 {taken.p95:.1f}"])


def _lines(path: Path) -> Iterable[Mapping[str, str]]:
    if not path.is_file():
        raise QuestionError(f"no {path.name} in {path.parent}: a BEIR folder has one")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise QuestionError(f"{path}:{number}: not JSON: {error.msg}") from error
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("_id", "text")):
            raise QuestionError(f"{path}:{number}: needs _id and text")
        yield entry
