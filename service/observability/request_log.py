"""Request log: one line for each HTTP request, when its response was sent or has broken off.

Tells how much was read and written, and when; never what.
"""

from typing import Any

import structlog

from service.observability.http_exchange import HttpExchange, ObservedJob
from service.observability.job_timings import JobTimings
from service.observability.logs import printable


def log_request(exchange: HttpExchange) -> None:
    """Write the log line of an HTTP exchange that has ended."""
    facts = {**_of_exchange(exchange), **_of_job(exchange.job), "trace_id": exchange.trace_id}
    known = {name: value for name, value in facts.items() if value is not None}
    structlog.get_logger().info("request", **known, seconds=round(exchange.seconds, 4))


def _of_exchange(exchange: HttpExchange) -> dict[str, Any]:
    agent = exchange.user_agent
    return {
        "id": exchange.request_id,
        "key": exchange.key_name,
        "client": exchange.client,
        "method": printable(exchange.method),
        "path": printable(exchange.path),
        "status": exchange.status,
        "bytes": exchange.num_bytes,
        "abandoned": True if exchange.is_abandoned else None,
        "user_agent": None if agent is None else printable(agent),
    }


def _of_job(job: ObservedJob | None) -> dict[str, Any]:
    if job is None:
        return {}
    timings = JobTimings.of(job.requests)
    return {
        "job": job.job_id,
        "model": job.model,
        "prompt_tokens": job.num_prompt_tokens,
        "tokens": job.num_tokens,
        "outcome": job.outcome,
        "failure": None if job.failure is None else job.failure.name.lower(),
        "queue_seconds": _rounded(timings.since_submission(timings.began_at)),
        "first_token_seconds": _rounded(timings.since_submission(timings.first_piece_at)),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
