"""The side that asks: starts the parsing process, waits as long as allowed, says why a file failed."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO

from nkqa.errors import FormatError, Unavailable
from nkqa.formats.limits import Limits

_START_S = 120.0
"""Seconds that the process may take to start, on a slow and busy machine."""
_CHUNK = 1 << 16


class _LateError(Exception):
    """Nothing came in time."""


class _EndedError(Exception):
    """The process ended, or said more than it may."""


class Parser:
    """One parsing process for many files; a new one is started after each death."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._rest = b""

    def __enter__(self) -> "Parser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._errors.close()

    def read(self, file: Path, id: str, modified: str) -> str:
        """Return a file in the source format.

        Raises:
            FormatError: it cannot be read, with the reason.
            Unavailable: no parsing process can be started.
        """
        process = self._started()
        request = json.dumps({"path": str(file), "id": id, "modified": modified}) + "\n"
        try:
            assert process.stdin is not None
            process.stdin.write(request.encode())
            process.stdin.flush()
            reply = json.loads(self._line(process, self.limits.wall_s))
        except _LateError:
            self._stop()
            raise FormatError(f"took more than {self.limits.wall_s:g} s to read") from None
        except (_EndedError, OSError, ValueError):
            raise FormatError(self._why(process)) from None
        if "refused" in reply:
            raise FormatError(str(reply["refused"]))
        return str(reply["text"])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._errors.seek(0)
        self._errors.truncate()
        self._rest = b""
        paths = [p for p in sys.path if p]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nkqa.formats.child", json.dumps(asdict(self.limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"},
        )
        try:
            self._line(self._process, _START_S)
        except (_LateError, _EndedError):
            why = self._why(self._process)
            raise Unavailable(f"the process that reads documents does not start: {why}") from None
        return self._process

    def _line(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """Return the next line of output, waiting so long and keeping so much as is allowed."""
        assert process.stdout is not None
        until = time.monotonic() + seconds
        parts = [self._rest]
        size = len(self._rest)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in parts[-1]:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise _LateError
                part = os.read(process.stdout.fileno(), _CHUNK)
                size += len(part)
                if not part or size > self.limits.output * 7 + _CHUNK:
                    raise _EndedError
                parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def _why(self, process: subprocess.Popen[bytes]) -> str:
        """Return why a process ended, and see that it has."""
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = 0
        self._stop()
        if sys.platform != "win32" and code in (-signal.SIGXCPU, -signal.SIGKILL):
            limits = self.limits
            return (
                f"took more than {limits.cpu_s} s of processor time"
                if code == -signal.SIGXCPU
                else "was killed"
            )
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2000))
        said = self._errors.read().decode("utf-8", "replace").strip().rsplit("\n", 1)[-1][:200]
        if "MemoryError" in said or "bad_alloc" in said or "memory allocation" in said:
            return f"needs more than {self.limits.memory / 1e9:g} GB of memory"
        return f"the parser failed on it ({said or f'exit {code}'})"

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue  # a pipe to a process that has died
        if process.poll() is None:
            process.kill()
        process.wait()
