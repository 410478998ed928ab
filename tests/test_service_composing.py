"""Poems in the engine: fair shares, cancelling, neighbours that fail, and the voice they need."""

import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from engine_texts import MakeEngine, MakeRequest
from steady_runner import SteadyRunner
from waiting import wait_until

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.decoding.decoder import decoder_of
from model.tokenizer import Tokenizer
from service.engine.composition import Composition
from service.engine.failure import Failure, RequestFailedError
from service.engine.request import Request
from service.engine.runner import CheckpointRunner
from service.engine.scheduler import COMPOSED_AT_ONCE
from service.models.prepared_voice import PreparedVoice
from verse.composer.network_steps import Cursor, Logits, Steps, read, step
from verse.composer.voice import Voice
from verse.poem import ComposedLine, CompositionError, Poem

pytest_plugins = ["service_fixtures"]

MakeComposed = Callable[..., Request]
NOTHING = Poem(lines=(), title="", seed=0)


def line(number: int, text: str) -> ComposedLine:
    return ComposedLine(number=number, text=text, ends_stanza=False)


@pytest.fixture
def composed(tokenizer: Tokenizer) -> MakeComposed:
    """A request that is composed by a generator."""

    def make(work: Any, runner: Any = None) -> Request:
        return Request(
            request_id="poem",
            model="tiny",
            runner=runner if runner is not None else SteadyRunner(),
            prompt=tokenizer.encode_prompt(""),
            generations=(),
            composition=Composition(work),
        )

    return make


def endless(taken: list[str], name: str) -> Iterator[Any]:
    """Work without end, which notes each of its turns."""
    while True:
        taken.append(name)
        yield None


def whole(request: Request) -> list[str]:
    """Lines of a composition that ends well."""
    while not request.outbox.is_done:
        request.outbox.take(5)
    assert request.composition is not None
    return [each.text for each in request.composition.lines]


def test_a_composition_gives_its_lines_and_its_result(
    make_engine: MakeEngine, composed: MakeComposed
) -> None:
    def work() -> Generator[Any, Any, int]:
        yield line(1, "one")
        yield line(2, "two")
        return 7

    engine, request = make_engine(slots=1), composed(work())
    engine.submit(request)
    assert whole(request) == ["one", "two"]
    assert request.composition is not None
    assert (request.composition.result, request.outcome, request.num_tokens) == (7, "stop", 8)
    wait_until(lambda: engine.load.num_free == 1)


def test_a_form_that_is_not_kept_fails_with_its_lines(
    make_engine: MakeEngine, composed: MakeComposed
) -> None:
    def work() -> Iterator[Any]:
        yield line(1, "one")
        raise CompositionError("there is none", NOTHING)

    engine, request = make_engine(), composed(work())
    engine.submit(request)
    with pytest.raises(RequestFailedError) as caught:
        whole(request)
    assert caught.value.failure is Failure.FORM
    assert request.composition is not None
    assert [each.text for each in request.composition.lines] == ["one"]


def test_an_error_in_a_composition_fails_it_alone(
    make_engine: MakeEngine, make_request: MakeRequest, composed: MakeComposed
) -> None:
    def work() -> Iterator[Any]:
        yield None
        raise ZeroDivisionError

    engine, runner = make_engine(), SteadyRunner()
    text, poem = make_request(runner), composed(work(), runner)
    engine.submit(text)
    engine.submit(poem)
    wait_until(lambda: poem.is_ended)
    assert poem.failure is Failure.ENGINE
    assert not text.is_ended
    assert not engine.is_broken


def test_numbers_that_are_not_finite_fail_a_composition_alone(
    make_engine: MakeEngine, composed: MakeComposed, tiny_checkpoint: Path
) -> None:
    poisoned = checkpoints.load(tiny_checkpoint)
    bad = poisoned.tokenizer.encode("z")
    poisoned.network.embedding.weight.data[bad] = torch.nan
    decoder = decoder_of(poisoned.network)
    runner = CheckpointRunner(poisoned.tokenizer, decoder, 0)

    def work() -> Steps[Logits]:
        return (yield from step(bad, decoder.zero_state(1)))

    request = composed(work(), runner)
    make_engine().submit(request)
    wait_until(lambda: request.is_ended)
    assert request.failure is Failure.NOT_FINITE


