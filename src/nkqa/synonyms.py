"""Words that stand for each other: those that people ask with, and those that the sources write."""

from functools import cache
from pathlib import Path

from nkqa.errors import ModelError
from nkqa.text import term

_FILE = Path(__file__).parent / "data" / "synonyms.txt"


@cache
def synonyms() -> dict[str, frozenset[str]]:
    """Return for each search term the others of its groups; groups that share a word are not joined.

    Raises:
        ModelError: the file is missing.
    """
    try:
        lines = _FILE.read_text("utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"{_FILE}: {error}; install nkqa again") from error
    found: dict[str, set[str]] = {}
    for line in lines:
        group = {term(word) for word in line.split()} - {""}
        for one in group:
            found.setdefault(one, set()).update(group - {one})
    return {one: frozenset(others) for one, others in found.items()}


def alike(one: str) -> frozenset[str]:
    """Return the terms that can stand for a term, without itself."""
    return synonyms().get(one, frozenset())
