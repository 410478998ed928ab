"""Log configuration: one JSON object a line on standard error, whoever logs.

Every text, also that of other libraries, is cut and stripped of control characters: it may come
from a client.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from service.timeouts import LOG_REPEAT_S

MAX_LOGGED = 200  # of one text that a client sends
MAX_TEXT = 1000
MAX_TRACEBACK = 16_000


def configure_logs(level: str) -> None:
    """Configure structlog and warnings; to be called once, before the fork: both sides log."""
    structlog.configure(
        processors=[*_facts(), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    logging.captureWarnings(True)
    threading.excepthook = _log_thread_error


def standard_logging(level: str) -> dict[str, Any]:
    """Logging configuration: lines of standard library loggers (gunicorn, werkzeug) as JSON."""
    render = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _facts(),
        "processors": render,
    }
    handler = {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
    # A collector that is down fails every few seconds, and in more words each time.
    at_times = {"level": "WARNING", "handlers": ["unrepeated"], "propagate": False}
    # gunicorn tells at level info what the service's own lines say better.
    quiet = "WARNING" if level == "info" else level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "filters": {"repeats": {"()": RepeatFilter}},
        "handlers": {"stderr": handler, "unrepeated": {**handler, "filters": ["repeats"]}},
        "root": {"level": quiet, "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": quiet, "handlers": [], "propagate": True},
            "opentelemetry": at_times,
        },
    }


def _facts() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _cleaned,
    ]


def printable(text: str, most: int = MAX_LOGGED) -> str:
    """Text made safe to log: at most `most` characters, and no control characters."""
    return "".join(char if char.isprintable() else "?" for char in text[:most])


def _cleaned(_: Any, __: str, facts: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: _clean(name, value) for name, value in facts.items()}


def _clean(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if name != "exception":
        return printable(value, MAX_TEXT)
    lines = "\n".join(printable(line, MAX_TEXT) for line in value.split("\n"))
    return lines[-MAX_TRACEBACK:]  # the last ones say most


class RepeatFilter(logging.Filter):
    """Logging filter that passes a line of each kind once in LOG_REPEAT_S seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}  # by logger and wording, without its values

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether no line of this logger and wording was passed for LOG_REPEAT_S seconds."""
        kind, now = (record.name, str(record.msg)[:MAX_LOGGED]), self._clock()
        if now - self._last.get(kind, -LOG_REPEAT_S) < LOG_REPEAT_S:
            return False
        self._last[kind] = now
        return True


def _log_thread_error(error: threading.ExceptHookArgs) -> None:
    thread = error.thread.name if error.thread is not None else None
    structlog.get_logger().error("thread_error", thread=thread, exc_info=error.exc_value)
