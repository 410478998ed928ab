"""Copy reports over HTTP: what a text copies is told at its end, in every form, or refused."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from model import checkpoint as checkpoints
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.errors import CheckpointError
from model.extra_files import COPIES
from model.parameters import SamplingParams
from service.server.service_process import Service
from service.settings import Settings
from training.data.copy_indexing import copy_index_of
from training.data.document_store import StoredText

pytest_plugins = ["service_fixtures"]

FIELDS = {"model": "copier", "prompt": "The moon", "seed": 3, "max_tokens": 200, "min_tokens": 200}
PLANTED = "Whoever says this line again has it from where it stood before"
CUT = 120  # characters of the text that stand in the training text


@pytest.fixture(scope="module")
def written(tiny_checkpoint: Path) -> str:
    """The text that the model writes for FIELDS."""
    loaded = checkpoints.load(tiny_checkpoint)
    fields = {name: value for name, value in FIELDS.items() if name not in {"model", "prompt"}}
    params = SamplingParams.checked(**fields)
    pieces = generate(decoder_of(loaded.network), loaded.tokenizer, "The moon", params)
    return "".join(piece.text for piece in pieces)


@pytest.fixture(scope="module")
def service(
    worded_checkpoint: Path, written: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with `tiny`, and `copier`, which has learned by heart how its text begins."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name in ("tiny", "copier"):
        shutil.copytree(worded_checkpoint, folder / name)
    documents = [f"Another\n\npoem\n{PLANTED}", f"LEARNED\n\nBy heart\n{written[:CUT]}"]
    index = copy_index_of(
        StoredText(text, True, "poems.txt", number) for number, text in enumerate(documents, 1)
    )
    checkpoints.add_file(folder / "copier", COPIES, index.serialized, facts={}, card="# A test\n")
    settings = Settings(checkpoints=folder, max_streams=4, threads=1, default_model="tiny")
    with socket.create_server(("127.0.0.1", 0)) as ops_socket:
        running = Service(settings, ops_socket, shipped=tmp_path_factory.mktemp("nothing"))
        running.start()
        yield running
        running.stop()


def events(body: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def assert_told(report: dict[str, Any], text: str, offset: int = 0) -> None:
    """The beginning of the text is told to be copied, with its place."""
    assert report["verdict"] == "rejected"
    run = report["longest"]
    assert report["flagged"][0] == run
    assert run["text"] == text[run["start"] : run["start"] + len(run["text"])]
    assert run["start"] - offset < 12  # to the first letter
    assert CUT - 12 <= run["start"] - offset + len(run["text"]) <= CUT + 12  # to the last
    assert (run["file"], run["document"], run["title"]) == ("poems.txt", 2, "LEARNED")
    assert run["line"] in {3, 4}  # a letter more, by chance, is of the line before


ACCEPT = {"Accept": "application/json"}
STREAM = {"Accept": "text/event-stream"}


def test_generate_tells_the_copies_of_each_text(client: FlaskClient, written: str) -> None:
    fields = {**FIELDS, "n": 2, "copies": True}
    first, second = client.post("/v1/generate", json=fields, headers=ACCEPT).get_json()["choices"]
    assert first["text"] == written
    assert_told(first["copies"], written)
    assert second["copies"] == {"verdict": "clear", "longest": None, "flagged": []}


def test_the_prompt_counts_where_it_is_given_back(client: FlaskClient, written: str) -> None:
    fields = {**FIELDS, "echo": True, "copies": True}
    (choice,) = client.post("/v1/generate", json=fields, headers=ACCEPT).get_json()["choices"]
    assert choice["text"] == "The moon" + written
    assert_told(choice["copies"], choice["text"], offset=len("The moon"))


@pytest.mark.parametrize("echo", [False, True])
def test_a_stream_tells_them_in_the_last_piece_of_each_text(
    client: FlaskClient, written: str, echo: bool
) -> None:
    fields = {**FIELDS, "n": 2, "copies": True, "echo": echo}
    whole = client.post("/v1/generate", json=fields, headers=ACCEPT).get_json()["choices"]
    streamed = events(client.post("/v1/generate", json=fields, headers=STREAM).text)
    told = [each for each in streamed if "copies" in each]
    assert all("finish_reason" in each for each in told)
    reports = {each["index"]: each["copies"] for each in told}
    assert reports == {each["index"]: each["copies"] for each in whole}
    assert_told(reports[0], whole[0]["text"], offset=8 if echo else 0)


@pytest.mark.parametrize("more", [{}, {"echo": True}, {"n": 2}])
def test_completions_tell_them_in_a_whole_answer_and_in_a_stream(
    client: FlaskClient, written: str, more: dict[str, Any]
) -> None:
    fields = {**FIELDS, **more, "temperature": 0.8, "copies": True}
    whole = client.post("/v1/completions", json=fields).get_json()["choices"]
    assert_told(whole[0]["copies"], whole[0]["text"], offset=8 if "echo" in more else 0)
    body = client.post("/v1/completions", json={**fields, "stream": True}).text
    choices = [choice for each in events(body) for choice in each["choices"]]
    told = {each["index"]: each["copies"] for each in choices if "copies" in each}
    assert told == {each["index"]: each["copies"] for each in whole}


def test_of_several_the_best_is_told_of(client: FlaskClient) -> None:
    fields = {**FIELDS, "temperature": 0.8, "best_of": 3, "copies": True}
    (choice,) = client.post("/v1/completions", json=fields).get_json()["choices"]
    assert set(choice["copies"]) == {"verdict", "longest", "flagged"}


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/completions"])
def test_nothing_is_told_where_it_was_not_asked_for(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json={**FIELDS, "max_tokens": 9, "min_tokens": 9}, headers=ACCEPT)
    assert "copies" not in answer.get_json()["choices"][0]


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/completions"])
def test_a_model_without_an_index_refuses_by_name(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json={"model": "tiny", "copies": True}, headers=ACCEPT)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["param"]) == (400, "copies")
    assert "the model tiny has no index of its training text" in error["message"]


def test_plain_text_has_no_place_for_them(client: FlaskClient) -> None:
    answer = client.post("/v1/generate", json={**FIELDS, "copies": True})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["param"]) == (400, "copies")
    assert "text/event-stream or application/json" in error["message"]


def test_a_checkpoint_whose_tables_are_spoilt_is_not_offered(
    service: Service, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "spoilt"))
    head = {"format": 1, "letters": 4, "documents": 1, "lines": 1, "tables": 0, "signature": 1}
    content = json.dumps(head).encode() + b"\n\0"
    checkpoints.add_file(folder, COPIES, content, facts={}, card="")
    with pytest.raises(CheckpointError, match="tables cannot be read"):
        service._load(folder)


def test_an_analysis_tells_what_a_text_copies(client: FlaskClient) -> None:
    text = f"the moon\n{PLANTED}"
    answer: Any = client.post("/v1/analyze", json={"text": text, "model": "copier"}).json
    assert answer["copied"]["verdict"] == "rejected"
    longest = answer["copied"]["longest"]
    assert (longest["text"], longest["document"], longest["line"]) == (PLANTED, 1, 4)
    for fields in ({"model": "tiny"}, {}):
        other: Any = client.post("/v1/analyze", json={"text": text, **fields}).json
        assert other == {**answer, "copied": None}


@pytest.mark.parametrize(("name", "verdict"), [("copier", "rejected"), ("tiny", None)])
def test_the_report_of_a_poem_tells_what_its_locked_lines_copy(
    client: FlaskClient, name: str, verdict: str | None
) -> None:
    fields = {"model": name, "spec": {"stanzas": [[{"text": PLANTED}]]}, "seed": 1}
    response = client.post("/v1/poems", json=fields, headers={"Accept": "application/json"})
    copied = (response.json or {})["report"]["copied"]
    assert (None if copied is None else copied["verdict"]) == verdict
