"""Gold questions and conflict groups: read from JSON Lines and JSON, checked on the way in."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from nkqa.errors import NkqaError
from nkqa.types import Reason, Turn

HERE = Path(__file__).resolve().parent
NAMED_SETS = ("dev", "test")

AnswerableType = Literal[
    "fact", "list", "why", "how", "yesno", "compare", "multi", "followup", "define", "keyword"
]
UnanswerableType = Literal[
    "near_miss",
    "false_premise",
    "after_corpus",
    "before_corpus",
    "opinion",
    "off_topic",
    "unclear",
    "language",
]
QuestionType = AnswerableType | UnanswerableType
UNANSWERABLE: tuple[str, ...] = get_args(UnanswerableType)
TYPES: tuple[str, ...] = (*get_args(AnswerableType), *UNANSWERABLE)

Nugget = tuple[str, ...]
"""Alternative regular expressions; the nugget is found when one of them is."""


class QuestionError(NkqaError):
    """A gold question or conflict group that does not keep its format."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class GoldLocator:
    """Where in a source the answer stands: of page, footnote, second, section and paragraph what there is."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    source: str
    page: int | None = None
    footnote: str | None = None
    second: int | None = None
    section: str | None = None
    paragraph: int | None = None


@dataclass(frozen=True, slots=True)
class Gold:
    """A question with everything that a right answer, or a right refusal, is known by.

    Questions with the same `fact` stay on the same side of a split; so do those with the same `symmetry`. `conflict` is
    what the sources say differently on the very thing that is asked; `touches` is a conflict that bears on it, which an
    answer may show and need not.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    question: str
    history: tuple[Turn, ...]
    type: QuestionType
    answerable: bool
    fact: str
    nuggets: tuple[Nugget, ...]
    min_nuggets: int
    sources: tuple[str, ...]
    locators: tuple[GoldLocator, ...]
    abstention: tuple[Reason, ...]
    symmetry: str | None
    conflict: str | None
    note: str
    touches: str | None = None


@dataclass(frozen=True, slots=True)
class GoldPosition:
    """What one source says in a conflict: `value` are alternative regular expressions for it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    value: Nugget
    source: str
    locator: GoldLocator


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same thing, said differently by the sources.

    With `rounding` the figures agree once rounded: to set them apart would be a false alarm.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    about: str
    positions: tuple[GoldPosition, ...]
    rounding: bool = False


_GOLD = TypeAdapter(Gold)
_CONFLICTS = TypeAdapter(tuple[Conflict, ...])


@cache
def pattern(expression: str) -> re.Pattern[str]:
    """Compile an expression the one way that nuggets are searched: ignoring case."""
    return re.compile(expression, re.IGNORECASE)


def found(nugget: Nugget, text: str) -> bool:
    """Say whether one of the nugget's expressions matches somewhere in `text`."""
    return any(pattern(expression).search(text) for expression in nugget)


def count_found(nuggets: Sequence[Nugget], text: str) -> int:
    """Count the nuggets found in `text`."""
    return sum(found(nugget, text) for nugget in nuggets)


def gold_folder() -> Path:
    """Return `eval/gold` of the checkout, or the copy that the wheel carries."""
    beside = HERE.parent / "gold"
    return beside if beside.is_dir() else HERE / "_gold"


def baseline_file() -> Path:
    """Return the committed floor and ceiling of the measures, `eval/baseline.json`."""
    beside = HERE.parent / "baseline.json"
    return beside if beside.is_file() else HERE / "_gold" / "baseline.json"


def set_path(name_or_path: str) -> Path:
    """Return the file of a set: `dev` and `test` by name, any other file by its path.

    Raises:
        QuestionError: there is no such file.
    """
    path = gold_folder() / f"{name_or_path}.jsonl" if name_or_path in NAMED_SETS else Path(name_or_path)
    if not path.is_file():
        raise QuestionError(
            f"no question set {name_or_path!r}: give dev, test, or the path of a JSON Lines file"
        )
    return path


