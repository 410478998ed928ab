"""Why an LSTM: the study's numbers and no others, drawn, read off and told."""

import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sheet import IN_A_BROWSER, expect

from service.web.page import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytest_plugins = ["page_fixtures"]

STUDY: dict[str, Any] = json.loads((STATIC / "why" / "study.json").read_text(encoding="utf-8"))
DOCS = (Path(__file__).parent.parent / "docs" / "study.md").read_text(encoding="utf-8")


def reach(stage: str, cell: str, state: str = "h") -> list[float]:
    curves = STUDY["gradients"]["stages"][stage]
    found = [each for each in curves if (each["cell"], each["state"]) == (cell, state)]
    return [float(value) for value in found[0]["median"]]


def gained(cell: str) -> float:
    cold = STUDY["cold_start"]
    at = [first for first, _ in cold["positions"]].index(8)
    return float(cold["cells"][cell][at] - cold["cells"][cell][-1])


def test_the_pages_numbers_are_those_of_the_documentation() -> None:
    """One run: the page draws it, docs/study.md tells of it."""
    for cell in ("rnn", "gru", "lstm"):
        facts = STUDY["networks"]["cells"][cell]
        assert f"{facts['nats']:.3f}" in DOCS
        assert f"{facts['parameters']:,} ({facts['units']}" in DOCS
        assert f"{gained(cell):.3f}" in DOCS
        assert f"{STUDY['cold_start']['cells'][cell][0]:.3f}" in DOCS
        for stage in ("untrained", "trained"):
            assert f"{reach(stage, cell)[50]:.1e}" in DOCS
    for gate, kind in (("output", "space"), ("input", "line end"), ("forget", "other letters")):
        assert f"{STUDY['gates']['by_kind'][kind][gate]:.2f}" in DOCS
    assert f"{max(STUDY['recall']['alone']['cells']['lstm']['best'][-1:]):.2f}" in DOCS
    assert f"--text-steps {STUDY['networks']['updates']} " in DOCS


@pytest.fixture
def why(page: "Page") -> "Page":
    """The page with its view open."""
    page.click("#tab-why")
    expect(page.locator("#why section")).to_have_count(6)
    return page


def points(chart: "Locator", kind: str) -> list[tuple[float, float]]:
    """Of a line in a chart, in pixels."""
    drawn = str(chart.locator(f"svg[role=img] polyline.{kind}").get_attribute("points"))
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", drawn)]


def in_words(share: float) -> str:
    """As the page tells a share, worked out anew."""
    if share >= 0.0095:
        return f"{float(f'{share * 100:.2g}'):g} %"
    parts = float(f"{1 / share:.2g}")
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if parts >= size:
            return f"one part in {float(f'{parts / size:.2g}'):g} {name}"
    return f"one part in {parts:,.0f}"


class TestInABrowser:
    """What is drawn and told."""

    pytestmark = IN_A_BROWSER

    def test_a_memory_fades_as_it_is_set(self, why: "Page") -> None:
        for name, value in (("rnn", 0.9), ("gru", 0.25), ("lstm", 2), ("steps", 30)):
            why.fill(f"#fading-{name}", str(value))
        shares = {"rnn": 0.9, "gru": 0.75, "lstm": 1 / (1 + math.exp(-2))}
        said = "; ".join(f"{cell} {in_words(share**30)}" for cell, share in shares.items())
        expect(why.locator("#fading-told")).to_have_text(f"After 30 letters there is left: {said}.")
        chart = why.locator("#why section").first.locator(".chart")
        heights = [y for _, y in points(chart, "cell-rnn")]
        assert heights == sorted(heights)  # a pixel further down is less
        steps = [after - before for before, after in pairwise(heights)]
        assert max(steps) == pytest.approx(min(steps), abs=1e-6)  # one factor a step: straight

    @pytest.mark.parametrize("back", [1, 50, 200])
    def test_the_reach_of_a_loss_is_read_off_as_it_was_measured(
        self, why: "Page", back: int
    ) -> None:
        why.fill("#reach-steps", str(back))
        curves = [("rnn", "h"), ("gru", "h"), ("lstm", "h"), ("lstm", "c")]
        for stage in ("untrained", "trained"):
            for cell, state in curves:
                share = reach(stage, cell, state)[back]
                words = in_words(share) if share >= 1e-12 else "nothing that counts"
                name = f"lstm {state}" if cell == "lstm" else cell
                expect(why.locator("#reach-told")).to_contain_text(f"{name} {words}")

    def test_every_line_of_every_plot_is_there(self, why: "Page") -> None:
        untrained, trained, alone, mixed, cold = (
            why.locator(".chart").nth(number) for number in range(1, 6)
        )
        for chart, stage in ((untrained, "untrained"), (trained, "trained")):
            for cell in ("rnn", "gru", "lstm"):
                seen = [value for value in reach(stage, cell) if value >= 1e-12]
                assert len(points(chart, f"cell-{cell}")) == len(seen)
        for chart, name in ((alone, "alone"), (mixed, "mixed")):
            means = STUDY["recall"][name]["cells"]["gru"]["mean"]
            drawn = points(chart, "cell-gru")
            assert len(drawn) == len(means)
            for (_, y), mean in zip(drawn, means, strict=True):
                top, bottom = 10, 260 - 40
                assert y == pytest.approx(bottom - mean * (bottom - top), abs=0.01)
        assert len(points(cold, "cell-lstm")) == len(STUDY["cold_start"]["positions"])
        for chart in why.locator(".chart svg[role=img]").all():
            assert chart.get_attribute("aria-label")
            assert chart.locator(".axis").count() == 2

    def test_gates_are_shown_line_by_line(self, why: "Page") -> None:
        pieces, openings = STUDY["gates"]["pieces"], STUDY["gates"]["openings"]
        poem = "".join(pieces)
        line = "The shoes stand side by side;"
        why.select_option("#gates-line", line)
        first = len(re.findall(r"<s>|[\s\S]", poem[: poem.index(line)]))
        chart = why.locator(".chart").nth(6)
        drawn = points(chart, "gate-output")
        assert len(drawn) == len(line) + 1
        top, bottom = 10, 220 - 40
        for (_, y), value in zip(drawn, openings["output"][first:], strict=False):
            assert y == pytest.approx(bottom - value * (bottom - top), abs=0.01)
        assert "".join(chart.locator(".tick").all_text_contents()).endswith(
            line.replace(" ", "\u00b7") + "\u21b5"
        )

    def test_what_is_arithmetic_and_what_is_measured_is_told_apart(self, why: "Page") -> None:
        kinds = why.locator("#why .kind").all_text_contents()
        assert kinds == ["arithmetic, to be tried out", *["measured"] * 4]

    def test_it_leads_to_how_it_reads(self, why: "Page") -> None:
        why.click("text=look up in")
        expect(why.locator("#view-see")).to_be_visible()
        expect(why.locator("#look-at")).to_have_value("lines")
