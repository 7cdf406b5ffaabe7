"""One JSON object a line on stderr; the text of a question only where `NKQA_LOG_QUESTIONS` asks for it."""

import json
import logging
import sys
from datetime import UTC, datetime

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """Writes a record, and whatever `extra` it carries, as one line of ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure() -> None:
    """Send all logs of the process to stderr in this form: nkqa's from INFO on, others' from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.raiseExceptions = False  # a full disk or closed pipe must not stop the serving
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("nkqa").setLevel(logging.INFO)
