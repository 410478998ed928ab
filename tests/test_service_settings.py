"""Settings: what is read, and what a wrong one says."""

import dataclasses

import pytest

from service.compose_variables import COMPOSE_VARIABLES
from service.settings import (
    Settings,
    SettingsError,
    default_threads,
    read_settings,
    variable_name,
)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_name(field), raising=False)


def test_without_variables_the_service_is_local_and_bounded() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.ops_port) == ("127.0.0.1", 8000, 8001)
    assert (settings.max_streams, settings.max_queue) == (32, 64)
    assert settings.checkpoints == ("checkpoints",)
    assert settings.threads == default_threads()


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STROPHE_PORT", "9000")
    monkeypatch.setenv("STROPHE_LOG_LEVEL", "DEBUG")
    settings = read_settings()
    assert (settings.port, settings.log_level) == (9000, "debug")


@pytest.mark.parametrize(
    ("told", "served"),
    [
        ("", ("verse", "songs", "tang")),
        ("none", ()),
        ("verse", ("verse",)),
        ("tang, verse", ("tang", "verse")),
    ],
)
def test_the_models_that_ship_are_chosen_by_name(
    monkeypatch: pytest.MonkeyPatch, told: str, served: tuple[str, ...]
) -> None:
    monkeypatch.setenv("STROPHE_SHIPPED", told)
    assert read_settings().shipped == served


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STROPHE_PORT", "")
    assert read_settings().port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STROPHE_PORT", "0"),
        ("STROPHE_PORT", "65536"),
        ("STROPHE_PORT", "http"),
        ("STROPHE_SHIPPED", "verse,"),
        ("STROPHE_SHIPPED", "verses"),
        ("STROPHE_SHIPPED", "none,verse"),
        ("STROPHE_OPS_PORT", "8000"),
        ("STROPHE_DEVICE", "gpu"),
        ("STROPHE_DEVICE", "mps"),
        ("STROPHE_MAX_STREAMS", "0"),
        ("STROPHE_MAX_QUEUE", "-1"),
        ("STROPHE_POLL", "nan"),
        ("STROPHE_DRAIN", "inf"),
        ("STROPHE_LOG_LEVEL", "loud"),
        ("STROPHE_RATE_LIMIT", "often"),
        ("STROPHE_RATE_LIMIT", "0/minute"),
        ("STROPHE_RATE_LIMIT", "60/minute;"),
        ("STROPHE_RATE_LIMIT", "60/fortnight"),
        ("STROPHE_RATE_LIMIT_STORAGE", "localhost:6379"),
        ("STROPHE_RATE_LIMIT_STORAGE", "mongodb://localhost"),
        ("STROPHE_MAX_STREAMS_PER_CLIENT", "0"),
        ("STROPHE_TRUSTED_PROXIES", "-1"),
        ("STROPHE_CORS_ORIGINS", "null"),
        ("STROPHE_CORS_ORIGINS", "example.org"),
        ("STROPHE_CORS_ORIGINS", "https://example.org/"),
        ("STROPHE_CORS_ORIGINS", "https://example.org,"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: [^\n]+$"):
        read_settings()


def test_variables_that_only_compose_reads_have_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_settings()
    for name in COMPOSE_VARIABLES:
        monkeypatch.setenv(name, "7")
    assert read_settings() == before


NAMES_OF_NONE = ["STROPHE_PROT", "STROPHE_API_KEY", "strophe_port", "STROPHE_CPU"]


@pytest.mark.parametrize("name", NAMES_OF_NONE)
def test_an_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=f"^{name}: no such setting"):
        read_settings()


def test_lists_have_commas_between_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STROPHE_CORS_ORIGINS", "https://Example.org, http://[::1]:3000")
    assert read_settings().cors_origins == ("https://example.org", "http://[::1]:3000")


@pytest.mark.parametrize("name", ["STROPHE_API_KEYS", "STROPHE_RATE_LIMIT_STORAGE"])
def test_a_secret_is_shown_neither_by_settings_nor_by_errors(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "redis://:hush-hush@localhost/0")
    assert "hush" not in repr(read_settings()) + read_settings().model_dump_json()
    monkeypatch.setenv("STROPHE_RATE_LIMIT_STORAGE", "reddis://:hush-hush@localhost/0")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert "hush" not in str(caught.value)


def test_settings_do_not_change() -> None:
    with pytest.raises((ValueError, dataclasses.FrozenInstanceError)):
        read_settings().port = 1  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_there_are_threads_to_refuse_what_does_not_fit() -> None:
    settings = read_settings()
    assert settings.http_threads > settings.max_streams + settings.max_queue
