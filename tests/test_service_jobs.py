"""A job that is cancelled by its id: what its reader has, whatever the engine does meanwhile."""

from collections.abc import Callable

from steady_runner import SteadyRunner

from model.decoding.generation import Piece
from service.api.jobs import Job
from service.client_connection import ClientConnection
from service.engine.engine import Engine
from service.engine.failure import Failure
from service.engine.outbox import Outbox
from service.engine.request import Request
from service.observability.metrics import Metrics

pytest_plugins = ["service_fixtures"]


def test_a_text_whose_end_was_not_read_is_cut_short_though_the_engine_ends_it(
    make_engine: Callable[..., Engine], make_request: Callable[..., Request]
) -> None:
    outbox = Outbox(3)
    requests = [make_request(SteadyRunner(), str(index)) for index in range(3)]
    engine, metrics = make_engine(), Metrics().engine
    job = Job(
        job_id="gen-1",
        fingerprint="fp_1",
        requests=requests,
        outbox=outbox,
        client=ClientConnection({}),
        engine=engine,
        metrics=metrics,
    )
    outbox.put(0, Piece(text="a"))
    outbox.put(1, Piece(text="b", finish_reason="stop"))
    job.is_cancelled = True
    outbox.close(Failure.CANCELLED)  # the third, which waited
    texts = [delta.text for deltas in job.delta_batches() for delta in deltas]
    requests[0].generations[0].finish_reason = "length"  # by a step that was under way
    assert texts == ["a", "b"]
    assert job.cut_short == [0, 2]
