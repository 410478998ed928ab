"""A broken answer goes on with the next byte: by what was received, or by the last event's id."""

import json
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from document_blocks import blocks_of
from flask.testing import FlaskClient
from fuzz_resuming import fault_of_case

if TYPE_CHECKING:
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]

JSON, EVENTS = {"Accept": "application/json"}, {"Accept": "text/event-stream"}
FIELDS: dict[str, Any] = {"prompt": "The moon", "seed": 4, "max_tokens": 60}
SAMPLING: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0},
    {"top_k": 8, "top_p": 0.9, "repetition_penalty": 1.3, "penalty_window": 20},
    {"stop": ["e\n", " th"], "min_tokens": 20},
    {"echo": True},
    {"max_lines": 2, "echo": True},
    {"soft_end": 20},
    {"avoid": ["the", "of"]},
    {"min_tokens": 60, "logit_bias": {"e": -2.0}},
)
HAIKU = {"form": "haiku", "title": "The sea", "seed": 7}


def ask(
    client: FlaskClient, fields: dict[str, Any], path: str = "/v1/generate", **headers: str
) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, data=json.dumps(fields), headers=named)


def events(stream: str) -> list[tuple[str, Any]]:
    """Id and content of each event."""
    found, event_id = [], ""
    for line in stream.split("\n"):
        if line.startswith("id: "):
            event_id = line.removeprefix("id: ")
        elif line.startswith("data: {"):
            found.append((event_id, json.loads(line.removeprefix("data: "))))
    return found


def told(stream: str, index: int = 0) -> dict[str, Any]:
    """What the events tell of one text, put together."""
    pieces = [each for _, each in events(stream) if each.get("index") == index and "text" in each]
    return {
        "text": "".join(each["text"] for each in pieces),
        "logprobs": [entry for each in pieces for entry in each.get("logprobs", [])],
        "end": [(p["finish_reason"], p["stop_reason"]) for p in pieces if "finish_reason" in p],
        "usage": events(stream)[-1][1]["usage"],
    }


@pytest.mark.parametrize("sampling", SAMPLING, ids=lambda fields: "-".join(fields) or "plain")
def test_plain_text_goes_on_at_any_character(client: FlaskClient, sampling: dict[str, Any]) -> None:
    fields = {**FIELDS, **sampling}
    whole = ask(client, fields).text
    draw = random.Random(str(sampling))
    for cut in {0, 1, 5, len(whole), *(draw.randrange(len(whole) + 1) for _ in range(5))}:
        assert ask(client, {**fields, "received": whole[:cut]}).text == whole[cut:]


