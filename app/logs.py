"""Logs as one JSON object a line, with the trace ID of the work they tell of (C-61)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from app import caller


class Json(logging.Formatter):
    """One line: time, level, logger, message, trace ID, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "traceId": caller.current().trace_id or None,
            "pid": record.process,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def to_json(level: str) -> None:
    """Write the logs of this process so, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("urllib3", "rq", "werkzeug", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
