"""The engine with a real network, and with runners that fail on purpose."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from engine_texts import read
from structlog.testing import capture_logs

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.generation import Piece
from service.engine.engine import Engine
from service.engine.failure import Failure, RequestFailedError, UnavailableError
from service.engine.lifecycle import STALLED_AFTER_S
from service.engine.outbox import Outbox
from service.engine.request import Request, Stepped
from service.engine.runner import CheckpointRunner
from service.engine.scheduler import Scheduler
from service.metrics import Metrics

pytest_plugins = ["service_fixtures"]


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> Checkpoint:
    return checkpoints.load(tiny_checkpoint)


class SteadyRunner:
    """Writes "a" for ever, or does what `on_step` does."""

    fed_together = 1

    def __init__(self, on_step: Callable[[Request], Piece] | None = None) -> None:
        self.rows: list[Request] = []
        self._on_step = on_step

    def feed(self, requests: Sequence[Request]) -> list[Request]:
        self.rows += requests
        return list(requests)

    def step(self, count: int) -> list[Stepped]:
        time.sleep(0.001)
        return [
            Stepped(request=request, index=0, piece=self._piece(request))
            for request in list(self.rows)
        ]

    def drop(self, request: Request) -> None:
        if request in self.rows:
            self.rows.remove(request)

    def _piece(self, request: Request) -> Piece:
        return Piece(text="a") if self._on_step is None else self._on_step(request)


MakeRequest = Callable[..., Request]
MakeEngine = Callable[..., Engine]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.005)


def test_texts_that_end_in_the_same_step_are_all_whole(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine(slots=4)
    request = make_request(CheckpointRunner.of(tiny), n=4, max_tokens=20, min_tokens=20)
    engine.submit(request)
    assert [len(text) for text in read(request).values()] == [20] * 4
    assert engine.num_free_slots == 4


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
    wait_until(lambda: engine.num_free_slots == 1 and not runner.rows)
    assert request.outcome == "cancelled"


def test_cancelling_a_queued_request_frees_its_place_at_once(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(slots=1, queue=1), SteadyRunner()
    queued = [make_request(runner), make_request(runner)]
    for request in queued:
        engine.submit(request)
    engine.cancel(queued[1])
    assert engine.num_waiting == 0
    assert queued[1].outcome == "cancelled"


def test_cancelling_while_the_prompt_is_fed_frees_the_slot(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine(slots=1)
    request = make_request(CheckpointRunner.of(tiny), "a" * 2_000_000)
    engine.submit(request)
    engine.cancel(request)
    wait_until(lambda: engine.num_free_slots == 1)
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


def test_a_row_whose_numbers_overflow_fails_alone(
    tiny_checkpoint: Path, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    poisoned = checkpoints.load(tiny_checkpoint)
    poisoned.network.embedding.weight.data[poisoned.tokenizer.encode("z")] = torch.inf
    engine, runner = make_engine(), CheckpointRunner.of(poisoned)
    sound = make_request(runner, "A", max_tokens=200, min_tokens=200, logit_bias={"z": -100.0})
    sick = make_request(runner, "z")
    engine.submit(sound)
    engine.submit(sick)
    with pytest.raises(RequestFailedError) as caught:
        read(sick)
    assert caught.value.failure is Failure.NOT_FINITE
    assert len(read(sound)[0]) == 200


def test_what_a_text_had_before_it_failed_is_read_and_its_sisters_steps_count(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    """Two texts of a request take a step; the first fails in it, the second was sound."""

    class Failing(SteadyRunner):
        def step(self, count: int) -> list[Stepped]:
            (request,) = self.rows
            pieces = [Piece(text="one"), Piece(text="two")]
            return [
                Stepped(request=request, index=index, piece=piece, is_sound=index == 1)
                for index, piece in enumerate(pieces)
            ]

    runner, engine = Failing(), make_engine(slots=2)
    request = make_request(runner, n=2)
    engine.submit(request)
    wait_until(lambda: request.is_ended)
    assert [delta.text for delta in request.outbox.take(0)] == ["one", "two"]
    with pytest.raises(RequestFailedError) as caught:
        request.outbox.take(0)
    assert caught.value.failure is Failure.NOT_FINITE
    assert engine.num_free_slots == 2


def test_an_error_in_a_step_fails_its_requests_and_the_engine_goes_on(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    def explode(_: Request) -> Piece:
        raise RuntimeError("boom")

    engine = make_engine()
    victim, later = make_request(SteadyRunner(explode)), make_request(SteadyRunner())
    with capture_logs() as logs:
        engine.submit(victim)
        with pytest.raises(RequestFailedError) as caught:
            read(victim)
    assert caught.value.failure is Failure.ENGINE
    assert [line["event"] for line in logs] == ["engine_error"]
    engine.submit(later)
    assert later.outbox.take(5)


def test_errors_without_end_make_the_engine_broken_and_not_ready(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    def explode(_: Request) -> Piece:
        raise RuntimeError("boom")

    engine = make_engine()
    with capture_logs():
        for _ in range(3):
            request = make_request(SteadyRunner(explode))
            engine.submit(request)
            wait_until(lambda request=request: request.is_ended)  # type: ignore[misc]
        wait_until(lambda: engine.is_broken)
    with pytest.raises(UnavailableError):
        engine.submit(make_request(SteadyRunner()))


def test_draining_refuses_new_requests_and_lets_running_ones_go_on_until_the_deadline(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, request = make_engine(), make_request(SteadyRunner())
    engine.submit(request)
    engine.begin_drain(0.3)
    with pytest.raises(UnavailableError):
        engine.submit(make_request(SteadyRunner()))
    assert request.outbox.take(0.2)
    with pytest.raises(RequestFailedError) as caught:
        read(request)
    assert caught.value.failure is Failure.STOPPING


def test_an_engine_whose_step_hangs_is_not_ready_until_it_goes_on(
    make_request: MakeRequest,
) -> None:
    """Idle for as long is no trouble, nor is a slow step."""
    seconds, hanging, go_on = [0.0], threading.Event(), threading.Event()

    def hang(_: Request) -> Piece:
        hanging.set()
        go_on.wait(10)
        return Piece(text="a")

    scheduler: Scheduler[Request] = Scheduler(num_slots=1, max_waiting=0)
    engine = Engine(scheduler, Metrics().engine, clock=lambda: seconds[0])
    engine.start()
    request = make_request(SteadyRunner(hang))
    engine.submit(request)
    assert hanging.wait(5)
    seconds[0] += STALLED_AFTER_S - 1
    assert engine.trouble is None
    seconds[0] += 2
    assert engine.trouble == "the engine makes no progress"
    assert not engine.is_broken
    go_on.set()
    wait_until(lambda: engine.trouble is None)
    engine.stop()


def test_readers_are_told_how_many_they_are(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    """So that many of them take coarser pieces."""
    engine, runner = make_engine(slots=3), SteadyRunner()
    crowd = [make_request(runner) for _ in range(3)]
    for request in crowd:
        engine.submit(request)
    wait_until(lambda: {request.outbox.cadence.readers for request in crowd} == {3})
    engine.cancel(crowd[0])
    wait_until(lambda: crowd[1].outbox.cadence.readers == 2)


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


def test_stopping_leaves_nobody_waiting(make_engine: MakeEngine, make_request: MakeRequest) -> None:
    engine, runner = make_engine(slots=1), SteadyRunner()
    crowd = [make_request(runner) for _ in range(3)]
    for request in crowd:
        engine.submit(request)
    engine.stop()
    assert [request.outcome for request in crowd] == ["error"] * 3
