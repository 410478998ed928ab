"""Engine supervision: a step fails, hangs, or is the last, and nobody is left waiting."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from engine_texts import MakeEngine, MakeRequest, read
from steady_runner import SteadyRunner
from structlog.testing import capture_logs
from waiting import wait_until

from model import checkpoint as checkpoints
from model.decoding.generation import Piece
from service.engine.engine import Engine
from service.engine.failure import Failure, RequestFailedError, UnavailableError
from service.engine.request import Request, Stepped
from service.engine.runner import CheckpointRunner
from service.engine.scheduler import Scheduler
from service.observability.metrics import Metrics
from service.timeouts import STALLED_AFTER_S

pytest_plugins = ["service_fixtures"]


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
            failures = [Failure.NOT_FINITE, None]
            return [
                Stepped(request=request, index=index, piece=piece, failure=failures[index])
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
    assert engine.load.num_free == 2


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


def test_errors_of_single_requests_count_for_nothing_however_many_there_are(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    """Neither those of a step nor those of feeding a prompt, with no sound text between them."""

    def explode(_: Request) -> Piece:
        raise RuntimeError("boom")

    class Indigestible(SteadyRunner):
        def feed(self, requests: Sequence[Request]) -> list[Request]:
            raise IndexError("no such layer")

    engine = make_engine()
    with capture_logs() as logs:
        for _ in range(5):
            for runner in (SteadyRunner(explode), Indigestible()):
                victim = make_request(runner)
                engine.submit(victim)
                with pytest.raises(RequestFailedError) as caught:
                    read(victim)
                assert caught.value.failure is Failure.ENGINE
    assert [line["event"] for line in logs] == ["engine_error"] * 10
    assert (engine.trouble, engine.is_broken, engine.load.num_used) == (None, False, 0)
    sound = make_request(SteadyRunner())
    engine.submit(sound)
    assert sound.outbox.take(5)


def test_a_runner_that_cannot_let_go_of_a_request_breaks_the_engine_which_is_then_not_ready(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    class Stuck(SteadyRunner):
        def drop(self, request: Request) -> None:
            raise RuntimeError("the device is gone")

    def explode(_: Request) -> Piece:
        raise RuntimeError("boom")

    engine, bystander = make_engine(), make_request(SteadyRunner())
    with capture_logs():
        engine.submit(bystander, make_request(Stuck(explode)))
        wait_until(lambda: engine.is_broken)
    with pytest.raises(RequestFailedError):
        read(bystander)
    with pytest.raises(UnavailableError, match="must be restarted"):
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


def test_draining_ends_those_that_wait_at_once(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(slots=1), SteadyRunner()
    running, *waiting = [make_request(runner) for _ in range(3)]
    for request in (running, *waiting):
        engine.submit(request)
    engine.begin_drain(60)
    for request in waiting:
        with pytest.raises(RequestFailedError) as caught:
            read(request)
        assert caught.value.failure is Failure.STOPPING
    assert not running.is_ended
    assert engine.load.num_running == 1


def test_a_second_wish_to_drain_prolongs_nothing(
    make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, request = make_engine(), make_request(SteadyRunner())
    engine.submit(request)
    engine.begin_drain(0.1)
    engine.begin_drain(60)
    wait_until(lambda: request.is_ended)


def test_a_request_that_takes_too_long_is_ended_wherever_it_stands(
    make_request: MakeRequest,
) -> None:
    """The third came later: it gets the slot."""
    scheduler: Scheduler[Request] = Scheduler(num_slots=1, max_waiting=2)
    engine = Engine(scheduler, Metrics().engine, max_request_s=0.3)
    engine.start()
    writing, waiting, later = [make_request(SteadyRunner()) for _ in range(3)]
    later.submitted_at += 60
    for request in (writing, waiting, later):
        engine.submit(request)
    for request in (writing, waiting):
        with pytest.raises(RequestFailedError) as caught:
            read(request)
        assert caught.value.failure is Failure.TIMEOUT
    assert later.outbox.take(5)
    engine.stop()


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


def test_stopping_leaves_nobody_waiting(make_engine: MakeEngine, make_request: MakeRequest) -> None:
    engine, runner = make_engine(slots=1), SteadyRunner()
    crowd = [make_request(runner) for _ in range(3)]
    for request in crowd:
        engine.submit(request)
    engine.stop()
    assert [request.outcome for request in crowd] == ["error"] * 3
