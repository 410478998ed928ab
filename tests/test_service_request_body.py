"""Request bodies: a wrong one is refused in the one shape, with a 4xx, and nothing breaks."""

import json
from typing import Any

import pytest
from flask import Request
from flask.testing import FlaskClient
from werkzeug.test import create_environ

from service.api.generate import GenerateRequest
from service.api.request_body import json_object
from service.error_answers import ApiError

pytest_plugins = ["service_fixtures"]


def refused(response: Any, status: int = 400) -> dict[str, Any]:
    """The error, once its shape is checked."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert set(response.json) == {"error"}
    error: dict[str, Any] = response.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert 0 < len(response.get_data()) < 4000
    assert "Traceback" not in error["message"]
    return error


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b'{"prompt": "a"',
        b"[]",
        b"null",
        b'"text"',
        b"3",
        b"prompt=a",
        b'{"temperature": NaN}',
        b'{"temperature": Infinity}',
        b'{"temperature": -Infinity}',
        b'{"temperature": 1e400}',
        b'{"seed": ' + b"9" * 5000 + b"}",
        b'{"seed": 1, "seed": 2}',
        b"[" * 9000,
        b'{"prompt": ' + b"[" * 9000,
        b'{"prompt": "\xff"}',
        b'{"prompt": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"model": "a", "logit_bias": {"\\ud800": 1}}',
        b'{"prompt": "a"} trailing',
        b"\x1f\x8b\x08\x00",
    ],
)
def test_a_body_that_is_no_request_is_refused(client: FlaskClient, body: bytes) -> None:
    response = client.post("/v1/generate", data=body)
    refused(response, 404 if b'"model"' in body else 400)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", 5),
        ("prompt", ["a"]),
        ("max_tokens", True),
        ("max_tokens", "5"),
        ("max_tokens", 5.0),
        ("max_tokens", -1),
        ("max_tokens", 50_001),
        ("max_tokens", 1e400),
        ("min_tokens", -1),
        ("temperature", -0.1),
        ("temperature", 10.1),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_k", -1),
        ("top_p", 0),
        ("top_p", 1.1),
        ("min_p", -0.1),
        ("typical_p", 0),
        ("repetition_penalty", 0),
        ("frequency_penalty", 2.1),
        ("presence_penalty", -2.1),
        ("penalty_window", 0),
        ("logit_bias", [1]),
        ("logit_bias", {"a": 101}),
        ("logit_bias", {"ab": 1}),
        ("logit_bias", {"\u6f22": 1}),
        ("logit_bias", {"": 1}),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 0.5),
        ("stop", [""]),
        ("stop", ["a"] * 17),
        ("stop", ["a" * 201]),
        ("stop", [1]),
        ("stop", {"a": 1}),
        ("n", 0),
        ("n", 17),
        ("n", 3),  # more than this service has slots
        ("n", True),
        ("echo", 1),
        ("logprobs", 21),
        ("logprobs", True),
        ("model", 1),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(
    client: FlaskClient, field: str, value: object
) -> None:
    response = client.post(
        "/v1/generate", data=json.dumps({field: value}), headers={"Accept": "application/json"}
    )
    refused(response)
    if value != float("inf"):
        assert response.get_json()["error"]["param"].split(".")[0] == field


def test_an_unknown_field_is_refused_with_the_allowed_ones(client: FlaskClient) -> None:
    error = refused(client.post("/v1/generate", data='{"temprature": null}'))
    assert error["param"] == "temprature"
    assert all(name in error["message"] for name in GenerateRequest.model_fields)


def test_a_long_unknown_field_is_not_repeated_at_length(client: FlaskClient) -> None:
    refused(client.post("/v1/generate", data=json.dumps({"x" * 15_000: 1})))


def test_an_unknown_model_is_not_found(client: FlaskClient) -> None:
    error = refused(client.post("/v1/generate", data='{"model": "gpt"}'), 404)
    assert (error["param"], error["code"]) == ("model", "model_not_found")


@pytest.mark.parametrize("model", ["../tiny", "tiny/..", "", ".", "\x00", "%2e"])
def test_no_model_name_reaches_the_file_system(client: FlaskClient, model: str) -> None:
    refused(client.post("/v1/generate", data=json.dumps({"model": model})), 404)


def test_a_prompt_that_is_too_long_is_refused(client: FlaskClient) -> None:
    error = refused(client.post("/v1/generate", data=json.dumps({"prompt": "a" * 1001})), 413)
    assert (error["param"], error["code"]) == ("prompt", "prompt_too_long")


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    refused(client.post("/v1/generate", data=b" " * 20_001), 413)


@pytest.mark.parametrize("field", [{"n": 2}, {"logprobs": 1}])
def test_plain_text_refuses_what_it_has_no_place_for(
    client: FlaskClient, field: dict[str, int]
) -> None:
    error = refused(client.post("/v1/generate", data=json.dumps(field)))
    assert error["param"] == next(iter(field))


def test_an_answer_in_no_known_form_is_refused(client: FlaskClient) -> None:
    refused(client.post("/v1/generate", data="{}", headers={"Accept": "image/png"}), 406)


def test_a_compressed_body_is_refused(client: FlaskClient) -> None:
    refused(client.post("/v1/generate", data="{}", headers={"Content-Encoding": "gzip"}), 415)


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "?"]
)
def test_any_content_type_is_read_as_json(client: FlaskClient, content_type: str) -> None:
    response = client.post("/v1/generate", data='{"max_tokens": 1}', content_type=content_type)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/v2", "/v1", "/v1//models", "/static/x", "/v1/%2e%2e/etc"])
def test_an_unknown_path_is_not_found(client: FlaskClient, path: str) -> None:
    refused(client.get(path), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_and_the_right_one_told(client: FlaskClient, method: str) -> None:
    response = client.open("/v1/generate", method=method)
    assert "POST" in response.headers["Allow"]
    refused(response, 405)


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/models", "/healthz"])
def test_head_and_options_are_harmless(client: FlaskClient, path: str) -> None:
    assert client.head(path).status_code in (200, 405)
    assert client.options(path).status_code == 200


def test_the_service_still_writes_after_all_this(client: FlaskClient) -> None:
    assert client.post("/v1/generate", data='{"max_tokens": 3, "min_tokens": 3}').text


def test_one_key_twice_among_very_many_is_found_without_delay() -> None:
    """Each name was counted in all of them: minutes, for a body of the size that is taken."""
    names = [f'"{index:x}":0' for index in range(200_000)]
    body = "{" + ",".join([*names, names[-1]]) + "}"
    request = Request(create_environ(method="POST", data=body))
    with pytest.raises(ApiError, match="is there twice"):
        json_object(request)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain;charset=iso-8859-1",
        "no type at all",
        "",
    ],
)
@pytest.mark.parametrize("route", ["/v1/generate", "/v1/completions", "/v1/score", "/tokenize"])
def test_a_body_is_json_whatever_its_content_type_says(
    client: FlaskClient, route: str, content_type: str
) -> None:
    name = "text" if route == "/v1/score" else "prompt"
    body = json.dumps({name: "caf\u00e9"}, ensure_ascii=False).encode()
    answer = client.post(route, data=body, headers={"Content-Type": content_type})
    assert answer.status_code == 200
