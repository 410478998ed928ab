"""Series by model: there from the first moment, gone with the model, never more than can be."""

import re

import pytest
from exposition import metric_sum

from service.observability.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def offer(metrics: Metrics, name: str, backend: str, generation: int = 1) -> None:
    fingerprint = f"fp_{generation}"
    metrics.checkpoint_loaded(name, backend, fingerprint=fingerprint, generation=generation)


def models_shown(metrics: Metrics) -> set[str]:
    return set(re.findall(r'model="([^"]*)"', metrics.exposition().decode()))


def test_a_model_on_offer_has_all_its_series_at_0(metrics: Metrics) -> None:
    offer(metrics, "verse", "int8")
    shown = metrics.exposition().decode()
    for name in ("generated_tokens_total", "time_to_first_token_seconds_count"):
        assert f'strophe_{name}{{model="verse"}} 0.0\n' in shown
    assert 'strophe_requests_total{model="verse",outcome="rejected"} 0.0\n' in shown
    assert 'strophe_model_info{fingerprint="fp_1",model="verse",path="int8"} 1.0\n' in shown
    assert 'strophe_model_generation{model="verse"} 1.0\n' in shown


def test_a_model_that_is_gone_is_not_shown(metrics: Metrics) -> None:
    offer(metrics, "verse", "int8")
    offer(metrics, "prose", "fp32")
    metrics.checkpoint_removed("verse")
    assert models_shown(metrics) == {"prose"}


def test_a_replaced_model_goes_on_counting_and_tells_its_new_path(metrics: Metrics) -> None:
    offer(metrics, "verse", "int8")
    metrics.engine.ended("verse", "stop", 1.0)
    offer(metrics, "verse", "fp32", generation=2)
    shown = metrics.exposition().decode()
    assert metric_sum(shown, 'strophe_requests_total{model="verse",outcome="stop"}') == 1
    assert re.findall(r'strophe_model_info\{.*path="(\w+)"\}', shown) == ["fp32"]
    assert re.findall(r'strophe_model_info\{fingerprint="(\w+)"', shown) == ["fp_2"]
    assert 'strophe_model_generation{model="verse"} 2.0\n' in shown


def test_what_a_model_writes_after_its_end_counts_under_one_name(metrics: Metrics) -> None:
    for name in ("verse", "prose"):
        offer(metrics, name, "int8")
        metrics.checkpoint_removed(name)
        metrics.engine.stepped(name, rows=1, steps=2, tokens=2, seconds=0.1)
        metrics.engine.ended(name, "length", 1.0)
    assert models_shown(metrics) == {"(removed)"}
    assert metric_sum(metrics.exposition().decode(), "strophe_generated_tokens_total") == 4


def test_models_that_come_and_go_leave_nothing_behind(metrics: Metrics) -> None:
    metrics.engine.rejected("late")
    sizes = []
    for number in range(50):
        offer(metrics, f"model-{number}", "int8")
        metrics.checkpoint_removed(f"model-{number}")
        sizes.append(metrics.exposition().count(b"\n"))
    assert set(sizes) == {sizes[0]}
