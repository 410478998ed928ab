"""The engine looks into a network while it reads a text: among others, in turns, one at a time."""

from pathlib import Path

import pytest
import torch
from decoders import DECODERS, decoder_by
from engine_texts import MakeEngine, MakeRequest, read, read_all
from waiting import wait_until

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.layer_inspection import InspectedLayer
from service.engine.engine import Engine
from service.engine.failure import Failure, RequestFailedError
from service.engine.request import Request
from service.engine.runner import CheckpointRunner

pytest_plugins = ["service_fixtures"]

LONG = "a" * 300_000


@pytest.fixture(params=DECODERS)
def runner(request: pytest.FixtureRequest, tiny: Checkpoint) -> CheckpointRunner:
    return CheckpointRunner(tiny.tokenizer, decoder_by(request.param, tiny.network), 0)


def seen(request: Request) -> tuple[object, ...]:
    """All that it tells."""
    inspection, scores = request.inspection, request.scored_prompt
    assert inspection is not None
    assert scores is not None
    steps = inspection.steps()
    return steps.hidden, steps.cell, steps.openings, list(scores)


def inspected(engine: Engine, make: MakeRequest, runner: CheckpointRunner, text: str) -> Request:
    request = make(runner, text, n=0, prompt_logprobs=2, inspected_layer=InspectedLayer(1))
    engine.submit(request)
    assert read(request) == {}
    assert request.outcome == "stop"
    return request


def test_neighbours_and_what_is_inspected_change_nothing_of_one_another(
    runner: CheckpointRunner, anthology: str, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine = make_engine()
    texts = [anthology[index * 70 :][: 1 + index * 30] for index in range(4)]
    fields = {"max_tokens": 300, "min_tokens": 300, "logprobs": 1}
    alone = [seen(inspected(engine, make_request, runner, text)) for text in texts]
    stream = make_request(runner, "O moon", **fields)
    engine.submit(stream)
    written = read_all(stream)
    again = make_request(runner, "O moon", **fields)
    crowd = [
        make_request(runner, text, n=0, prompt_logprobs=2, inspected_layer=InspectedLayer(1))
        for text in texts
    ]
    scored = make_request(runner, texts[-1], n=0, prompt_logprobs=2)
    for request in (again, *crowd, scored):
        engine.submit(request)
    for request in (*crowd, scored):
        read(request)
    assert [seen(request) for request in crowd] == alone
    assert scored.inspection is None
    assert scored.scored_prompt is not None
    assert list(scored.scored_prompt) == alone[-1][-1]
    assert read_all(again) == written


def test_one_that_is_cancelled_frees_its_slot(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(slots=1), CheckpointRunner.of(tiny)
    long = make_request(runner, LONG, n=0, prompt_logprobs=0, inspected_layer=InspectedLayer(0))
    engine.submit(long)
    wait_until(lambda: long.began_at is not None)
    engine.cancel(long)
    inspected(engine, make_request, runner, "a rose")
    assert long.outcome == "cancelled"
    assert long.inspection is None
    wait_until(lambda: engine.load.num_free == 1)


def test_a_long_text_stalls_neither_a_stream_nor_a_short_text(
    tiny: Checkpoint, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    engine, runner = make_engine(), CheckpointRunner.of(tiny)
    stream = make_request(runner, min_tokens=1_000_000)
    long = make_request(runner, LONG, n=0, prompt_logprobs=20, inspected_layer=InspectedLayer(1))
    engine.submit(long, stream)
    inspected(engine, make_request, runner, "O moon " * 9)
    wait_until(lambda: stream.num_tokens > 50)
    assert not long.is_ended
    engine.cancel(long)
    engine.cancel(stream)


def test_numbers_that_overflow_fail_their_request_alone(
    tiny_checkpoint: Path, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    poisoned = checkpoints.load(tiny_checkpoint)
    runner = CheckpointRunner(poisoned.tokenizer, decoder_by("int8", poisoned.network), 0)
    # After the int8 weights were made: only what looks into the network can come to see it.
    poisoned.network.embedding.weight.data[poisoned.tokenizer.encode("z")] = torch.nan
    engine = make_engine(slots=2)
    sick = make_request(
        runner, "z" + LONG, n=0, prompt_logprobs=0, inspected_layer=InspectedLayer(1)
    )
    engine.submit(sick)
    inspected(engine, make_request, runner, "a rose")
    with pytest.raises(RequestFailedError) as caught:
        read(sick)
    assert caught.value.failure is Failure.NOT_FINITE
    wait_until(lambda: engine.load.num_free == 2)
