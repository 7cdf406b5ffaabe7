"""What readers say of answers, as JSON lines in a file that the operator chooses; never who said it."""

import json
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nkqa.errors import Unavailable

Verdict = Literal["right", "wrong", "wrong_source", "missing", "biased"]
MOST_BYTES = 50_000_000
MOST_A_MINUTE = 60


class Feedback(BaseModel):
    """One verdict on one answer, with an optional sentence."""

    model_config = ConfigDict(extra="forbid")

    answer: str = Field(min_length=1, max_length=80)
    question: str = Field(min_length=1, max_length=1_000)
    verdict: Verdict
    comment: str = Field("", max_length=500)


class FeedbackFile:
    """Appends feedback to a file that only its owner reads."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self._lock = Lock()
        self._recent: deque[float] = deque()

    def _admit(self) -> None:
        now = monotonic()
        while self._recent and now - self._recent[0] > 60:
            self._recent.popleft()
        if len(self._recent) >= MOST_A_MINUTE:
            raise Unavailable("Too much feedback has come in at once; try again in a minute.")
        if self.path.exists() and self.path.stat().st_size > MOST_BYTES:
            raise Unavailable("The feedback file is full; tell whoever runs this server.")
        self._recent.append(now)

    def add(self, given: Feedback) -> None:
        """Append one line.

        Raises:
            Unavailable: too much at once, a full file, or one that cannot be written.
        """
        record = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "corpus": self.fingerprint,
            **given.model_dump(),
        }
        line = json.dumps(record, ensure_ascii=True) + "\n"
        with self._lock:
            self._admit()
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                with os.fdopen(handle, "a", encoding="ascii") as file:
                    file.write(line)
            except OSError as error:
                raise Unavailable("The feedback could not be kept; tell whoever runs this server.") from error
