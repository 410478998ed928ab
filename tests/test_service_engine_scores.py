"""The engine scores prompts: among others, in turns, with text after them or none."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from decoders import DECODERS, decoder_by
from engine_texts import MakeEngine, MakeRequest, read, read_all
from waiting import wait_until

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.decoding.decoder import CHUNK
from model.decoding.generation import TokenLogprob
from service.engine.engine import Engine
from service.engine.failure import Failure, RequestFailedError
from service.engine.request import Request
from service.engine.runner import CheckpointRunner

pytest_plugins = ["service_fixtures"]


@pytest.fixture(params=DECODERS)
def runner(request: pytest.FixtureRequest, tiny: Checkpoint) -> CheckpointRunner:
    return CheckpointRunner(tiny.tokenizer, decoder_by(request.param, tiny.network), 0)


Score = Callable[..., list[TokenLogprob]]


@pytest.fixture
def score(make_request: MakeRequest) -> Score:
    """What an engine finds for a text alone, with no text after it."""

    def ask(engine: Engine, runner: CheckpointRunner, text: str) -> list[TokenLogprob]:
        request = make_request(runner, text, n=0, prompt_logprobs=2)
        engine.submit(request)
        assert read(request) == {}
        assert request.outcome == "stop"
        return scores_of(request)

    return ask


def scores_of(request: Request) -> list[TokenLogprob]:
    assert request.scored_prompt is not None
    return list(request.scored_prompt)


def test_neighbours_change_no_bit(
    runner: CheckpointRunner,
    anthology: str,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    score: Score,
) -> None:
    engine = make_engine(slots=40)
    texts = [anthology[index * 70 :][: index * 9] for index in range(20)]
    alone = [score(engine, runner, text) for text in texts]
    streams = [make_request(runner, text, min_tokens=1_000_000) for text in texts[:5]]
    crowd = [make_request(runner, text, n=0, prompt_logprobs=2) for text in texts]
    for request in (*streams, *crowd):
        engine.submit(request)
    for request in crowd:
        read(request)
    assert all(not stream.is_ended for stream in streams)
    assert [scores_of(request) for request in crowd] == alone
    for stream in streams:
        engine.cancel(stream)


def test_the_text_after_a_scored_prompt_is_the_text_after_the_prompt(
    runner: CheckpointRunner,
    anthology: str,
    make_engine: MakeEngine,
    make_request: MakeRequest,
) -> None:
    """And scoring all of it gives what both told; to the bit where sums are exact."""
    engine = make_engine()
    fields = {"max_tokens": 60, "min_tokens": 60, "logprobs": 2, "n": 2}
    plain = make_request(runner, anthology[:75], **fields)
    scored = make_request(runner, anthology[:75], prompt_logprobs=2, **fields)
    engine.submit(plain, scored)
    written = read_all(scored)
    assert written == read_all(plain)
    for text, told in written.values():
        whole = make_request(runner, anthology[:75] + text, n=0, prompt_logprobs=2)
        engine.submit(whole)
        read(whole)
        if runner.backend_name == "int8":
            assert scores_of(whole) == [*scores_of(scored), *told]


def test_a_prompt_is_scored_also_where_no_token_is_wanted_after_it(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine(slots=2)
    request = make_request(
        CheckpointRunner.of(tiny), "O moon", n=2, max_tokens=0, prompt_logprobs=0
    )
    engine.submit(request)
    assert read(request) == {0: "", 1: ""}
    assert request.outcome == "length"
    assert [entry.token for entry in scores_of(request)] == list("O moon")
    assert all(entry.top == () for entry in scores_of(request))
    assert engine.load.num_free == 2


def test_a_request_for_nothing_at_all_ends_at_once(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    request = make_request(CheckpointRunner.of(tiny), "O moon", n=0)
    make_engine().submit(request)
    assert request.outcome == "stop"
    assert request.scored_prompt is None


def test_it_holds_one_slot_while_it_is_fed(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(slots=1), CheckpointRunner.of(tiny)
    long = make_request(runner, "a" * 300_000, n=0, prompt_logprobs=0)
    late = make_request(runner, "b", n=0, prompt_logprobs=0)
    engine.submit(long, late)
    assert (engine.load.num_used, engine.load.num_waiting) == (1, 1)
    engine.cancel(long)
    read(late)
    assert long.outcome == "cancelled"
    assert long.scored_prompt is None
    assert len(scores_of(late)) == 1
    assert engine.load.num_free == 1


def test_a_long_text_does_not_stall_a_running_stream(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(), CheckpointRunner.of(tiny)
    stream = make_request(runner, min_tokens=1_000_000)
    long = make_request(runner, "a" * 300_000, n=0, prompt_logprobs=20)
    engine.submit(stream, long)
    wait_until(lambda: stream.num_tokens > 50)
    assert not long.is_ended
    engine.cancel(long)
    engine.cancel(stream)


def test_short_texts_overtake_a_long_one_and_plain_prompts_both(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest, score: Score
) -> None:
    """Scored prompts and others are not fed in one call, but in turns."""
    engine, runner = make_engine(), CheckpointRunner.of(tiny)
    long = make_request(runner, "a" * 300_000, n=0, prompt_logprobs=0)
    engine.submit(long)
    plain = make_request(runner, "O moon " * 9, max_tokens=5, min_tokens=5)
    engine.submit(plain)
    assert len(score(engine, runner, "O moon " * 9)) == 63
    assert len(read(plain)[0]) == 5
    assert not long.is_ended
    engine.cancel(long)


def test_numbers_that_overflow_fail_their_request_alone(
    tiny_checkpoint: Path, make_engine: MakeEngine, make_request: MakeRequest, score: Score
) -> None:
    poisoned = checkpoints.load(tiny_checkpoint)
    poisoned.network.embedding.weight.data[poisoned.tokenizer.encode("z")] = torch.inf
    engine, runner = make_engine(slots=2), CheckpointRunner.of(poisoned)
    sick = make_request(runner, "z" + "a" * 300_000, n=0, prompt_logprobs=0)
    engine.submit(sick)
    assert len(score(engine, runner, "a rose")) == 6
    with pytest.raises(RequestFailedError) as caught:
        read(sick)
    assert caught.value.failure is Failure.NOT_FINITE
    assert engine.load.num_free == 2


def test_a_known_prompt_is_scored_from_its_start_and_known_afterwards(
    tiny: Checkpoint,
    anthology: str,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    score: Score,
) -> None:
    engine, runner = make_engine(), CheckpointRunner.of(tiny, cached_prompts=4)
    text = anthology[: 2 * CHUNK + 10]
    first = score(engine, runner, text)
    assert score(engine, runner, text) == first
    assert len(first) == len(text)
    plain = make_request(runner, text, max_tokens=1)
    engine.submit(plain)
    read(plain)
    assert plain.num_cached_tokens == len(text)


def test_draining_fails_what_is_still_being_scored(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine()
    request = make_request(CheckpointRunner.of(tiny), "a" * 300_000, n=0, prompt_logprobs=0)
    engine.submit(request)
    engine.begin_drain(0.05)
    with pytest.raises(RequestFailedError) as caught:
        read(request)
    assert caught.value.failure is Failure.STOPPING
