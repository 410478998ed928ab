"""The promise of the seed in a crowd: every request gets, byte for byte, what it gets alone."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from decoders import DECODERS, decoder_by
from engine_texts import MakeEngine, MakeRequest, read, read_all

from model.checkpoint import Checkpoint
from model.decoding.cuda_graphs import CudaGraphLoop
from model.decoding.decode_loop import TorchLoop
from model.decoding.decoder import CHUNK, Decoder
from model.decoding.generation import TokenLogprob
from model.decoding.reference_driver import generate
from model.parameters import SamplingParams
from service.engine.request import Phase, Request
from service.engine.runner import CheckpointRunner

pytest_plugins = ["service_fixtures"]

CROWD = 64


@pytest.fixture(scope="module", params=DECODERS)
def decoder(request: pytest.FixtureRequest, tiny: Checkpoint) -> Decoder:
    return decoder_by(request.param, tiny.network)


@pytest.fixture(params=[0, 6], ids=["no-cache", "cache"])
def runner(request: pytest.FixtureRequest, tiny: Checkpoint, decoder: Decoder) -> CheckpointRunner:
    return CheckpointRunner(tiny.tokenizer, decoder, request.param)


Text = tuple[str, tuple[TokenLogprob, ...]]
Alone = Callable[..., Text]


@pytest.fixture(scope="module")
def written() -> dict[tuple[str, str, str], Text]:
    """What the reference has written, by backend, prompt and parameters."""
    return {}


@pytest.fixture
def alone(tiny: Checkpoint, decoder: Decoder, written: dict[tuple[str, str, str], Text]) -> Alone:
    """What the reference writes for a text of a request, and its log probabilities.

    A recorded loop's bits are those of torch's operations, one after another.
    """
    is_recorded = isinstance(decoder.loop, CudaGraphLoop) and decoder.device.type == "cpu"
    by_torch = replace(decoder, loop=TorchLoop(decoder.backend))
    reference = by_torch if is_recorded else decoder

    def write(prompt: str, fields: dict[str, object], index: int) -> Text:
        params = SamplingParams.checked(**fields)
        params = params.model_copy(update={"seed": (params.seed or 0) + index})
        where = f"{decoder.backend_name} {decoder.device} {is_recorded}"
        key = (where, prompt, params.model_dump_json())
        if key not in written:
            pieces = list(generate(reference, tiny.tokenizer, prompt, params))
            logprobs = tuple(entry for piece in pieces for entry in piece.logprobs)
            written[key] = ("".join(piece.text for piece in pieces), logprobs)
        return written[key]

    return write


def crowd_fields(rng: random.Random) -> dict[str, object]:
    return {
        "max_tokens": rng.choice([1, 20, 60, 120]),
        "min_tokens": rng.choice([0, 15]),
        "seed": rng.randrange(2**62),
        "temperature": rng.choice([0.0, 0.5, 1.0, 2.0]),
        "top_k": rng.choice([0, 0, 5]),
        "top_p": rng.choice([1.0, 1.0, 0.7]),
        "min_p": rng.choice([0.0, 0.0, 0.05]),
        "typical_p": rng.choice([1.0, 1.0, 0.8]),
        "repetition_penalty": rng.choice([1.0, 1.0, 1.5]),
        "frequency_penalty": rng.choice([0.0, 0.5]),
        "penalty_window": rng.choice([8, 64]),
        "logprobs": rng.choice([None, None, 2]),
        "stop": rng.choice([(), (), ("e", "th")]),
        "max_lines": rng.choice([None, None, None, 1, 2]),
        "max_stanzas": rng.choice([None, None, None, 1]),
        "soft_end": rng.choice([None, None, None, 0, 30]),
        "avoid": rng.choice([(), (), ("the", "and"), ("a", "s*", "of the")]),
    }


def test_a_shuffled_crowd_gets_what_each_gets_alone(
    runner: CheckpointRunner,
    alone: Alone,
    anthology: str,
    make_engine: MakeEngine,
    make_request: MakeRequest,
) -> None:
    rng, engine = random.Random(7), make_engine(slots=20)
    staying: list[tuple[str, dict[str, object], Request]] = []
    for index in range(CROWD):
        start = rng.choice([0, 50 * index])  # some prompts come again, or with more behind them
        prompt = anthology[start:][: rng.choice([0, 1, 30, CHUNK, CHUNK + 1, 2 * CHUNK, 200])]
        fields = crowd_fields(rng)
        request = make_request(runner, prompt, n=index % 3 + 1, **fields)
        engine.submit(request)
        if rng.random() < 0.2:
            threading.Timer(rng.random() * 0.05, engine.cancel, (request,)).start()
        else:
            staying.append((prompt, fields, request))
        time.sleep(rng.choice([0, 0, 0.01]))
    assert len(staying) > 40
    texts = [read_all(request) for _, _, request in staying]
    for (prompt, fields, request), written in zip(staying, texts, strict=True):
        expected = {index: alone(prompt, fields, index) for index in range(request.num_rows)}
        assert written == expected


def test_n_texts_of_one_request_are_those_of_following_seeds(
    runner: CheckpointRunner, alone: Alone, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    fields: dict[str, object] = {"max_tokens": 30, "seed": 9}
    request = make_request(runner, "O moon", n=3, **fields)
    make_engine().submit(request)
    assert read_all(request) == {index: alone("O moon", fields, index) for index in range(3)}


def test_more_threads_do_not_change_one_byte(
    runner: CheckpointRunner, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    texts = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        request = make_request(runner, "O moon", n=5, max_tokens=100, temperature=1.5)
        make_engine().submit(request)
        texts.append(read(request))
    assert texts[0] == texts[1]


def test_a_prompt_that_comes_again_is_not_fed_again(
    tiny: Checkpoint,
    decoder: Decoder,
    anthology: str,
    make_engine: MakeEngine,
    make_request: MakeRequest,
) -> None:
    """Nor is the beginning that a longer one shares with it, up to its last whole chunk."""
    engine, runner = make_engine(), CheckpointRunner(tiny.tokenizer, decoder, 4)
    first = anthology[: 2 * CHUNK + 10]
    cached, texts = [], []
    for prompt in (first, first, first + anthology[2 * CHUNK + 10 :][:50], anthology[500:600]):
        request = make_request(runner, prompt, max_tokens=20, min_tokens=20, seed=3)
        engine.submit(request)
        texts.append(read(request)[0])
        cached.append(request.num_cached_tokens)
    assert cached == [0, len(first), 2 * CHUNK, 0]
    assert texts[0] == texts[1]


def test_short_prompts_overtake_a_long_one_that_is_being_fed(
    tiny: Checkpoint, decoder: Decoder, make_engine: MakeEngine, make_request: MakeRequest
) -> None:
    """Even where prompts are fed one by one; the long one starves no one."""
    engine, runner = make_engine(), CheckpointRunner(tiny.tokenizer, decoder, 0)
    long = make_request(runner, "a" * 300_000)
    engine.submit(long)
    short = [make_request(runner, "O moon " * 9, max_tokens=5, min_tokens=5) for _ in range(20)]
    for request in short:
        engine.submit(request)
    assert [len(read(request)[0]) for request in short] == [5] * 20
    assert long.phase is Phase.FEEDING
    engine.cancel(long)
