"""The command line: the only file that may import everything.

Heavy modules are imported inside the commands, so that `nkqa --help` answers at once.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from nkqa.errors import IndexMissing, IndexStale, NkqaError, NotFound
from nkqa.settings import Settings, load_settings

if TYPE_CHECKING:
    from nkqa.engine import Engine
    from nkqa.types import IndexManifest

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Answers on Nagorno-Karabakh and the ceasefire of November 2020, cut from cited sources.",
)
index_app = typer.Typer(no_args_is_help=True, help="Build the index, or look at it.", rich_markup_mode=None)
sources_app = typer.Typer(help="List the sources, or print one.", rich_markup_mode=None)
corpus_app = typer.Typer(no_args_is_help=True, help="Check the corpus, and edit it.", rich_markup_mode=None)
app.add_typer(index_app, name="index")
app.add_typer(sources_app, name="sources")
app.add_typer(corpus_app, name="corpus")


def main() -> None:
    """Run the command line; an error that a user can mend is one line and an exit code of its own."""
    try:
        app(prog_name="nkqa")
    except NkqaError as error:
        typer.echo(f"nkqa: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _engine(settings: Settings) -> "Engine":
    from nkqa.engine import open_engine

    return open_engine(settings)


def _ready(settings: Settings) -> "Engine":
    """Open the engine, after building the index where it is missing or stale."""
    try:
        return _engine(settings)
    except (IndexMissing, IndexStale) as error:
        typer.echo(f"nkqa: {error.args[0].split('; run:')[0]}; building it", err=True)
        from nkqa.build import added_before

        _build(settings, added_before(settings))
        return _engine(settings)


def _build(settings: Settings, added: tuple[Path, ...]) -> "IndexManifest":
    from nkqa.build import build_index

    with _progress() as told:
        return build_index(settings, added, told)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each step, on standard error."""
    from tqdm import tqdm

    bars: list[tqdm[NoReturn]] = []

    def told(step: str, done: int, total: int) -> None:
        if not bars or bars[-1].desc.rstrip(": ") != step:
            for bar in bars:
                bar.close()
            bars.append(tqdm(total=total, desc=step, bar_format="{desc:22}|{bar:30}| {n}/{total}"))
        bars[-1].update(done - bars[-1].n)

    try:
        yield told
    finally:
        for bar in bars:
            bar.close()


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="A question, in English.")],
    as_json: Json = False,
    source: Annotated[
        list[str] | None, typer.Option(help="Answer from this source only; repeatable.")
    ] = None,
    sentences: Annotated[int, typer.Option(min=1, max=10, help="Most sentences in the answer.")] = 5,
    llm: Annotated[bool, typer.Option("--llm", help="Let the configured language model compose.")] = False,
) -> None:
    """Answer a question from the sources, or say why they do not answer it (exit code 0 both times)."""
    from nkqa.show import answer_text
    from nkqa.types import Ask, Filters

    asked = Ask(
        question,
        filters=Filters(sources=tuple(source or ())),
        max_sentences=sentences,
        composer="llm" if llm else "extractive",
    )
    with closing(_ready(load_settings())) as engine:
        answer = engine.ask(asked)
    if as_json:
        _print_json(asdict(answer))
    else:
        typer.echo(answer_text(answer))


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    as_json: Json = False,
) -> None:
    """Print the passages that fit best, without an answer."""
    from nkqa.show import hits_text

    with closing(_ready(load_settings())) as engine:
        hits = engine.search(question, k)
        places = [engine.documents[h.passage.document_id].sentences[h.passage.first].locator for h in hits]
    if as_json:
        _print_json([{**asdict(h), "locator": asdict(p)} for h, p in zip(hits, places, strict=True)])
    else:
        typer.echo(hits_text(hits, places))


