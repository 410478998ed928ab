"""Log lines: one a request, JSON, and nothing in them that a client could use."""

import json
import logging
import logging.config
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from service.logs import printable, standard_logging

pytest_plugins = ["service_fixtures"]


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


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


def test_control_characters_of_a_path_do_not_reach_the_log(client: FlaskClient) -> None:
    with capture_logs() as logs:
        client.get("/a%0d%0aforged%1b[2J").close()
    assert logs[0]["path"] == "/a??forged?[2J"


def test_what_is_logged_of_a_client_is_short() -> None:
    assert len(printable("a" * 10_000)) == 200


@pytest.mark.usefixtures("_logging_as_before")
def test_lines_of_other_libraries_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(standard_logging("info"))
    logging.getLogger("gunicorn.error").error("two\nlines")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("two?lines", "error")


def test_the_master_process_does_not_load_torch() -> None:
    code = "import service.__main__, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
