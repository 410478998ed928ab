"""Fuzzing of answers that break off: random requests, cut at random bytes, and gone on with.

    python benchmarks/fuzz_resuming.py [--count 1000] [--first 1] [--seeds 1]

A whole service in this process, all but gunicorn. Each request is answered once unbroken; then its
body is cut, by the byte, once or twice, and put together from its parts: texts, log probabilities,
ends and usage must be the same. With the model that ships by both backends, and with an untrained
subword model, whose tokens are often parts of characters. A case that fails is told with its seed.
"""

import argparse
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from drawn_requests import JSON, DrawnRequest, draw_request
from flask.testing import FlaskClient
from measured import save_checkpoint
from received_answer import ReceivedAnswer

from model.parameters import BackendName
from service.server.service_process import Service
from service.settings import Settings

MAX_TOKENS = 120
SUBWORDS = "subwords"
POEMS = {"verse": 0.02, SUBWORDS: 0.0}  # a share: they take long
# Model, backend, and the share of the cases; fp32 takes ten times as long as int8.
SIDES: tuple[tuple[str, BackendName, float], ...] = (
    ("verse", "int8", 1.0),
    (SUBWORDS, "int8", 1.0),
    ("verse", "fp32", 0.1),
)


class AnswerError(Exception):
    """Raised for an answer that is no success."""


def fault_of_case(
    client: FlaskClient,
    draw: random.Random,
    *,
    max_texts: int = 4,
    poems: float = 0.0,
    **fields: Any,
) -> str | None:
    """Fault of one request that is drawn, cut and gone on with; None where nothing is amiss."""
    request = draw_request(draw, max_tokens=MAX_TOKENS, max_texts=max_texts, poems=poems)
    request = replace(request, fields={**request.fields, **fields})
    try:
        body = _body_of(client, ReceivedAnswer(request))
        whole = _answer(request, body)
        rest = _cut_object if request.form == JSON else _cut_stream
        found = rest(client, draw, whole, body)
    except AnswerError as error:
        return f"{error} to {request}"
    return None if found is None else f"{found} of {request}"


def _body_of(client: FlaskClient, answer: ReceivedAnswer) -> bytes:
    fields, headers = answer.next_request()
    response = client.post(answer.request.path, json=fields, headers=headers)
    if response.status_code != 200:
        raise AnswerError(f"{response.status_code} {response.text[:300]}")
    answer.fingerprint = response.headers["X-Strophe-Fingerprint"]
    body: bytes = response.data
    return body


def _answer(request: DrawnRequest, body: bytes) -> ReceivedAnswer:
    answer = ReceivedAnswer(request)
    answer.take(body)
    answer.end_body()
    if not answer.is_whole:
        raise AnswerError(f"no end of {body[-200:]!r}")
    return answer


def _cut_stream(
    client: FlaskClient, draw: random.Random, whole: ReceivedAnswer, body: bytes
) -> str | None:
    """Put the answer together from bodies that are cut at random bytes."""
    answer = ReceivedAnswer(whole.request)
    for _ in range(draw.randrange(1, 3)):
        answer.take(body[: draw.randrange(len(body) + 1)])
        if answer.is_whole:
            break
        answer.begin_body()
        body = _body_of(client, answer)
    else:
        answer.take(body)
        answer.end_body()
    return _difference(answer.facts, whole.facts)


def _cut_object(
    client: FlaskClient, draw: random.Random, whole: ReceivedAnswer, _: bytes
) -> str | None:
    """Ask for what is left of texts of which some characters were received."""
    answer = ReceivedAnswer(whole.request)
    answer.texts = [text[: draw.randrange(len(text) + 1)] for text in whole.texts]
    answer.take(_body_of(client, answer))
    answer.end_body()
    found, known = answer.facts, whole.facts
    # What came with the characters that were received is not told again.
    known["logprobs"] = [
        entries[len(entries) - len(rest) :]
        for entries, rest in zip(known["logprobs"], found["logprobs"], strict=True)
    ]
    return _difference(found, known)


def _difference(found: dict[str, Any], known: dict[str, Any]) -> str | None:
    for name, value in known.items():
        if found[name] != value:
            return f"{name} {found[name]!r} instead of {value!r}"
    return None


@contextmanager
def running_client(path: BackendName) -> Iterator[FlaskClient]:
    """Client of a service in this process, which computes by a backend."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as ops_socket,
    ):
        save_checkpoint(2, 64, Path(folder) / SUBWORDS, kind="bpe")
        settings = Settings(checkpoints=Path(folder), path=path, threads=1, default_model="verse")
        service = Service(settings, ops_socket)
        service.start()
        try:
            yield service.app.test_client()
        finally:
            service.stop()


def num_failed(client: FlaskClient, model: str, seed: int, count: int) -> int:
    """Run so many cases of a seed with a model, print those that fail, and count them."""
    failed = 0
    for number in range(count):
        draw = random.Random(f"{seed}:{number}")
        fault = fault_of_case(client, draw, poems=POEMS[model], model=model)
        if fault is not None:
            failed += 1
            print(f"case {seed}:{number}: {fault}")
    return failed


def main() -> int:
    """Run the cases and print what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="cases of each seed")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    all_failed = 0
    for model, path, share in SIDES:
        count = int(share * options.count)
        with running_client(path) as client:
            for seed in range(options.first, options.first + options.seeds):
                begun = time.monotonic()
                failed = num_failed(client, model, seed, count)
                seconds = time.monotonic() - begun
                told = f"{count} cases, {failed} failed ({seconds:.0f} s)"
                print(f"{model}, {path}, seed {seed}: {told}", flush=True)
                all_failed += failed
    return 1 if all_failed else 0


if __name__ == "__main__":
    sys.exit(main())
