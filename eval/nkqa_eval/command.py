"""`nkqa eval`: run a set, compare reports, hold one against the gate, or measure on other people's data."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from nkqa.errors import BadQuestion
from nkqa.settings import CHECKOUT, Settings
from nkqa.types import Document
from nkqa_eval.questions import baseline_file, gold_folder, read_conflicts, read_questions, set_path
from nkqa_eval.report import Report, conditions, make_report, read_report, table, write_report
from nkqa_eval.run import run, spread
from nkqa_eval.target import InProcess, OverHTTP, Target

if TYPE_CHECKING:
    from nkqa.engine import Engine
    from nkqa_eval.beir import BeirReport
    from nkqa_eval.squad import SquadReport

FAILED_GATE = 1
"""What `nkqa eval --gate` ends with when a bound is not kept; errors end with codes of their own."""

R = TypeVar("R")
Say = Callable[[str], None]


def run_command(
    settings: Settings,
    *,
    question_set: str = "dev",
    url: str | None = None,
    out: Path | None = None,
    without: Sequence[str] = (),
    gate: bool = False,
    compare: tuple[Path, Path] | None = None,
    squad: Path | None = None,
    beir: Path | None = None,
    limit: int | None = None,
    as_json: bool = False,
    jobs: int = 1,
    say: Say = print,
) -> int:
    """Do what `nkqa eval` was asked to do and return its exit code.

    Args:
        settings: which index answers; `--squad` and `--beir` build one of their own for the time.
        question_set: `dev`, `test`, or the path of a JSON Lines file.
        url: a running server to ask instead of the engine in this process, with the first of our API keys.
        out: folder for `report.json` and `report.html`; `None` takes `default_out`.
        without: stages to leave out, see `nkqa.engine.STAGES`.
        gate: hold the report against `eval/baseline.json`; returns 1 where a bound is not kept.
        compare: two `report.json` files; nothing is asked then.
        squad: a SQuAD file to measure on, instead of a set.
        beir: a BEIR folder to measure on, instead of a set.
        limit: most questions, taken at equal distances.
        as_json: print JSON, without the rows, instead of a table.
        jobs: questions asked at the same time.
        say: takes what is printed.

    Raises:
        NkqaError: with what to do; `BadQuestion` where the arguments do not go together.
    """
    _check(url, without, gate, squad, beir, limit, jobs)
    if compare is not None:
        say(compare_reports(*compare, as_json=as_json))
        return 0
    if squad is not None:
        squad_report = evaluate_squad(settings, squad, without=without, limit=limit, jobs=jobs, progress=True)
        _leave(squad_report, out or default_out(f"squad-{squad.name.partition('.')[0]}"), as_json, say)
        return 0
    if beir is not None:
        beir_report = evaluate_beir(settings, beir, without=without, limit=limit, jobs=jobs, progress=True)
        _leave(beir_report, out or default_out(f"beir-{beir.name}"), as_json, say)
        return 0
    report = evaluate(settings, question_set, url=url, without=without, limit=limit, jobs=jobs, progress=True)
    folder = out or default_out("-".join([Path(question_set).stem, *(f"no-{stage}" for stage in without)]))
    from nkqa_eval.html import write_html

    write_report(report, folder / "report.json")
    write_html(report, folder / "report.html")
    say(report_json(report) if as_json else f"{table(report)}\n\n{folder / 'report.html'}")
    return hold_gate(report, say) if gate else 0


def evaluate(
    settings: Settings,
    question_set: str = "dev",
    *,
    url: str | None = None,
    without: Sequence[str] = (),
    limit: int | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> Report:
    """Run a set of questions against the engine of `settings`, or a server, and return the report."""
    path = set_path(question_set)
    every = read_questions(path)
    questions = spread(every, limit)
    conflicts = read_conflicts(path.parent / "conflicts.json") or read_conflicts(
        gold_folder() / "conflicts.json"
    )
    name = (
        question_set if len(questions) == len(every) else f"{question_set}, {len(questions)} of {len(every)}"
    )

    def measured(target: Target, corpus: str) -> Report:
        rows = run(questions, conflicts, target, jobs, progress)
        return make_report(rows, conditions(name, target.name, corpus, without, jobs))

    if url is not None:
        key = settings.api_keys.get_secret_value().partition(",")[0].strip()
        with OverHTTP(url, key=key) as server:
            return measured(server, server.fingerprint)
    engine = _open(settings, without)
    try:
        return measured(InProcess(engine), engine.corpus.fingerprint)
    finally:
        engine.close()


def evaluate_squad(
    settings: Settings,
    file: Path,
    *,
    without: Sequence[str] = (),
    limit: int | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> "SquadReport":
    """Index all paragraphs of a SQuAD file for itself and ask its questions; see `nkqa_eval.squad`."""
    from nkqa.formats import document_from_paragraphs
    from nkqa_eval.squad import read_squad, run_squad, sample, source_of

    paragraphs, questions = read_squad(file)
    chosen = sample(questions, limit)
    documents = [
        document_from_paragraphs(paragraph.id, paragraph.title, [paragraph.text], source_of(paragraph))
        for paragraph in paragraphs
    ]
    name = file.name if len(chosen) == len(questions) else f"{file.name}, {len(chosen)} of {len(questions)}"

    def measured(engine: "Engine") -> "SquadReport":
        what = conditions(name, "in process", engine.corpus.fingerprint, without, jobs)
        return run_squad(engine, paragraphs, chosen, what, jobs, progress)

    return _over(documents, settings, without, measured, progress)


def evaluate_beir(
    settings: Settings,
    folder: Path,
    *,
    without: Sequence[str] = (),
    limit: int | None = None,
    jobs: int = 1,
    progress: bool = False,
) -> "BeirReport":
    """Index all documents of a BEIR folder for itself and search for its queries; see `nkqa_eval.beir`."""
    from nkqa.formats import document_from_paragraphs
    from nkqa_eval.beir import read_beir, run_beir, source_of

    beir = read_beir(folder)
    queries = spread(list(beir.grades), limit)
    documents = [
        document_from_paragraphs(document.key, document.title, [document.text], source_of(document))
        for document in beir.documents
    ]
    name = folder.name if len(queries) == len(beir.grades) else f"{folder.name}, {len(queries)} queries"

    def measured(engine: "Engine") -> "BeirReport":
        what = conditions(name, "in process", engine.corpus.fingerprint, without, jobs)
        return run_beir(engine, beir, queries, what, jobs, progress)

    return _over(documents, settings, without, measured, progress)


def compare_reports(before: Path, after: Path, *, as_json: bool = False) -> str:
    """Return what changed from one report to another, as text or JSON."""
    from nkqa_eval.compare import compare, comparison_text

    comparison = compare(read_report(before), read_report(after))
    return _json(asdict(comparison)) if as_json else comparison_text(comparison)


def hold_gate(report: Report, say: Say = print, baseline: Path | None = None) -> int:
    """Say which bounds a report does not keep, and return 0 when it keeps them all."""
    from nkqa_eval.gate import failures, read_baseline

    failed = failures(report, read_baseline(baseline or baseline_file()))
    for failure in failed:
        say(f"gate: {failure}")
    return FAILED_GATE if failed else 0


def report_json(report: "Report | SquadReport | BeirReport") -> str:
    """Return a report without its rows."""
    return _json({key: value for key, value in asdict(report).items() if key != "rows"})


def default_out(name: str) -> Path:
    """Return where reports go when no folder is given: out of the way in a checkout, else `nkqa-eval/`."""
    return (
        CHECKOUT / ".work" / "eval" if (CHECKOUT / "pyproject.toml").is_file() else Path("nkqa-eval")
    ) / name


def _check(
    url: str | None,
    without: Sequence[str],
    gate: bool,
    squad: Path | None,
    beir: Path | None,
    limit: int | None,
    jobs: int,
) -> None:
    if url is not None and without:
        raise BadQuestion("--without changes the engine in this process; a server at --url cannot be changed")
    if (squad is not None or beir is not None) and (url is not None or gate):
        raise BadQuestion("--squad and --beir build an index of their own: leave out --url and --gate")
    if squad is not None and beir is not None:
        raise BadQuestion("--squad and --beir are two runs: give one")
    if jobs < 1 or (limit is not None and limit < 1):
        raise BadQuestion("--jobs and --limit must be 1 or more")


def _open(settings: Settings, without: Sequence[str], compare: bool = True) -> "Engine":
    from nkqa.engine import open_engine
    from nkqa.search import STAGES

    if unknown := set(without) - set(STAGES):
        raise BadQuestion(f"--without {', '.join(sorted(unknown))}: the stages are {', '.join(STAGES)}")
    return open_engine(settings, frozenset(without), compare=compare)


def _over(
    documents: Sequence[Document],
    settings: Settings,
    without: Sequence[str],
    measured: Callable[["Engine"], R],
    progress: bool,
) -> R:
    """Return what `measured` finds on an engine over `documents`, whose index is thrown away afterwards."""
    from nkqa.build import build_from_documents

    with tempfile.TemporaryDirectory(prefix="nkqa-eval-", ignore_cleanup_errors=True) as folder:
        own = settings.model_copy(update={"index": Path(folder)})
        if (encoders := settings.index / "encoders").is_dir():  # the same model need not be exported again
            shutil.copytree(encoders, own.index / "encoders")
        with _bar(progress) as seen:
            build_from_documents(documents, own, seen)
        engine = _open(own, without, compare=False)
        try:
            return measured(engine)
        finally:
            engine.close()


@contextmanager
def _bar(progress: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show the steps of a build on a terminal's standard error."""
    from tqdm import tqdm

    with tqdm(disable=None if progress else True) as bar:

        def seen(step: str, done: int, total: int) -> None:
            bar.set_description(step, refresh=False)
            bar.total, bar.n = total, done
            bar.refresh()

        yield seen


def _leave(report: "SquadReport | BeirReport", folder: Path, as_json: bool, say: Say) -> None:
    from nkqa_eval.beir import BeirReport, beir_table
    from nkqa_eval.squad import squad_table

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_bytes(TypeAdapter(type(report)).dump_json(report, indent=1) + b"\n")
    text = beir_table(report) if isinstance(report, BeirReport) else squad_table(report)
    say(report_json(report) if as_json else f"{text}\n\n{path}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
