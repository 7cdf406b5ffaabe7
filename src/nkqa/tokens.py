"""Counting tokens with tiktoken, offline: a small vocabulary of our own, or a public one by name."""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

import tiktoken

from nkqa.errors import ModelError
from nkqa.protocols import TokenCounter

OWN = "nkqa-8k"
_FILE = Path(__file__).parent / "data" / f"{OWN}.tiktoken"
_SHA256 = "4054718b47fb5550d423a1326557dec598d2bf3212d4951b49a90f74b93558b9"
PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"""
)
"""How text is cut before merging; the training script uses the same."""
_LONGEST_RUN = 20_000
"""Characters given to tiktoken at once: its pattern matcher runs out of stack on a million spaces."""


def _own() -> tiktoken.Encoding:
    try:
        data = _FILE.read_bytes()
    except OSError as error:
        raise ModelError(f"{_FILE}: {error}; install nkqa again") from error
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ModelError(f"{_FILE}: is not the vocabulary that belongs to this version; install nkqa again")
    ranks = {
        base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines())
    }
    return tiktoken.Encoding(OWN, pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


@lru_cache(maxsize=4)
def token_counter(name: str) -> TokenCounter:
    """Return a counter for `nkqa-8k` or for a public encoding, which tiktoken fetches if it is not cached.

    Raises:
        ModelError: the name is unknown, or the vocabulary is missing, altered or cannot be fetched.
    """
    try:
        encoding = _own() if name == OWN else tiktoken.get_encoding(name)
    except ValueError as error:
        raise ModelError(
            f"NKQA_TOKENIZER={name}: tiktoken has no such encoding; take {OWN} or o200k_base"
        ) from error
    except OSError as error:  # requests' errors are OSErrors
        raise ModelError(
            f"NKQA_TOKENIZER={name}: tiktoken cannot fetch it ({type(error).__name__}); take {OWN}, or fetch "
            "it once with a network and TIKTOKEN_CACHE_DIR set"
        ) from error

    def count(text: str) -> int:
        pieces = (text[i : i + _LONGEST_RUN] for i in range(0, len(text), _LONGEST_RUN))
        return sum(len(encoding.encode_ordinary(piece)) for piece in pieces)

    return count
