"""Models, health and metrics, and what the service says when it is full or empty."""

import json
import socket
from pathlib import Path

import pytest
from exposition import metric_sum
from flask.testing import FlaskClient

from service.server.service_process import Service
from service.settings import Settings

pytest_plugins = ["service_fixtures"]


def test_models_are_listed_as_openai_lists_them(client: FlaskClient) -> None:
    content = client.get("/v1/models").get_json()
    (model,) = content["data"]
    assert content["object"] == "list"
    assert model.keys() == {"id", "object", "created", "owned_by", "purpose"}
    assert (model["id"], model["purpose"]) == ("tiny", None)


def test_one_model_is_shown_by_its_name(client: FlaskClient) -> None:
    shown = client.get("/v1/models/tiny").get_json()
    assert shown["id"] == client.get("/v1/models").get_json()["default"] == "tiny"
    assert (shown["cell"], shown["num_layers"], shown["hidden_size"]) == ("lstm", 2, 32)
    assert shown["card"] == "# A test\n"
    assert client.get("/v1/models/a/b").get_json()["error"]["code"] == "model_not_found"


def test_readiness_tells_which_checkpoints_are_loaded_and_the_default(
    client: FlaskClient, service: Service
) -> None:
    (served,) = service.registry.catalogue.models
    path = served.runner.backend_name
    about = {"name": "tiny", "fingerprint": served.fingerprint, "generation": 1, "path": path}
    assert client.get("/readyz").get_json() == {
        "status": "ready",
        "models": [about],
        "default": {"model": "tiny", "reason": "it is the only model"},
        "stores": [],
    }
    facts = f'{{fingerprint="{served.fingerprint}",model="tiny",path="{path}"}}'
    assert f"strophe_model_info{facts} 1.0" in client.get("/metrics").text
    assert value(client, 'model_generation{model="tiny"}') == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_service_with_a_model_is_alive_and_ready(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "streams_running",
        "requests_waiting",
        "slots",
        "slots_used",
        "generated_tokens_total",
        "prompt_tokens_total",
        "time_to_first_token_seconds_count",
        "request_duration_seconds_count",
        'requests_total{outcome="rejected"}',
        "models_loaded",
        "stores_failing",
        "batch_rows_count",
        "step_seconds_count",
        "queue_time_seconds_count",
        "piece_gap_seconds_count",
        "prompt_tokens_cached_total",
        'prefix_cache_lookups_total{result="hit"}',
        'requests_total{outcome="cancelled"}',
        'checkpoint_loads_total{result="loaded"}',
        'requests_total{model="tiny",outcome="error"}',
        'model_info{model="tiny"}',
        "build_info",
        "ready",
        "engine_tick_age_seconds",
        "http_requests_in_flight",
        "http_client_disconnects_total",
    ],
)
def test_every_metric_is_there_from_the_start(client: FlaskClient, name: str) -> None:
    assert value(client, name) >= 0


def value(client: FlaskClient, name: str) -> float:
    return metric_sum(client.get("/metrics").text, f"strophe_{name}")


def test_metrics_count_what_a_repeated_request_cost(client: FlaskClient) -> None:
    names = [
        "prompt_tokens_total",
        "prompt_tokens_cached_total",
        'prefix_cache_lookups_total{result="hit"}',
        'prefix_cache_lookups_total{result="miss"}',
        "generated_tokens_total",
        "queue_time_seconds_count",
        "time_to_first_token_seconds_count",
        "piece_gap_seconds_count",
        "batch_rows_sum",
    ]
    before = [value(client, name) for name in names]
    steps = value(client, "step_seconds_count")
    body = json.dumps({"prompt": "Two roads, and both", "max_tokens": 900, "min_tokens": 900})
    for _ in range(2):
        assert len(client.post("/v1/generate", data=body).text) == 900
    after = [value(client, name) for name in names]
    fed, cached, hits, misses, written, queued, firsts, gaps, rows = (
        now - then for now, then in zip(after, before, strict=True)
    )
    assert (fed, cached, hits, misses) == (19, 19, 1, 1)
    assert (written, queued, firsts) == (1800, 2, 2)
    assert gaps > 0
    assert rows == value(client, "step_seconds_count") - steps  # one row in each call


def test_a_full_service_says_so_and_when_to_come_back(
    client: FlaskClient, service: Service
) -> None:
    body = json.dumps({"max_tokens": 50_000, "min_tokens": 50_000})
    events = {"Accept": "text/event-stream"}
    crowd = [client.post("/v1/generate", data=body, headers=events) for _ in range(3)]
    refusal = client.post("/v1/generate", data="{}")
    for response in crowd:
        response.close()
    assert refusal.status_code == 503
    assert int(refusal.headers["Retry-After"]) > 0
    assert refusal.get_json()["error"]["code"] == "saturated"


def test_a_service_without_a_model_is_alive_but_not_ready(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ops_socket:
        service = Service(
            Settings(checkpoints=tmp_path / "none"), ops_socket, shipped=tmp_path / "nothing"
        )
        service.start()
        client = service.app.test_client()
        answers = [client.get(path).status_code for path in ("/healthz", "/readyz")]
        refusal = client.post("/v1/generate", data=json.dumps({}))
        not_ready = client.get("/readyz").get_json()
        service.stop()
    assert answers == [200, 503]
    reason = "no model is loaded"
    nothing: dict[str, object] = {"models": [], "default": None, "stores": []}
    assert not_ready == {"status": "not ready", "reason": reason, **nothing}
    assert (refusal.status_code, refusal.get_json()["error"]["code"]) == (503, "no_model")
