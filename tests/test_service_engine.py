"""The engine at work: slots, prompts, readers, cancelling."""

from collections.abc import Sequence

import pytest
from engine_texts import MakeEngine, MakeRequest, read
from steady_runner import SteadyRunner
from waiting import wait_until

from model.checkpoint import Checkpoint
from service.engine.engine import Engine
from service.engine.failure import Failure, RequestFailedError
from service.engine.outbox import Outbox
from service.engine.request import Request
from service.engine.runner import CheckpointRunner
from service.engine.scheduler import Scheduler
from service.observability.metrics import Metrics

pytest_plugins = ["service_fixtures"]


def test_texts_that_end_in_the_same_step_are_all_whole(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine(slots=4)
    request = make_request(CheckpointRunner.of(tiny), n=4, max_tokens=20, min_tokens=20)
    engine.submit(request)
    assert [len(text) for text in read(request).values()] == [20] * 4
    assert engine.load.num_free == 4


def test_a_request_for_no_tokens_ends_at_once(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    request = make_request(SteadyRunner(), max_tokens=0)
    make_engine().submit(request)
    (delta,) = request.outbox.take(0)
    assert (delta.text, delta.finish_reason, request.outcome) == ("", "length", "length")


def test_cancelling_a_running_request_frees_its_slot(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(slots=1), SteadyRunner()
    request = make_request(runner)
    engine.submit(request)
    request.outbox.take(5)
    engine.cancel(request)
    wait_until(lambda: engine.load.num_free == 1 and not runner.rows)
    assert request.outcome == "cancelled"


def test_cancelling_a_queued_request_frees_its_place_at_once(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(slots=1, queue=1), SteadyRunner()
    queued = [make_request(runner), make_request(runner)]
    for request in queued:
        engine.submit(request)
    engine.cancel(queued[1])
    assert engine.load.num_waiting == 0
    assert queued[1].outcome == "cancelled"


def test_cancelling_while_the_prompt_is_fed_frees_the_slot(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine(slots=1)
    request = make_request(CheckpointRunner.of(tiny), "a" * 2_000_000)
    engine.submit(request)
    engine.cancel(request)
    wait_until(lambda: engine.load.num_free == 1)
    assert request.num_tokens == 0


def test_a_long_prompt_does_not_stall_a_running_stream(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(), CheckpointRunner.of(tiny)
    stream, fed = make_request(runner), make_request(runner, "a" * 300_000)
    engine.submit(stream)
    engine.submit(fed)
    wait_until(lambda: stream.num_tokens > 50)
    assert fed.num_tokens == 0


def test_a_reader_that_never_reads_ends_alone(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(), SteadyRunner()
    slow, brisk = make_request(runner), make_request(runner)
    slow.outbox = Outbox(max_pending=20)
    engine.submit(slow)
    engine.submit(brisk)
    wait_until(lambda: slow.is_ended)
    assert not brisk.is_ended
    slow.outbox.take(0)
    with pytest.raises(RequestFailedError) as caught:
        slow.outbox.take(0)
    assert caught.value.failure is Failure.SLOW_READER


def test_readers_are_told_how_many_they_are(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    """So that many of them take coarser pieces."""
    engine, runner = make_engine(slots=3), SteadyRunner()
    crowd = [make_request(runner) for _ in range(3)]
    for request in crowd:
        engine.submit(request)
    wait_until(lambda: {request.outbox.flush_interval.num_readers for request in crowd} == {3})
    engine.cancel(crowd[0])
    wait_until(lambda: crowd[1].outbox.flush_interval.num_readers == 2)


def test_prompts_of_one_runner_are_fed_together_and_those_of_another_in_their_turn(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    calls: list[int] = []

    class Counting(SteadyRunner):
        fed_together = 2

        def feed(self, requests: Sequence[Request]) -> list[Request]:
            calls.append(len(requests))
            return super().feed(requests)

    first, second = Counting(), Counting()
    order = (first, first, second, first)
    crowd = [make_request(runner, max_tokens=1_000_000) for runner in order]
    scheduler: Scheduler[Request] = Scheduler(num_slots=4, max_waiting=0)
    engine = Engine(scheduler, Metrics().engine)
    for request in crowd:
        scheduler.submit(request)
    engine.start()
    wait_until(lambda: len(first.rows) == 3 and len(second.rows) == 1)
    engine.stop()
    assert calls == [2, 1, 1]
