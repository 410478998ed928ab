"""What all streamed answers share: how they begin, keep alive, and end on every way out.

Knows nothing of what the pieces look like.
"""

import errno
import time
from collections.abc import Callable, Iterator

from flask import Response

from service.api import sse
from service.api.jobs import Job, Jobs
from service.engine.failure import ClientGoneError
from service.engine.outbox import Delta

PING_S = 5.0


class StreamCutError(ConnectionResetError):
    """Ends a stream that failed, so that nobody takes it for whole.

    gunicorn treats it like a connection that broke: the chunked body stays unterminated.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the stream was cut")


def job_headers(job: Job) -> dict[str, str]:
    """What is told of a job whatever the form of its answer."""
    return {
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        "X-Strophe-Id": job.job_id,
        "X-Strophe-Model": job.model,
        "X-Strophe-Seed": str(job.seed),
    }


def stream(jobs: Jobs, job: Job, chunks: Iterator[bytes], content_type: str) -> Response:
    """The answer whose body is `chunks`; however it ends, the job ends with it."""
    response = Response(chunks, content_type=content_type)
    response.headers.update(job_headers(job))
    # Not in the generator: a response that is never iterated would never get there.
    response.call_on_close(lambda: jobs.end(job))
    return response


def event_chunks(job: Job, encode: Callable[[list[Delta]], bytes]) -> Iterator[bytes]:
    """Each wave of text as events; while nothing comes, comments that keep the connection open.

    While the job waits for its turn the comment says how many wait before it, as soon as that
    changes. Raises RequestFailedError, and StreamCutError where the client has gone.
    """
    last_sent, told = time.monotonic(), None
    try:
        for deltas in job.waves():
            ahead = None if deltas else job.num_ahead
            if deltas:
                yield encode(deltas)
            elif ahead is not None and ahead != told:
                yield sse.waiting(ahead)
            elif time.monotonic() - last_sent >= PING_S:
                yield sse.PING
            else:
                continue
            last_sent, told = time.monotonic(), ahead
    except ClientGoneError as error:
        raise StreamCutError from error