def read_questions(path: Path) -> list[Gold]:
    """Read one question a line and check each and all of them together.

    Raises:
        QuestionError: names the file, the line and everything that is wrong there.
    """
    questions: list[Gold] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            question = _GOLD.validate_json(line)
        except ValidationError as error:
            raise QuestionError(f"{path}:{number}: {_first_line(error)}") from error
        if problems := problems_of(question):
            raise QuestionError(f"{path}:{number}: {question.id}: {'; '.join(problems)}")
        questions.append(question)
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise QuestionError(f"{path}: the id {question.id} is given twice")
        seen.add(question.id)
    return questions


def write_questions(path: Path, questions: Sequence[Gold]) -> None:
    """Write one question a line, in the order given."""
    lines = [
        json.dumps(_GOLD.dump_python(question, mode="json"), ensure_ascii=False) for question in questions
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_conflicts(path: Path) -> dict[str, Conflict]:
    """Read the conflict groups, by id; an absent file holds none.

    Raises:
        QuestionError: a group does not keep the format, or an id is given twice.
    """
    if not path.is_file():
        return {}
    try:
        groups_given = json.loads(path.read_bytes())
        for group in groups_given:
            for position in group.get("positions", ()):  # the place is in the position's own source
                position["locator"] = {"source": position.get("source"), **position.get("locator", {})}
        conflicts = _CONFLICTS.validate_python(groups_given)
    except json.JSONDecodeError as error:
        raise QuestionError(f"{path}: not JSON: {error}") from error
    except ValidationError as error:
        raise QuestionError(f"{path}: {_first_line(error)}") from error
    groups: dict[str, Conflict] = {}
    for conflict in conflicts:
        expressions = [e for position in conflict.positions for e in position.value]
        if conflict.id in groups or len(conflict.positions) < 2 or _broken(expressions):
            raise QuestionError(
                f"{path}: group {conflict.id}: needs an id of its own, two positions or more, "
                "and expressions that compile"
            )
        groups[conflict.id] = conflict
    return groups


def write_conflicts(path: Path, conflicts: Mapping[str, Conflict]) -> None:
    """Write the groups ordered by id."""
    groups = _CONFLICTS.dump_python(tuple(conflicts[key] for key in sorted(conflicts)), mode="json")
    for group in groups:
        for position in group["positions"]:
            place = position["locator"]
            position["locator"] = {k: v for k, v in place.items() if v is not None and k != "source"}
    path.write_text(json.dumps(groups, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def problems_of(question: Gold) -> list[str]:
    """List what is wrong with a question taken alone; nothing for a sound one."""
    problems: list[str] = []
    expressions = [expression for nugget in question.nuggets for expression in nugget]
    problems += [f"{expression!r} does not compile" for expression in _broken(expressions)]
    if not problems:
        problems += [
            f"{expression!r} matches the question itself"
            for expression in expressions
            if pattern(expression).search(question.question)
        ]
        problems += [
            f"{expression!r} matches anything" for expression in expressions if pattern(expression).search("")
        ]
    if question.answerable == (question.type in UNANSWERABLE):
        problems.append(f"type {question.type} does not go with answerable={question.answerable}")
    if question.answerable:
        if not question.nuggets or not all(question.nuggets):
            problems.append("an answerable question needs nuggets, and each of them an expression")
        if not 1 <= question.min_nuggets <= len(question.nuggets):
            problems.append(f"min_nuggets {question.min_nuggets} of {len(question.nuggets)} nuggets")
        if not question.sources or not question.locators:
            problems.append("an answerable question needs sources and locators")
        if strangers := {place.source for place in question.locators} - set(question.sources):
            problems.append(f"locators in other sources than the right ones: {', '.join(sorted(strangers))}")
    elif not question.abstention:
        problems.append("an unanswerable question needs the reasons that are acceptable")
    if question.conflict and question.touches:
        problems.append("a question is on a conflict or touches one, not both")
    if not question.question.strip():
        problems.append("the question is empty")
    return problems


def _broken(expressions: Sequence[str]) -> list[str]:
    broken: list[str] = []
    for expression in expressions:
        try:
            pattern(expression)
        except re.error:
            broken.append(expression)
    return broken


def _first_line(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "line"
    return f"{where}: {first['msg']} (got {str(first['input'])[:80]!r})"