@index_app.command("build")
def index_build(
    add: Annotated[
        list[Path] | None, typer.Option("--add", help="A document or folder of your own; repeatable.")
    ] = None,
    only_corpus: Annotated[
        bool, typer.Option("--only-corpus", help="Leave out what was added before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build a new index, check it, and put it in the place of the current one.

    What was added before stays in, and is named. A document that cannot be read is named with its reason
    (exit code 7); the others go in.
    """
    from nkqa.build import added_before

    settings = load_settings()
    new = [p.resolve() for p in add or ()]
    kept = [] if only_corpus else [p for p in added_before(settings) if p not in new]
    if kept:
        named = ", ".join(map(str, kept))
        typer.echo(f"nkqa: keeping what was added before (--only-corpus leaves it out): {named}", err=True)
    manifest = _build(settings, (*kept, *(add or ())))
    index_status(as_json)
    for refusal in manifest.refused:
        typer.echo(f"not read: {refusal}", err=True)
    if manifest.refused:
        raise typer.Exit(7)


@index_app.command("status")
def index_status(as_json: Json = False) -> None:
    """Say what the current index was built from, and whether it still fits (exit code 4 if not)."""
    from nkqa.index import current_build, read_manifest, stale_reasons
    from nkqa.show import manifest_text

    settings = load_settings()
    folder = current_build(settings.index)
    manifest = read_manifest(folder)
    reasons = stale_reasons(manifest, settings)
    if as_json:
        _print_json({**asdict(manifest), "folder": str(folder), "stale": reasons})
    else:
        typer.echo(manifest_text(manifest, str(folder)))
    if reasons:
        raise IndexStale(f"the index is stale: {'; '.join(reasons)}; run: nkqa index build")


@index_app.command("verify")
def index_verify(as_json: Json = False) -> None:
    """Check every file of the index and query it in a process of its own."""
    from nkqa.index import verify_index

    manifest = verify_index(load_settings())
    if as_json:
        _print_json({"files": len(manifest.files), "passages": manifest.passages, "ok": True})
    else:
        typer.echo(f"{len(manifest.files)} files are as written, {manifest.passages} passages are found.")


@sources_app.callback(invoke_without_command=True)
def sources(context: typer.Context, as_json: Json = False) -> None:
    """List the sources with author, publisher, date and whose voice it is."""
    if context.invoked_subcommand is not None:
        return
    from nkqa.corpus import load_corpus
    from nkqa.show import sources_text

    documents = load_corpus(load_settings().corpus)
    if as_json:
        _print_json([{**asdict(d.source), "sentences": len(d.sentences)} for d in documents])
    else:
        typer.echo(sources_text(documents))


@sources_app.command("show")
def sources_show(
    source_id: Annotated[str, typer.Argument(help="The id of a source.")],
    page: Annotated[int | None, typer.Option(min=1, help="Only what stands on this page.")] = None,
    as_json: Json = False,
) -> None:
    """Print what the corpus holds of a source, or of one page of it."""
    from nkqa.corpus import load_corpus
    from nkqa.show import document_text

    documents = {d.id: d for d in load_corpus(load_settings().corpus)}
    if source_id not in documents:
        raise NotFound(f"no source has the id {source_id!r}; there are {', '.join(documents)}")
    document = documents[source_id]
    kept = [s for s in document.sentences if page is None or s.locator.page == page]
    if not kept:
        raise NotFound(f"{source_id} holds nothing of page {page}")
    if as_json:
        _print_json([{**asdict(s), "text": document.text[s.start : s.end]} for s in kept])
    else:
        typer.echo(document_text(document, page))


@corpus_app.command("reword")
def corpus_reword(
    old: Annotated[str, typer.Argument(help="A sentence of a source, letter for letter.")],
    new: Annotated[str, typer.Argument(help="What is to stand there.")],
) -> None:
    """Put a sentence into other words in its source, and keep the questions that were foreseen for it."""
    from nkqa.foreseen import reword

    kept = reword(load_settings().corpus, old, new)
    typer.echo(f"{kept} question(s) kept; now run: nkqa corpus check")


@corpus_app.command("check")
def corpus_check(
    originals: Annotated[
        Path | None, typer.Option(help="Folder with the original texts to compare with.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check front matter, places, names and sentences of the corpus (exit code 3 if something is wrong)."""
    from nkqa.check import check

    findings = check(load_settings().corpus, originals)
    if as_json:
        _print_json([{"file": str(f.file), "line": f.line, "message": f.message} for f in findings])
    else:
        for finding in findings:
            typer.echo(f"{finding.file}:{finding.line}: {finding.message}")
        typer.echo(f"{len(findings)} finding(s).")
    if findings:
        raise typer.Exit(3)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Documents or folders of your own.")],
    to: Annotated[Path, typer.Option(help="Folder that the source files are written to.")],
    as_json: Json = False,
) -> None:
    """Read your own documents into source files, with their places (exit code 7 if one could not be read)."""
    from nkqa.formats import ingest as read_into

    with _progress() as told:
        ingested = read_into(paths, to, told)
    report: Mapping[str, object] = {
        "written": {d.id: len(d.sentences) for d in ingested.documents},
        "refused": {str(r.path): r.reason for r in ingested.refused},
    }
    if as_json:
        _print_json(report)
    else:
        for document in ingested.documents:
            typer.echo(f"{document.id}: {len(document.sentences)} sentences")
        for refusal in ingested.refused:
            typer.echo(f"{refusal.path}: not read: {refusal.reason}", err=True)
    if ingested.refused:
        raise typer.Exit(7)


@app.command("eval")
def evaluate(
    question_set: Annotated[str, typer.Option("--set", help="dev, test, or a file of questions.")] = "dev",
    url: Annotated[str | None, typer.Option(help="Ask a running server instead of this process.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json and report.html.")] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a stage (dense, lexical, names, questions, reader); repeatable."),
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate", help="Fail below the figures of eval/baseline.json.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Print the difference of two reports instead."),
    ] = None,
    squad: Annotated[Path | None, typer.Option(help="A SQuAD 1.1 or 2.0 file to measure on.")] = None,
    beir: Annotated[
        Path | None, typer.Option(help="A folder in BEIR's form to measure retrieval on.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only so many questions.")] = None,
    as_json: Json = False,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Questions asked at a time.")] = 1,
) -> None:
    """Ask the gold questions and measure the answers (exit code 1 below the gate)."""
    from nkqa_eval.command import run_command

    settings = load_settings()
    if url is None and compare is None and squad is None and beir is None:
        _ready(settings).close()
    code = run_command(
        settings,
        question_set=question_set,
        url=url,
        out=out,
        without=without or (),
        gate=gate,
        compare=compare,
        squad=squad,
        beir=beir,
        limit=limit,
        as_json=as_json,
        jobs=jobs,
        say=typer.echo,
    )
    if code:
        raise typer.Exit(code)


@app.command()
def serve() -> None:
    """Serve the chat page at / and the API at /ask, after building the index where it is missing or stale."""
    from nkqa.server.run import serve as run_server
    from nkqa_ui.app import mount

    settings = load_settings()
    run_server(settings, mount, _ready(settings))


@app.command()
def mcp() -> None:
    """Serve the tools ask, search and source to an MCP client over standard input and output."""
    from nkqa.server.mcp import serve_stdio

    serve_stdio(_ready(load_settings()))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is wrong with the configuration, a line each (exit code 78 if something is)."""
    from nkqa.doctor import examine

    findings = list(examine(load_settings()))
    if as_json:
        _print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{finding.level}: {finding.line}")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(78)


if __name__ == "__main__":
    main()