@pytest.mark.parametrize("sampling", SAMPLING, ids=lambda fields: "-".join(fields) or "plain")
def test_events_go_on_behind_the_last_one_that_was_read(
    client: FlaskClient, sampling: dict[str, Any]
) -> None:
    """By its id alone, the seed included, or by the text; also log probabilities and the end."""
    fields = {**FIELDS, **sampling, "logprobs": 1}
    stream = ask(client, fields, Accept="text/event-stream").text
    whole, every = told(stream), events(stream)
    seedless = {name: value for name, value in fields.items() if name != "seed"}
    for number in range(0, len(every) - 1, max(1, len(every) // 5)):
        if "finish_reason" in every[number][1]:  # nothing is left but that end
            continue
        event_id = every[number][0]
        read = "".join(each.get("text", "") for _, each in every[: number + 1])
        had = [e for _, each in every[: number + 1] for e in each.get("logprobs", ())]
        by_id = ask(client, seedless, Accept="text/event-stream", Last_Event_ID=event_id)
        by_text = ask(client, {**fields, "received": read}, Accept="text/event-stream")
        for rest in (told(by_id.text), told(by_text.text)):
            assert rest["text"] == whole["text"].removeprefix(read)
            assert had + rest["logprobs"] == whole["logprobs"]
            assert (rest["end"], rest["usage"]) == (whole["end"], whole["usage"])


def test_json_gives_what_is_left(client: FlaskClient) -> None:
    (whole,) = ask(client, FIELDS, **JSON).json["choices"]
    asked = {**FIELDS, "received": whole["text"][:11]}
    (rest,) = ask(client, asked, **JSON).json["choices"]
    assert rest == {**whole, "text": whole["text"][11:]}


def test_several_texts_go_on_each_from_its_own_place(client: FlaskClient) -> None:
    fields = {**FIELDS, "n": 2, "logprobs": 0, "echo": True}
    wholes = ask(client, fields, **JSON).json["choices"]
    had = [wholes[0]["text"][:20], wholes[1]["text"][:3]]
    rest = ask(client, {**fields, "received": had}, **JSON).json["choices"]
    assert [each["text"] for each in rest] == [
        whole["text"].removeprefix(each) for whole, each in zip(wholes, had, strict=True)
    ]
    assert rest[1]["logprobs"] == wholes[1]["logprobs"]
    assert rest[0]["logprobs"] == wholes[0]["logprobs"][20 - len(FIELDS["prompt"]) :]


@pytest.mark.parametrize(
    "fields",
    [
        {"logprobs": 1},
        {"echo": True},
        {"echo": True, "logprobs": 2},
        {"prompt": ["The moon", "A sea"], "logprobs": 1},
    ],
)
def test_completions_go_on_as_well(client: FlaskClient, fields: dict[str, Any]) -> None:
    asked = {"prompt": "The moon", "seed": 3, "max_tokens": 30, "temperature": 0.8, **fields}
    wholes = ask(client, asked, "/v1/completions").json["choices"]
    draw = random.Random(str(fields))
    for _ in range(4):
        cuts = [draw.randrange(len(each["text"]) + 1) for each in wholes]
        had = [each["text"][:cut] for each, cut in zip(wholes, cuts, strict=True)]
        received = had if len(had) > 1 else had[0]
        rest = ask(client, {**asked, "received": received}, "/v1/completions").json["choices"]
        for whole, left, cut in zip(wholes, rest, cuts, strict=True):
            assert left["text"] == whole["text"][cut:]
            assert left["finish_reason"] == whole["finish_reason"]
            if left["logprobs"] is not None:
                offsets = whole["logprobs"]["text_offset"]
                first = sum(offset < cut for offset in offsets)
                expected = {name: values[first:] for name, values in whole["logprobs"].items()}
                assert left["logprobs"] == expected


def test_a_stream_of_chunks_goes_on_behind_an_events_id(client: FlaskClient) -> None:
    fields = {"prompt": "The moon", "seed": 3, "max_tokens": 4000, "stream": True, "logprobs": 0}
    fields["min_tokens"] = 4000
    every = events(ask(client, fields, "/v1/completions").text)
    event_id, _ = every[1]
    rest = events(ask(client, fields, "/v1/completions", Last_Event_ID=event_id).text)
    texts = [
        "".join(choice["text"] for _, chunk in each for choice in chunk["choices"])
        for each in (every[2:], rest)
    ]
    assert texts[0] == texts[1]


def test_a_poem_goes_on_at_any_character_and_behind_any_line(client: FlaskClient) -> None:
    whole = ask(client, HAIKU, "/v1/poems").text
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        assert ask(client, {**HAIKU, "received": whole[:cut]}, "/v1/poems").text == whole[cut:]
    stream = ask(client, HAIKU, "/v1/poems", Accept="text/event-stream").text
    (_, opening), *lines, (_, ending) = events(stream)
    for number, (event_id, _) in enumerate(lines, start=1):
        headers = {"Accept": "text/event-stream", "Last_Event_ID": event_id}
        again = events(
            ask(client, {"form": "haiku", "title": "The sea"}, "/v1/poems", **headers).text
        )
        assert [each for _, each in again[1:-1]] == [each for _, each in lines[number:]]
        assert again[-1][1] == ending
        assert again[0][1]["seed"] == opening["seed"]
    other = {**HAIKU, "received": "Another line\n"}
    assert ask(client, other, "/v1/poems", **JSON).status_code == 409


@pytest.mark.parametrize(
    ("fields", "headers", "param", "said"),
    [
        ({"received": "abc", "seed": None}, {}, "seed", "is needed"),
        ({"received": ["a", "b"]}, {}, "received", "must be 1 text, got 2"),
        ({"received": "\u16a0"}, {}, "received", "does not write"),
        ({"received": "\ud800"}, {}, "received", "half a surrogate pair"),
        ({"received": "Another", "echo": True}, {}, "received", "does not begin with the prompt"),
        ({"received": "abc", "max_tokens": 2}, {}, "received", "has ended"),
        ({}, {"Last_Event_ID": "17"}, "Last-Event-ID", "is no id of an event from here"),
        ({}, {"Last_Event_ID": "5.{0}.3"}, "seed", "must be 5"),
        ({}, {"Last_Event_ID": "4.{0}.3-4"}, "Last-Event-ID", "is of 2 texts"),
    ],
)
def test_what_cannot_be_gone_on_with_is_told(
    client: FlaskClient, fields: dict[str, Any], headers: dict[str, str], param: str, said: str
) -> None:
    fingerprint = ask(client, FIELDS).headers["X-Strophe-Fingerprint"]
    known = {name: value.format(fingerprint) for name, value in headers.items()}
    answer = ask(client, {**FIELDS, **fields}, **known)
    assert answer.status_code == 400
    assert answer.json["error"]["param"] == param
    assert said in answer.json["error"]["message"]


def test_more_texts_than_can_ever_go_on_are_refused_with_the_bound(client: FlaskClient) -> None:
    """Each is a request of its own then: with room for three they would wait for ever."""
    fields = {"prompt": ["The moon", "A sea"], "n": 2, "seed": 3, "max_tokens": 20}
    wholes = ask(client, fields, "/v1/completions").json["choices"]
    had = [each["text"][:5] for each in wholes]
    answer = ask(client, {**fields, "received": had}, "/v1/completions")
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == (
        "received: is of 4 texts, at most 3 can go on at once here"
    )


def test_another_checkpoint_is_a_conflict(client: FlaskClient) -> None:
    event_id = "4.fp_0123abcd.3"
    answers = [
        ask(client, FIELDS, Last_Event_ID=event_id),
        ask(client, {**FIELDS, "received": "abc", "fingerprint": "fp_0123abcd"}),
        ask(client, {**HAIKU, "fingerprint": "fp_0123abcd"}, "/v1/poems"),
    ]
    for answer in answers:
        assert answer.status_code == 409
        assert answer.json["error"]["code"] == "fingerprint_differs"
        assert answer.json["error"]["param"] == "fingerprint"


def test_a_text_that_is_written_again_and_is_another_is_a_conflict(client: FlaskClient) -> None:
    fields = {**FIELDS, "avoid": ["the"], "received": "qqq", "min_tokens": 60}
    answer = ask(client, fields, **JSON)
    assert answer.status_code == 409
    assert answer.json["error"]["code"] == "received_differs"


def test_random_requests_go_on_wherever_their_bytes_are_cut(client: FlaskClient) -> None:
    """Thousands by two backends and a subword model: python benchmarks/fuzz_resuming.py."""
    cases = [random.Random(f"1:{number}") for number in range(40)]
    faults = [fault_of_case(client, draw, max_texts=2) for draw in cases]
    assert [fault for fault in faults if fault is not None] == []


class BreakingProxy:
    """Proxy that cuts each of its first connections after some bytes of the answer."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.num_cut = 0
        self._upstream, self._cuts = port, list(cuts)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        left = self._cuts.pop(0) if self._cuts else None
        upstream = socket.create_connection(("127.0.0.1", self._upstream))
        threading.Thread(target=self._send_on, args=(client, upstream), daemon=True).start()
        with client, upstream:
            while piece := upstream.recv(4096):
                if left is not None and len(piece) >= left:
                    client.sendall(piece[:left])
                    self.num_cut += 1
                    break
                left = None if left is None else left - len(piece)
                client.sendall(piece)
            # Closing alone ends nothing while the other thread still reads from it.
            client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _send_on(client: socket.socket, upstream: socket.socket) -> None:
        try:
            while piece := client.recv(4096):
                upstream.sendall(piece)
        except OSError:
            pass  # cut


@pytest.fixture
def breaking(lasting_server: "Server") -> Iterator[BreakingProxy]:
    proxy = BreakingProxy(lasting_server.port, [150, 480, 520, 500, 560])
    yield proxy
    proxy.listener.close()


API = Path(__file__).parent.parent / "docs" / "api.md"
RUNS = {"python": [sys.executable, "-"], "js": ["node", "--input-type=module", "-"]}


@pytest.mark.slow
@pytest.mark.parametrize("language", RUNS)
def test_the_documents_clients_lose_and_double_nothing(
    breaking: BreakingProxy, language: str
) -> None:
    """The connection breaks some times, amid headers, events and lines."""
    if shutil.which(RUNS[language][0]) is None:
        pytest.skip(f"{RUNS[language][0]} is not installed")
    blocks = blocks_of(API)
    number = next(
        i
        for i, block in enumerate(blocks)
        if block.language == language and ("received" in block.text or "Last-Event" in block.text)
    )
    typed = re.sub(r"127\.0\.0\.1:8000", f"127.0.0.1:{breaking.port}", blocks[number].text)
    run = subprocess.run(
        RUNS[language], input=typed, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.rstrip("\n") == blocks[number + 1].text.rstrip("\n")
    assert breaking.num_cut >= 3
