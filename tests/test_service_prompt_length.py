"""Prompt length: the longest follows from the time it takes, and a refusal says from what."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.api.prompt_length import longest_prompt
from service.app import create_app
from service.models.served_model import LoadedModel
from service.observability.metrics import Metrics
from service.server.service_process import Service
from service.settings import Settings

pytest_plugins = ["service_fixtures"]


@pytest.fixture
def model(service: Service) -> LoadedModel:
    return service.registry.catalogue.find("tiny")


@pytest.mark.parametrize(
    ("speed", "seconds", "most", "expected"),
    [
        (1000.0, 30, 100_000, 30_000),
        (1999.9, 10, 100_000, 19_000),
        (1000.0, 30, 12_345, 12_345),
        (math.inf, 30, 100_000, 100_000),
        (7.7, 1, 100, 7),
        (0.1, 1, 100, 1),
    ],
)
def test_a_prompt_may_be_as_long_as_is_fed_in_its_time_and_no_longer_than_may_be_at_all(
    model: LoadedModel, speed: float, seconds: float, most: int, expected: int
) -> None:
    settings = Settings(max_prompt=most, max_prompt_seconds=seconds)
    assert longest_prompt(settings, replace(model, feeding_speed=speed)) == expected


def test_the_speed_is_measured_when_a_model_is_loaded(model: LoadedModel) -> None:
    assert 100 < model.feeding_speed < math.inf


@pytest.mark.parametrize(
    ("path", "field"),
    [("/v1/generate", "prompt"), ("/v1/completions", "prompt"), ("/v1/score", "text")],
)
def test_a_text_that_would_take_too_long_is_refused_with_what_may_be_and_by_which_setting(
    service: Service, tmp_path: Path, path: str, field: str
) -> None:
    settings = Settings(checkpoints=tmp_path, max_prompt=10_000_000, max_prompt_seconds=0.1)
    app = create_app(settings, service.engine, service.registry, Metrics())
    client: Any = app.test_client()
    most = client.get("/v1/models/tiny").json["max_prompt"]
    assert most < 10_000_000
    answer = client.post(path, data=json.dumps({field: "a" * (most + 1)}))
    assert (answer.status_code, answer.json["error"]["param"]) == (413, field)
    assert f"at most {most} " in answer.json["error"]["message"]
    assert "STROPHE_MAX_PROMPT_SECONDS" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "field", "setting"),
    [
        ("/v1/generate", "prompt", "STROPHE_MAX_PROMPT)"),
        ("/v1/inspect", "text", "STROPHE_MAX_PROMPT)"),
    ],
)
def test_the_setting_that_is_narrower_is_named(
    client: Any, path: str, field: str, setting: str
) -> None:
    answer = client.post(path, data=json.dumps({field: "a" * 1001}))
    assert setting in answer.json["error"]["message"]
