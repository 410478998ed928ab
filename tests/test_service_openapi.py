"""The document tells every route there is, and every answer is as it tells."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from callers import ALICE, KEYS, bearer
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from service.api.generate import GenerateRequest
from service.openapi.document import template
from service.openapi.operations import OPERATIONS

if TYPE_CHECKING:
    from access_fixtures import MakeClient

pytest_plugins = ["access_fixtures"]

Document = dict[str, Any]
AUTOMATIC = {"HEAD", "OPTIONS"}  # Flask's own; the document says so in words
SHORT = {"prompt": "The moon", "seed": 1, "max_tokens": 12}
JSON, EVENTS = {"Accept": "application/json"}, {"Accept": "text/event-stream"}


@pytest.fixture
def document(client: FlaskClient) -> Document:
    got: Document = client.get("/openapi.json").get_json()
    return got


def schema_at(document: Document, path: str, method: str, status: str, content_type: str) -> Any:
    answers = document["paths"][path][method]["responses"]
    return answers[status]["content"][content_type]["schema"]


def problems(document: Document, schema: Any, instance: Any) -> list[str]:
    """Where an instance is not what a schema of the document says."""
    resource = DRAFT202012.create_resource(document)
    registry = Registry().with_resource("urn:document", resource)
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    validator = Draft202012Validator(absolute, registry=registry)
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(instance)]


def payloads(stream: str) -> Iterator[Any]:
    """The JSON of the events of a stream that is whole."""
    events = [line.removeprefix("data: ") for line in stream.split("\n") if line[:5] == "data:"]
    assert events[-1] == "[DONE]"
    return (json.loads(event) for event in events[:-1])


def test_the_document_is_openapi(document: Document, make_client: "MakeClient") -> None:
    validate(document)
    limited = make_client(api_keys=KEYS, rate_limit="9/minute", max_streams_per_client=1)
    validate(limited.get("/openapi.json").get_json())


def test_every_route_and_method_is_in_the_document_and_nothing_else(
    client: FlaskClient, document: Document
) -> None:
    there = {
        (method, template(rule.rule))
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - AUTOMATIC
    }
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert told == there
    assert len(OPERATIONS) == len(told)


def test_every_header_that_is_not_said_to_be_missing_is_there(
    client: FlaskClient, document: Document
) -> None:
    response = client.post("/v1/generate", json=SHORT)
    said = document["paths"]["/v1/generate"]["post"]["responses"]["200"]["headers"]
    assert set(said) <= set(response.headers.keys())
    assert {"X-Request-Id", "X-Strophe-Seed"} <= set(said)


@pytest.mark.parametrize("fields", [{}, {"logprobs": 2, "n": 2}, {"stop": "e", "echo": True}])
def test_answers_of_generate_are_as_the_document_says(
    client: FlaskClient, document: Document, fields: dict[str, Any]
) -> None:
    whole = client.post("/v1/generate", json=SHORT | fields, headers=JSON)
    schema = schema_at(document, "/v1/generate", "post", "200", "application/json")
    assert problems(document, schema, whole.get_json()) == []
    stream = client.post("/v1/generate", json=SHORT | fields, headers=EVENTS)
    event = {"$ref": "#/components/schemas/GenerateEvent"}
    assert [p for sent in payloads(stream.text) for p in problems(document, event, sent)] == []


@pytest.mark.parametrize(
    "fields",
    [{}, {"logprobs": 2, "echo": True}, {"prompt": ["a", "b"]}, {"stop": ["e"], "logprobs": 0}],
)
def test_answers_of_completions_are_as_the_document_says(
    client: FlaskClient, document: Document, fields: dict[str, Any]
) -> None:
    whole = client.post("/v1/completions", json=SHORT | fields)
    schema = schema_at(document, "/v1/completions", "post", "200", "application/json")
    assert problems(document, schema, whole.get_json()) == []
    options = {"stream": True, "stream_options": {"include_usage": True}}
    stream = client.post("/v1/completions", json=SHORT | fields | options)
    event = {"$ref": "#/components/schemas/CompletionEvent"}
    assert [p for sent in payloads(stream.text) for p in problems(document, event, sent)] == []


@pytest.mark.parametrize(
    "fields", [{}, {"logprobs": True, "top_logprobs": 1}, {"stop": ["e"], "n": 2}]
)
def test_answers_of_chats_are_as_the_document_says(
    client: FlaskClient, document: Document, fields: dict[str, Any]
) -> None:
    route, body = "/v1/chat/completions", {"messages": [{"role": "user", "content": "The moon"}]}
    sent = {**SHORT, **body, **fields}
    whole = client.post(route, json=sent)
    schema = schema_at(document, route, "post", "200", "application/json")
    assert problems(document, schema, whole.get_json()) == []
    options = {"stream": True, "stream_options": {"include_usage": True}}
    stream = client.post(route, json=sent | options)
    event = {"$ref": "#/components/schemas/ChatEvent"}
    assert [p for sent in payloads(stream.text) for p in problems(document, event, sent)] == []


@pytest.mark.parametrize(
    "fields", [{"units": [1]}, {"top": 0, "layer": 0}, {"text": "\u201cA\u201d \u2603"}]
)
def test_inspections_are_as_the_document_says(
    client: FlaskClient, document: Document, fields: dict[str, Any]
) -> None:
    body = {"text": "The moon"} | fields
    answer = client.post("/v1/inspect", json=body)
    schema = schema_at(document, "/v1/inspect", "post", "200", "application/json")
    assert problems(document, schema, answer.get_json()) == []
    sent = list(payloads(client.post("/v1/inspect", json=body, headers=EVENTS).text))
    assert len(sent) == 2
    event = {"$ref": "#/components/schemas/InspectEvent"}
    assert [p for each in sent for p in problems(document, event, each)] == []


@pytest.mark.parametrize("fields", [{}, {"logprobs": 2}, {"text": "\u201cA\u201d \u2603"}])
def test_scores_are_as_the_document_says(
    client: FlaskClient, document: Document, fields: dict[str, Any]
) -> None:
    answer = client.post("/v1/score", json={"text": "The moon"} | fields)
    schema = schema_at(document, "/v1/score", "post", "200", "application/json")
    assert problems(document, schema, answer.get_json()) == []


LOCKED = {"spec": {"stanzas": [[{"text": "the moon"}, {"syllables": 2}]]}, "seed": 1}


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ("/v1/poems", {"form": "haiku", "seed": 1, "alternatives": 1}),
        ("/v1/poems", LOCKED),
        ("/v1/analyze", {"text": "The moon \u6708\n\nis high"}),
        ("/v1/analyze", {"text": "The moon", "form": "acrostic", "word": "T"}),
        ("/v1/rhymes", {"word": "night"}),
    ],
)
def test_answers_of_verse_are_as_the_document_says(
    client: FlaskClient, document: Document, route: str, fields: dict[str, Any]
) -> None:
    whole = client.post(route, json=fields, headers=JSON)
    assert whole.status_code == 200, whole.text
    schema = schema_at(document, route, "post", "200", "application/json")
    assert problems(document, schema, whole.get_json()) == []


def test_events_of_poems_are_as_the_document_says(client: FlaskClient, document: Document) -> None:
    sent = list(payloads(client.post("/v1/poems", json=LOCKED, headers=EVENTS).text))
    assert len(sent) == 4
    event = {"$ref": "#/components/schemas/PoemEvent"}
    assert [p for each in sent for p in problems(document, event, each)] == []


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("/v1/forms", "/v1/forms"),
        ("/v1/models", "/v1/models"),
        ("/v1/models/{name}", "/v1/models/tiny"),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/tokenizer_info", "/tokenizer_info"),
    ],
)
def test_other_answers_are_as_the_document_says(
    client: FlaskClient, document: Document, route: str, path: str
) -> None:
    schema = schema_at(document, route, "get", "200", "application/json")
    assert problems(document, schema, client.get(path).get_json()) == []


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ("/tokenize", {"prompt": "\u201cA\u201d \u2603", "return_token_strs": True}),
        ("/tokenize", {"prompt": ""}),
        ("/detokenize", {"tokens": [0, 1, 5]}),
    ],
)
def test_answers_of_tokens_are_as_the_document_says(
    client: FlaskClient, document: Document, route: str, fields: dict[str, Any]
) -> None:
    schema = schema_at(document, route, "post", "200", "application/json")
    assert problems(document, schema, client.post(route, json=fields).get_json()) == []


@pytest.mark.parametrize("name", ["seed", "max_tokens", "top_k", "min_tokens", "n"])
def test_where_minus_one_means_left_out_the_document_says_so(
    client: FlaskClient, document: Document, name: str
) -> None:
    body = {"max_tokens": 1, name: -1}
    for route, model in (("completions", "CompletionRequest"), ("generate", "GenerateRequest")):
        said = problems(document, {"$ref": f"#/components/schemas/{model}"}, body)
        status = client.post(f"/v1/{route}", json=body).status_code
        assert (said == []) == (status == 200), route
        assert (status == 200) == (
            route == "completions" and name in ("seed", "max_tokens", "top_k")
        )


def test_an_answer_with_more_than_is_told_is_noticed(document: Document) -> None:
    entry = {"id": "a", "object": "model", "created": 1, "owned_by": "strophe"}
    entry |= {"purpose": None, "size": 3}
    said = problems(document, {"$ref": "#/components/schemas/ModelEntry"}, entry)
    assert said == ["[]: Additional properties are not allowed ('size' was unexpected)"]


GENERATE, COMPLETE, SHOW = "/v1/generate", "/v1/completions", "/v1/models/{name}"
CANCEL, POEMS = "/v1/generate/{job_id}/cancel", "/v1/poems"
LOST = {"spec": {"stanzas": [[{"text": "the sea"}, {"syllables": 2, "acrostic": "x"}]]}, "seed": 1}


@pytest.mark.parametrize(
    ("route", "path", "sent", "status"),
    [
        (GENERATE, GENERATE, {"data": "{"}, 400),
        (POEMS, POEMS, {"json": {"form": "haiku", "keywords": ["xyzzy"]}}, 422),
        (POEMS, POEMS, {"json": LOST, "headers": JSON}, 422),
        ("/v1/rhymes", "/v1/rhymes", {"json": {"word": "xqzt"}}, 422),
        (GENERATE, GENERATE, {"json": {"top_p": 2}}, 400),
        (GENERATE, GENERATE, {"json": {"model": "none"}}, 404),
        (GENERATE, GENERATE, {"headers": {"Accept": "image/png"}}, 406),
        (GENERATE, GENERATE, {"json": {"prompt": "a" * 1001}}, 413),
        (COMPLETE, COMPLETE, {"data": b" " * 20_001}, 413),
        (COMPLETE, COMPLETE, {"headers": {"Content-Encoding": "br"}}, 415),
        (CANCEL, "/v1/generate/x/cancel", {}, 404),
        (SHOW, "/v1/models/none", {}, 404),
        (SHOW, "/v1/models/a%0Ab", {}, 404),
        ("/docs/{asset}", "/docs/none", {}, 404),
    ],
)
def test_errors_are_as_the_document_says(
    client: FlaskClient, route: str, path: str, sent: dict[str, Any], status: int
) -> None:
    document = client.get("/openapi.json").get_json()
    (method,) = document["paths"][route]
    response = client.open(path, method=method.upper(), **sent)
    assert response.status_code == status
    schema = schema_at(document, route, method, str(status), "application/json")
    assert problems(document, schema, response.get_json()) == []
    assert problems(document, schema, {"error": {**response.get_json()["error"], "code": "x"}})


def test_every_example_is_a_request_of_its_schema_and_is_answered(
    client: FlaskClient, document: Document
) -> None:
    for path, item in document["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {})
        media = content.get("application/json", {"examples": {}})
        for example in media["examples"].values():
            assert problems(document, media["schema"], example["value"]) == []
            headers = {"Accept": example.get("x-accept", "*/*")}
            response = client.post(path, json=example["value"], headers=headers)
            assert response.status_code == 200, response.text


def test_examples_stay_within_the_settings(make_client: "MakeClient") -> None:
    document = make_client(max_tokens=5, max_streams=1).get("/openapi.json").get_json()
    media = document["paths"][COMPLETE]["post"]["requestBody"]["content"]["application/json"]
    bodies = [example["value"] for example in media["examples"].values()]
    assert [body["max_tokens"] for body in bodies] == [5, 5, 5]
    assert [said for body in bodies for said in problems(document, media["schema"], body)] == []


@pytest.mark.parametrize(
    "body",
    [
        dict.fromkeys(GenerateRequest.model_fields),
        {"stop": "one"},
        {"stop": ["one", "two"]},
        {"max_tokens": 50_000},
        {"n": 2},
    ],
)
def test_the_body_of_the_document_is_the_one_that_is_taken(
    client: FlaskClient, document: Document, body: dict[str, Any]
) -> None:
    schema = {"$ref": "#/components/schemas/GenerateRequest"}
    assert problems(document, schema, body) == []
    small = body | {"max_tokens": min(body.get("max_tokens") or 1, 1)}
    assert client.post("/v1/generate", json=small, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"max_tokens": 50_001}, {"prompt": "a" * 1001}, {"n": 3}, {"stop": [""]}, {"temprature": 1}],
)
def test_what_the_service_refuses_by_its_settings_the_document_refuses_too(
    client: FlaskClient, document: Document, body: dict[str, Any]
) -> None:
    assert problems(document, {"$ref": "#/components/schemas/GenerateRequest"}, body)
    assert client.post("/v1/generate", json=body, headers=JSON).status_code in (400, 413)


@pytest.mark.parametrize(
    ("prompt", "is_right"),
    [
        ("a", True),
        (["a", "b"], True),
        ([5, 6], True),
        ([[5], [6, 7]], True),
        ([], False),
        ([True], False),
        ([-1], False),
        ({"a": 1}, False),
        (["a"] * 65, False),
        ([["a"]], False),
    ],
)
def test_the_prompts_of_completions_in_the_document_are_those_that_are_taken(
    client: FlaskClient, document: Document, prompt: object, is_right: bool
) -> None:
    body = {"prompt": prompt, "max_tokens": 1}
    said = problems(document, {"$ref": "#/components/schemas/CompletionRequest"}, body)
    assert (said == []) == is_right
    assert (client.post("/v1/completions", json=body).status_code == 200) == is_right


def test_other_fields_of_completions_are_left_aside_as_the_document_says(
    document: Document,
) -> None:
    schema = {"$ref": "#/components/schemas/CompletionRequest"}
    assert problems(document, schema, {"prompt": "a", "unheard_of": 1}) == []


def test_where_a_model_is_looked_up_the_document_tells_that_it_may_still_be_loading(
    document: Document,
) -> None:
    looked_up = [
        (path, operation["responses"])
        for path, item in document["paths"].items()
        for operation in item.values()
        if "model_not_found" in operation["responses"].get("404", {}).get("description", "")
    ]
    assert len(looked_up) == 12
    for path, responses in looked_up:
        assert "`loading`" in responses.get("503", {}).get("description", ""), path


def test_without_keys_and_limits_the_document_tells_of_none(document: Document) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["security"] == []
            assert not {"401", "429"} & set(operation["responses"])


def test_with_keys_and_limits_the_document_tells_where_they_hold(make_client: "MakeClient") -> None:
    client = make_client(api_keys=KEYS, rate_limit="1/hour", max_streams_per_client=1)
    document = client.get("/openapi.json").get_json()
    closed = {
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if operation["security"]
    }
    assert set(document["paths"]) - closed == {
        *(
            "/",
            "/static/{name}",
            "/worker.js",
            "/healthz",
            "/openapi.json",
            "/docs",
            "/docs/{asset}",
        )
    }
    counted = {
        path
        for path, item in document["paths"].items()
        if any("429" in operation["responses"] for operation in item.values())
    }
    assert counted == {
        *("/v1/generate", "/v1/completions", "/v1/score", "/v1/inspect"),
        *("/v1/chat/completions", "/tokenize", "/detokenize"),
        *("/v1/poems", "/v1/analyze", "/v1/rhymes"),
    }
    answers = [client.post("/v1/generate", json={}, headers=bearer(ALICE)) for _ in range(2)]
    answers.append(client.post("/v1/generate", json={}))
    assert [answer.status_code for answer in answers] == [200, 429, 401]
    said = document["paths"]["/v1/generate"]["post"]["responses"]
    for answer in answers[1:]:
        told = said[str(answer.status_code)]
        assert set(told["headers"]) <= set(answer.headers.keys())
        schema = told["content"]["application/json"]["schema"]
        assert problems(document, schema, answer.get_json()) == []


def test_a_copy_that_is_still_the_same_is_not_sent_again(client: FlaskClient) -> None:
    for path in ("/openapi.json", "/docs", "/docs/page.css", "/docs/page.js"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