def test_a_step_and_what_was_read_are_those_of_the_network(
    make_engine: MakeEngine, composed: MakeComposed, tiny: Checkpoint
) -> None:
    decoder = decoder_of(tiny.network)

    def work() -> Steps[list[Logits]]:
        begin = Cursor(decoder.zero_state(1), 1)
        behind = yield from read(begin, [5, 6, 7])
        found = [(yield from step([behind.last], behind.state))]
        state = decoder.zero_state(1)
        for number in (1, 5, 6, 7):
            logits = yield from step([number], state)
        return [*found, logits]

    request = composed(work(), CheckpointRunner(tiny.tokenizer, decoder, 0))
    make_engine().submit(request)
    whole(request)
    assert request.composition is not None
    first, second = request.composition.result or (0, 1)
    assert np.array_equal(first, second)


def test_poems_take_turns_and_few_of_them_at_once(
    make_engine: MakeEngine, composed: MakeComposed
) -> None:
    taken: list[str] = []
    names = [str(number) for number in range(COMPOSED_AT_ONCE + 1)]
    engine = make_engine()
    poems = [composed(endless(taken, name)) for name in names]
    for poem in poems:
        engine.submit(poem)
    wait_until(lambda: len(taken) > 10 * COMPOSED_AT_ONCE)
    assert taken[-COMPOSED_AT_ONCE:] != taken[-1:] * COMPOSED_AT_ONCE
    assert set(taken) == set(names[:-1])
    engine.cancel(poems[0])
    wait_until(lambda: names[-1] in taken)


def test_a_running_text_keeps_its_share_beside_a_poem(
    make_engine: MakeEngine, make_request: MakeRequest, composed: MakeComposed
) -> None:
    taken: list[str] = []
    engine, runner = make_engine(), SteadyRunner()
    text = make_request(runner)
    engine.submit(text)
    engine.submit(composed(endless(taken, "poem"), runner))
    wait_until(lambda: len(taken) > 100)
    assert text.num_tokens == 0  # SteadyRunner writes none of the generation's
    assert runner.num_steps > len(taken) / 4


@pytest.mark.parametrize("is_begun", [False, True])
def test_cancelling_frees_the_slot_and_what_the_work_holds(
    make_engine: MakeEngine, composed: MakeComposed, is_begun: bool
) -> None:
    let_go = threading.Event()

    def work() -> Iterator[Any]:
        try:
            while True:
                yield None
        finally:
            let_go.set()

    engine = make_engine(slots=1, queue=1)
    first, second = composed(work()), composed(work())
    engine.submit(first)
    wait_until(lambda: first.began_at is not None)
    engine.submit(second)
    engine.cancel(first if is_begun else second)
    if is_begun:
        assert let_go.wait(5)
        assert first.outcome == "cancelled"
        wait_until(lambda: second.began_at is not None)
    else:
        assert engine.load.num_waiting == 0


def test_a_drain_ends_a_poem_that_takes_too_long(
    make_engine: MakeEngine, composed: MakeComposed
) -> None:
    engine, request = make_engine(), composed(endless([], ""))
    engine.submit(request)
    engine.begin_drain(0.01)
    wait_until(lambda: request.is_ended)
    assert request.failure is Failure.STOPPING


def test_a_voice_is_made_once_for_all_who_wait_and_again_after_an_error() -> None:
    made: list[Any] = []

    def make() -> Any:
        made.append(object())
        if len(made) == 1:
            raise MemoryError
        return made[-1]

    prepared = PreparedVoice(make)
    with pytest.raises(MemoryError):
        prepared.wait(5)
    assert [prepared.wait(5) for _ in range(3)] == made[1:] * 3
    assert len(made) == 2


def test_who_waits_for_a_voice_can_leave() -> None:
    go, voice = threading.Event(), cast("Voice", object())

    def make() -> Voice:
        go.wait(5)
        return voice

    prepared = PreparedVoice(make)
    assert prepared.wait(0.01) is None
    go.set()
    assert prepared.wait(5) is voice
