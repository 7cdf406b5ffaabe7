"""The rooms of the house: imports point down, and what stands behind a wall is imported there only."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = {"nkqa": "src", "nkqa_ui": "ui", "nkqa_eval": "eval"}

# A file imports files of a lower rank only; those of one package may also import each other, without a circle.
RANKS = {
    0: "types errors",
    1: "protocols settings text dates windows judge reader show client",
    2: "asking figures names corpus passages tokens embed store fuse synonyms",
    3: "attribution lexical followup faithful formats differences foreseen",
    4: "question index check llm",
    5: "adapter evidence doctor",
    6: "differ reuse suggest search",
    7: "build compose raised",
    8: "engine",
    9: "server training nkqa_ui nkqa_eval",
    10: "cli",
    11: "__main__",
}
RANK = {name: rank for rank, names in RANKS.items() for name in names.split()}

# Heavy or outside parts, and the only modules that may import them.
WALLS = {
    "chromadb": "nkqa.store",
    "sentence_transformers": "nkqa.embed",
    "torch": "nkqa.adapter nkqa.embed nkqa.training",
    "transformers": "nkqa.embed nkqa.training",
    "onnxruntime": "nkqa.embed nkqa.reader nkqa.training",
    "bm25s": "nkqa.lexical",
    "tiktoken": "nkqa.tokens",
    "sentencex": "nkqa.text nkqa.training",
    "gradio": "nkqa_ui",
    "fastapi": "nkqa.server nkqa_ui",
    "uvicorn": "nkqa.server",
    "typer": "nkqa.cli",
    "matplotlib": "nkqa_eval",
    "ir_measures": "nkqa_eval",
    "trafilatura": "nkqa.formats",
    "pypdfium2": "nkqa.formats",
    "httpx2": "nkqa.llm nkqa.client",
    "mcp": "nkqa.server",
}


def modules() -> dict[str, Path]:
    found = {}
    for package, root in ROOTS.items():
        for file in (ROOT / root / package).rglob("*.py"):
            name = ".".join(file.relative_to(ROOT / root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = file
    return found


MODULES = modules()


@cache
def imported(file: Path) -> frozenset[str]:
    return frozenset(_imported(file))


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports relative to itself"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] != "nkqa" or len(parts) == 1 else parts[1]


def own_imports(module: str) -> set[str]:
    return {i for i in imported(MODULES[module]) if i in MODULES and i not in ("nkqa", module)}


def violations(module: str, imports: set[str]) -> list[str]:
    mine = room(module)
    return [
        f"{module} ({RANK[mine]}) imports {other} ({RANK[room(other)]})"
        for other in sorted(imports)
        if room(other) != mine and RANK[room(other)] >= RANK[mine]
    ]


def test_every_room_has_a_rank_and_every_rank_a_room() -> None:
    assert {room(m) for m in MODULES} - {"nkqa"} == RANK.keys()


def test_imports_point_down() -> None:
    assert [v for m in MODULES if m != "nkqa" for v in violations(m, own_imports(m))] == []


def test_an_import_that_points_up_or_sideways_is_seen() -> None:
    assert violations("nkqa.text", {"nkqa.engine"}) == ["nkqa.text (1) imports nkqa.engine (8)"]
    assert violations("nkqa.store", {"nkqa.embed"}) == ["nkqa.store (2) imports nkqa.embed (2)"]
    assert violations("nkqa.server.app", {"nkqa.server.work", "nkqa.engine"}) == []


def test_nothing_imports_in_a_circle() -> None:
    order = list(TopologicalSorter({m: own_imports(m) for m in MODULES}).static_order())
    assert set(order) == MODULES.keys()


@pytest.mark.parametrize("outside", WALLS)
def test_walls_stand(outside: str) -> None:
    allowed = WALLS[outside].split()
    importers = {m for m, f in MODULES.items() if any(i.split(".")[0] == outside for i in imported(f))}
    assert importers, f"nothing imports {outside}: take it out of the table"
    assert {m for m in importers if not any(m == a or m.startswith(f"{a}.") for a in allowed)} == set()


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    def names(*lists: list[str]) -> set[str]:
        return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for lines in lists for line in lines}

    extras = project["optional-dependencies"]
    needed = names(project["dependencies"])
    provided = packages_distributions()
    for module, file in MODULES.items():
        declared = needed | (names(extras["training"]) if module.startswith("nkqa.training") else set())
        for top in {i.split(".")[0] for i in imported(file)} - sys.stdlib_module_names - ROOTS.keys():
            assert {d.lower().replace("_", "-") for d in provided.get(top, [])} & declared, (module, top)


def test_everything_declared_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if not line.startswith("#")}
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.!]+", line) for line in lines if not line.startswith("#"))
    wanted = [*project["dependencies"], *(d for e in project["optional-dependencies"].values() for d in e)]
    assert {re.split(r"[^\w.-]", d)[0].lower().replace("_", "-") for d in wanted} - pinned == set()
    assert "torch==2.13.0" in lines
