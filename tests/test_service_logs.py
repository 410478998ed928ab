"""Log lines: one a request, JSON, and nothing in them that a client could use."""

import json
import logging
import logging.config
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from waiting import wait_until

from service.observability.logs import (
    MAX_TEXT,
    MAX_TRACEBACK,
    RepeatFilter,
    printable,
    standard_logging,
)

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "gunicorn.error", "opentelemetry")]
    before = [(each.handlers[:], each.level, each.propagate) for each in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_a_request_is_one_line_with_what_it_cost(client: FlaskClient) -> None:
    with capture_logs() as logs:
        response = client.post(
            "/v1/generate", data='{"max_tokens": 3, "min_tokens": 3}', buffered=True
        )
        response.close()
    (line,) = logs
    assert line["id"] == response.headers["X-Request-Id"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/generate", 200)
    assert (line["tokens"], line["outcome"]) == (3, "length")
    assert (line["model"], line["prompt_tokens"]) == ("tiny", 0)
    assert (line["client"], line["bytes"]) == ("127.0.0.1", len(response.get_data()))
    assert 0 <= line["queue_seconds"] <= line["first_token_seconds"] <= line["seconds"]
    assert "failure" not in line
    assert "abandoned" not in line


def test_control_characters_of_a_path_do_not_reach_the_log(client: FlaskClient) -> None:
    with capture_logs() as logs:
        client.get("/a%0d%0aforged%1b[2J%E2%80%A8").close()
    assert logs[0]["path"] == "/a??forged?[2J?"


def test_what_is_logged_of_a_client_is_short() -> None:
    assert len(printable("a" * 10_000)) == 200


@pytest.mark.usefixtures("_logging_as_before")
def test_lines_of_other_libraries_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(standard_logging("info"))
    logging.getLogger("gunicorn.error").error("two\nlines")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("two?lines", "error")


def lines_on(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("_logging_as_before")
def test_a_traceback_is_one_bounded_line_without_what_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.config.dictConfig(standard_logging("info"))
    try:
        raise ValueError("\x1b[2J\u2028" + "long " * 100_000 + "the end")
    except ValueError:
        logging.getLogger("gunicorn.error").exception("it failed")
    (line,) = lines_on(capsys)
    assert len(line["exception"]) <= MAX_TRACEBACK
    assert line["exception"].startswith("Traceback ")
    assert all(char.isprintable() or char == "\n" for char in line["exception"])


@pytest.mark.usefixtures("_logging_as_before")
def test_an_ordinary_traceback_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(standard_logging("info"))
    try:
        raise ValueError("mind\x1bthis")
    except ValueError:
        logging.getLogger("werkzeug").exception("it failed")
    (line,) = lines_on(capsys)
    shown = line["exception"].split("\n")
    assert (shown[0], shown[-1]) == (
        "Traceback (most recent call last):",
        "ValueError: mind?this",
    )


@pytest.mark.usefixtures("_logging_as_before")
def test_a_library_that_says_the_same_over_and_over_is_heard_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.config.dictConfig(standard_logging("info"))
    log = logging.getLogger("opentelemetry.exporter.of.something")
    for number in range(100):
        log.error("attempt %s failed", number)
        log.warning("something else: %s", number)
    assert [line["event"] for line in lines_on(capsys)] == [
        "attempt 0 failed",
        "something else: 0",
    ]


def test_what_is_said_seldom_is_said_again_after_a_while() -> None:
    times = iter((0.0, 599.0, 600.0, 601.0))
    seldom = RepeatFilter(clock=lambda: next(times))
    record = logging.makeLogRecord({"name": "x", "msg": "down"})
    assert [seldom.filter(record) for _ in range(4)] == [True, False, True, False]


def test_the_end_of_a_thread_by_an_error_and_a_warning_are_json_too() -> None:
    code = """
import logging.config, threading, warnings
from service.observability.logs import configure_logs, standard_logging
logging.config.dictConfig(standard_logging("info"))
configure_logs("info")
def fail(): raise ValueError("in a thread")
thread = threading.Thread(target=fail, name="watcher")
thread.start()
thread.join()
warnings.warn("mind this")
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=30, capture_output=True, text=True
    )
    first, second = (json.loads(line) for line in ended.stderr.splitlines())
    assert (first["event"], first["thread"]) == ("thread_error", "watcher")
    assert first["exception"].endswith("ValueError: in a thread")
    assert "mind this" in second["event"]


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """Says all that it can say."""
    return start_server(STROPHE_LOG_LEVEL="debug")


FORGED = b'{"event": "forged"}'
HEAD = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"GET /%0D%0A" + FORGED.replace(b" ", b"%20") + HEAD + b"\r\n",
        b"GET /%1B%5B31mred%1B%5D0;title%07" + HEAD + b"\r\n",
        b"GET /%E2%80%A8%E2%80%AE%C2%85%ED%A0%80%FF" + HEAD + b"\r\n",
        b"GET /" + b"a" * 3_900 + HEAD + b"\r\n",
        b"GET /" + b"a" * 20_000 + HEAD + b"\r\n",
        b"GET /\x1b[31m\xff" + HEAD + b"\r\n",
        b"GET / " + FORGED + b"\r\n\r\n",
        b"\x1b[2J\x07\xff\xfe nonsense\r\n\r\n",
        b"G\x1bT /" + HEAD + b"\r\n",
        b"BREWCOFFEE /v1/models" + HEAD + b"\r\n",
        b"GET /" + HEAD + b"User-Agent: \x1b[31m\xe2\x80\xa8\x85\t" + FORGED + b"\r\n\r\n",
        b"GET /" + HEAD + b"User-Agent: " + b"m" * 8_000 + b"\r\n\r\n",
        b"GET /" + HEAD + b"Bad\x1bName: 1\r\n\r\n",
        b"GET /" + HEAD + b"X: 1\r\n " + FORGED + b"\r\n\r\n",
        b"GET /" + HEAD + b"traceparent: 00-\x1b[31m-x-01\r\n\r\n",
        b"GET /" + HEAD + b"X-Forwarded-For: \x1b[31m, " + FORGED + b"\r\n\r\n",
        b"GET http://\x1b[31m:\xff/" + HEAD + b"\r\n",
        b"POST /v1/generate" + HEAD + b"Content-Length: \x1b[31m\r\n\r\n",
        b"POST /v1/generate"
        + HEAD
        + b"Content-Length: 25\r\n\r\n"
        + b'{"model": "\\u001b\\ud800"}',
    ],
)
def test_nothing_that_a_client_sends_forges_or_fills_the_log(server: "Server", sent: bytes) -> None:
    seen = len(server.log)
    for port in (server.port, int(server.ops_url.rpartition(":")[2])):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while connection.recv(4096):
                    pass
    # Its line is written after its answer, and before that of the next.
    last = requests.get(server.url + "/v1/models", timeout=10).headers["X-Request-Id"]
    wait_until(lambda: last in server.log)
    for line in server.log[seen:].splitlines():
        facts = json.loads(line)
        assert facts["event"] != "forged"
        assert re.fullmatch(r"[ -~]+", line)
        assert len(line) < 4 * MAX_TEXT + MAX_TRACEBACK
        texts = [value for value in facts.values() if isinstance(value, str)]
        assert all(text.replace("\n", "").isprintable() for text in texts)


def test_the_master_process_does_not_load_torch() -> None:
    code = "import service.__main__, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
