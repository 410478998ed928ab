"""Logs: one JSON object a line on standard error, and one line a request.

What comes from a client is cut and stripped of control characters before it is logged.
"""

import logging
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

MAX_LOGGED = 200


def configure_logs(level: str) -> None:
    """To be called once, by the process that will log."""
    structlog.configure(
        processors=[*_facts(), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def standard_logging(level: str) -> dict[str, Any]:
    """The same lines from those who use the standard library's logging: gunicorn, werkzeug."""
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
    # gunicorn tells at level info what the service's own lines say better.
    quiet = "WARNING" if level == "info" else level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": handler},
        "root": {"level": quiet, "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": {"level": quiet, "handlers": [], "propagate": True}},
    }


def _facts() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def printable(text: str) -> str:
    """`text`, safe to log: short and without control characters."""
    return "".join(char if char.isprintable() else "?" for char in text[:MAX_LOGGED])


def log_requests(app: Flask) -> None:
    """Log every request when its answer has been sent, or has broken off."""
    log = structlog.get_logger()

    @app.before_request
    def note_start() -> None:
        g.started_at = time.monotonic()

    @app.after_request
    def log_at_the_end(response: Response) -> Response:
        started_at, job = g.started_at, g.get("job")
        facts = {
            "id": g.request_id,
            "method": printable(request.method),
            "path": printable(request.path),
            "status": response.status_code,
        }

        if (key_name := g.get("key_name")) is not None:
            facts["key"] = key_name

        def write_line() -> None:
            if job is not None:
                facts.update(job=job.job_id, tokens=job.num_tokens, outcome=job.outcome)
            log.info("request", **facts, seconds=round(time.monotonic() - started_at, 4))

        response.call_on_close(write_line)
        return response
