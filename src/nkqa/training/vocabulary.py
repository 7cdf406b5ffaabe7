"""Make the BPE vocabulary that tokens are counted with: from the corpus and Python's own documentation.

Run: python -m nkqa.training.vocabulary OUT [--size 8000]
"""

import argparse
import base64
import inspect
import pkgutil
import pydoc_data.topics
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from nkqa.corpus import load_corpus
from nkqa.settings import default_corpus
from nkqa.tokens import PATTERN

_CORPUS_WEIGHT = 20
"""How often the corpus is shown for once that the documentation is: its words are the ones counted."""
_MODULES = "argparse asyncio collections email http json logging multiprocessing os pathlib sqlite3 ssl statistics subprocess unittest urllib xml zipfile"  # noqa: E501


def _docstrings() -> Iterator[str]:
    yield from pydoc_data.topics.topics.values()
    for root in _MODULES.split():
        package = import_module(root)
        names = [root, *(f"{root}.{m.name}" for m in pkgutil.iter_modules(getattr(package, "__path__", [])))]
        for name in sorted(n for n in names if "__main__" not in n and "windows" not in n):
            module = sys.modules.get(name) or package
            yield from (inspect.getdoc(member) or "" for _, member in sorted(vars(module).items(), key=str))


def train(texts: list[str], size: int) -> dict[bytes, int]:
    """Return token bytes by rank: the 256 bytes, then `size - 256` merges in the order they were made."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet))
    byte_of = _byte_characters()
    by_id = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    whole = [bytes(byte_of[c] for c in token) for token, _ in by_id if len(token) > 1]
    return {token: rank for rank, token in enumerate([*(bytes([b]) for b in range(256)), *whole])}


def _byte_characters() -> dict[str, int]:
    """The printable character that stands for each byte in byte-level BPE (Radford et al. 2019)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in printable}
    table |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in printable)}
    return table


def main() -> None:
    """Train on what is installed here and write the file."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("out", type=Path)
    ask.add_argument("--size", type=int, default=8_000)
    given = ask.parse_args()
    texts = [d.text for d in load_corpus(default_corpus())] * _CORPUS_WEIGHT + list(_docstrings())
    ranks = train(texts, given.size)
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items())
    given.out.write_bytes(b"".join(lines))


if __name__ == "__main__":
    main()
