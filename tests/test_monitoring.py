"""The dashboard and the alerts ask for what the service shows, and as Prometheus wants it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

pytest_plugins = ["service_fixtures"]

DOCS = Path(__file__).parent.parent / "docs"
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DOCS / "prometheus-alerts.yml").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
TARGETS = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in PANELS
    for target in panel["targets"]
}
VARIABLES = {
    f"variable {variable['name']}": variable["definition"]
    for variable in DASHBOARD["templating"]["list"]
    if variable["type"] == "query"
}
EXPRESSIONS = {**TARGETS, **{rule["alert"]: rule["expr"] for rule in RULES}}
SCRAPED = {"job", "instance"}  # labels that Prometheus adds
RATES = {"rate", "increase"}


def parsed(expression: str) -> promql_parser.Expr:
    """Grafana fills in the interval before Prometheus sees it."""
    return promql_parser.parse(expression.replace("$__rate_interval", "5m"))


@dataclass(frozen=True)
class Use:
    """Where a metric stands in an expression: in which functions, and grouped by what."""

    functions: frozenset[str] = frozenset()
    by: frozenset[str] | None = None  # None: not grouped, so all labels are kept


NOWHERE = Use()


def uses(expression: object, use: Use = NOWHERE) -> Iterator[tuple[Any, Use]]:
    """Every selector of a metric."""
    match expression:
        case promql_parser.VectorSelector():
            yield expression, use
        case promql_parser.MatrixSelector():
            yield expression.vector_selector, use
        case promql_parser.Call():
            inside = replace(use, functions=use.functions | {expression.func.name})
            for argument in expression.args:
                yield from uses(argument, inside)
        case promql_parser.AggregateExpr():
            labels = () if expression.modifier is None else expression.modifier.labels
            yield from uses(expression.expr, replace(use, by=frozenset(labels)))
        case promql_parser.BinaryExpr():
            yield from uses(expression.lhs, use)
            yield from uses(expression.rhs, use)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from uses(expression.expr, use)


def names_in(expressions: list[str]) -> set[str]:
    return {selector.name for each in expressions for selector, _ in uses(parsed(each))}


@pytest.fixture(scope="module")
def shown(service: Any) -> dict[str, tuple[str, set[str]]]:
    """What the service shows after one request: name, type and labels."""
    client: FlaskClient = service.app.test_client()
    client.post("/v1/generate", data='{"max_tokens": 2}').close()
    series = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            series[sample.name] = (family.type, set(sample.labels))
    return {name: facts for name, facts in series.items() if not name.endswith("_created")}


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert DASHBOARD["title"]
    assert "id" not in DASHBOARD  # Grafana gives its own
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    kinds = {panel["type"] for panel in DASHBOARD["panels"]}
    assert kinds <= {"row", "stat", "timeseries"}


def test_the_data_source_is_chosen_by_a_variable() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    used = [target["datasource"] for panel in PANELS for target in panel["targets"]]
    used += [panel["datasource"] for panel in PANELS]
    first, *others = DASHBOARD["templating"]["list"]
    used += [variable["datasource"] for variable in others]
    assert (first["name"], first["type"], first["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    assert all(each == chosen for each in used)


def test_panels_lie_side_by_side_and_have_what_they_need() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)


def test_variables_that_are_used_are_there() -> None:
    there = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([TARGETS, VARIABLES])))
    assert used - {"__rate_interval"} <= there


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_asks_for_what_is_shown_with_the_labels_it_has(
    shown: dict[str, tuple[str, set[str]]], name: str
) -> None:
    for selector, use in uses(parsed(EXPRESSIONS[name])):
        if selector.name == "up":  # Prometheus' own
            continue
        _, labels = shown[selector.name]
        used = {matcher.name for matcher in selector.matchers.matchers}
        assert used | (use.by or set()) <= labels | SCRAPED


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_counters_are_asked_for_their_rate_and_buckets_for_quantiles(
    shown: dict[str, tuple[str, set[str]]], name: str
) -> None:
    for selector, use in uses(parsed(EXPRESSIONS[name])):
        kind = "gauge" if selector.name == "up" else shown[selector.name][0]
        is_rated = bool(RATES & use.functions)
        assert is_rated == (kind in ("counter", "histogram")), selector.name
        is_bucket = selector.name.endswith("_bucket")
        assert is_bucket == ("histogram_quantile" in use.functions)
        if is_bucket:
            assert "le" in (use.by or ())


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_lists_the_values_of_a_label_that_is_there(
    shown: dict[str, tuple[str, set[str]]], name: str
) -> None:
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", VARIABLES[name])
    assert found is not None
    ((selector, _),) = uses(parsed(found[1]))
    assert found[2] in shown[selector.name][1] | SCRAPED


def test_every_metric_of_the_service_stands_on_the_dashboard(
    shown: dict[str, tuple[str, set[str]]],
) -> None:
    def family(name: str) -> str:
        return re.sub(r"_(bucket|sum|count)$", "", name)

    own = {family(name) for name in shown if name.startswith("strophe_")}
    assert len(own) > 20
    assert own - {family(name) for name in names_in(list(TARGETS.values()))} == set()


def test_an_alert_says_when_how_bad_and_what() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    for rule in RULES:
        assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert re.search(r"\$labels\.(instance|model)", rule["annotations"]["summary"])
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_tells_only_labels_that_its_result_has(
    shown: dict[str, tuple[str, set[str]]], rule: dict[str, Any]
) -> None:
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    for selector, use in uses(parsed(rule["expr"])):
        _, labels = shown.get(selector.name, ("", set()))
        assert told <= (labels | SCRAPED if use.by is None else use.by)


def test_the_manual_names_every_alert() -> None:
    manual = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert not [rule["alert"] for rule in RULES if f"`{rule['alert']}`" not in manual]
