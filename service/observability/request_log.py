"""The one line that is logged of each request when its answer has been sent, or has broken off.

Tells how much was read and written, and when; never what.
"""

from typing import Any

import structlog

from service.api.jobs import Job
from service.observability.http_exchange import Exchange
from service.observability.logs import printable
from service.observability.request_timings import Stations


def log_request(exchange: Exchange) -> None:
    """Write its line."""
    facts = {**_of_exchange(exchange), **_of_job(exchange.job), "trace_id": exchange.trace_id}
    known = {name: value for name, value in facts.items() if value is not None}
    structlog.get_logger().info("request", **known, seconds=round(exchange.seconds, 4))


def _of_exchange(exchange: Exchange) -> dict[str, Any]:
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


def _of_job(job: Job | None) -> dict[str, Any]:
    if job is None:
        return {}
    stations = Stations.of(job.requests)
    return {
        "job": job.job_id,
        "model": job.model,
        "prompt_tokens": job.usage()["prompt_tokens"],
        "tokens": job.num_tokens,
        "outcome": job.outcome,
        "failure": None if job.failure is None else job.failure.name.lower(),
        "queue_seconds": _rounded(stations.until(stations.began_at)),
        "first_token_seconds": _rounded(stations.until(stations.first_piece_at)),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
