"""The process that parses files: `python -m nkqa.formats.child LIMITS`, a request a line, a reply a line.

It may be killed at any time. It has limits on processor time, memory and output, opens no connection, starts
no program and writes no file. A fault of a parsing library ends it; the parent then blames the file in hand.
"""

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from nkqa.corpus import parse_source
from nkqa.errors import CorpusError, FormatError
from nkqa.formats.cut import BUDGET, counter, fits
from nkqa.formats.draft import Draft, source_of, to_source
from nkqa.formats.limits import Limits
from nkqa.formats.repair import decode, tidy

_MOST_WRITTEN = 1 << 16
"""Bytes that the process may write to a file: its last words."""
_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
)


def _markdown(data: bytes) -> Draft:
    from nkqa.formats.markdown import read_markdown

    return read_markdown(tidy(decode(data)))


def _plain(data: bytes) -> Draft:
    from nkqa.formats.plain import read_plain

    return read_plain(tidy(decode(data)))


def _html(data: bytes) -> Draft:
    from nkqa.formats.html import declared_charset, read_html

    return read_html(tidy(decode(data, declared_charset(data))))


def _pdf(data: bytes) -> Draft:
    from nkqa.formats.pdf import read_pdf

    return read_pdf(data)


def _cues(data: bytes) -> Draft:
    from nkqa.formats.transcript import read_cues

    return read_cues(tidy(decode(data)))


READERS: dict[str, Callable[[bytes], Draft]] = {
    ".md": _markdown, ".markdown": _markdown, ".txt": _plain, ".text": _plain, ".html": _html, ".htm": _html,
    ".xhtml": _html, ".pdf": _pdf, ".vtt": _cues, ".srt": _cues,
}  # fmt: skip


def read_bytes(file: Path, most: int) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        FormatError: it is none, it is empty or too large, or it cannot be read.
    """
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise FormatError("is not a regular file")
            data = opened.read(most + 1)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise FormatError(f"is over {most / 1e6:g} MB; split it")
    if not data.strip():
        raise FormatError("is empty")
    return data


def _checked(text: str) -> str:
    """Return a text in the source format, checked as the corpus is.

    Raises:
        FormatError: it breaks the format, or a sentence is too long for a passage.
    """
    try:
        document = parse_source(text, "it")
    except CorpusError as error:
        raise FormatError(str(error)) from error
    for sentence in document.sentences:
        quote = document.text[sentence.start : sentence.end]
        if not fits(quote, counter(), BUDGET):
            raise FormatError(f"has a sentence of over {BUDGET} tokens, split it: {quote[:80]!r}")
    return text


def read_one(file: Path, id: str, modified: str, limits: Limits) -> str:
    """Return a file in the source format.

    Raises:
        FormatError: it cannot be read, with the reason.
    """
    draft = READERS[file.suffix.lower()](read_bytes(file, limits.file))
    text = draft.ready or to_source(draft, source_of(draft, id, file.stem, modified))
    if len(text.encode()) > limits.output:
        raise FormatError(f"gives over {limits.output / 1e6:g} MB of text; split it")
    return _checked(text)


def _limit_memory(limits: Limits) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_WRITTEN, _MOST_WRITTEN))


def _limit_time(limits: Limits) -> None:
    """Allow so many more seconds of processor time from now on; then the process is ended."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + limits.cpu_s + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _forbid(event: str, _: tuple[object, ...]) -> None:
    if event in _FORBIDDEN:
        raise PermissionError(f"{event} is not allowed while a document is read")


def answer(request: dict[str, str], limits: Limits) -> dict[str, str]:
    """Return `text` for a file that was read, or `refused` with the reason."""
    try:
        return {"text": read_one(Path(request["path"]), request["id"], request["modified"], limits)}
    except FormatError as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": f"needs more than {limits.memory / 1e9:g} GB of memory"}
    except RecursionError:
        return {"refused": "is nested too deeply"}


def main() -> None:
    """Answer requests until there are no more."""
    limits = Limits(**json.loads(sys.argv[1]))
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no reply
    counter()
    _limit_memory(limits)
    sys.addaudithook(_forbid)
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        _limit_time(limits)
        print(json.dumps(answer(json.loads(line), limits)), file=replies, flush=True)


if __name__ == "__main__":
    main()
