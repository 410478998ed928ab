"""See: parts as they come, ready texts, units and their equations, the map, and links to a view."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sheet import IN_A_BROWSER, OpenPage, expect, text_of, write
from unit_equations import Numbers, unit_equations
from unit_targets import TARGETS

from model import checkpoint as checkpoints
from model import pretrained

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

INSPECT = "**/v1/inspect"
TEXT = "The moon is high,\nthe moon is white."
LONG = "The moon is up, the moon is high,\nAnd nothing moves along the sky.\n" * 20


def see(page: "Page", text: str = TEXT) -> None:
    """Open See on a text, and wait until all of it is read."""
    write(page, text)
    page.click("#tab-see")
    wait_until_read(page, len(text))


def see_sample(page: "Page", name: str) -> str:
    """Choose a ready text, and give it."""
    page.click("#tab-see")
    page.select_option("#look-at", name)
    text = str(page.evaluate(f"import('/static/see/samples.js').then(m => m.SAMPLES.{name}.text)"))
    wait_until_read(page, len(text))
    return text


def wait_until_read(page: "Page", length: int) -> None:
    expect(page.locator("#reading [role=option]")).to_have_count(length)
    expect(page.locator("#see-progress")).to_be_hidden()


def number(page: "Page", name: str) -> float:
    return float(page.inner_text(f"#equation-{name}").replace("\u2212", "-"))


# How it is read


def test_what_is_there_first_is_shown_first_and_stays(page: "Page", server: "Server") -> None:
    """Also when the rest never comes, which is told."""
    headers = {"Accept": "text/event-stream"}
    body = {"text": LONG, "top": 5}
    whole = requests.post(server.url + "/v1/inspect", json=body, headers=headers, timeout=60).text
    opening, part, *_ = whole.split("\n\n")
    first = len(json.loads(part.removeprefix("data: "))["tokens"])
    begun = f"{opening}\n\n{part}\n\n"
    page.route(INSPECT, lambda route: route.fulfill(body=begun, content_type="text/event-stream"))
    write(page, LONG)
    page.click("#tab-see")
    expect(page.locator("#reading [role=option]")).to_have_count(first)
    expect(page.locator("#notice")).to_contain_text("not read to its end")
    page.unroute(INSPECT)
    page.get_by_role("button", name="Try again").click()
    wait_until_read(page, len(LONG))


@pytest.fixture
def held(page: "Page") -> Iterator[list["Route"]]:
    """Requests for a reading, none of which is answered until a test does it."""
    routes: list[Route] = []
    page.route(INSPECT, lambda route: routes.append(route))  # noqa: PLW0108 - no method of C
    yield routes
    page.unroute(INSPECT)


def test_a_reading_is_given_up_when_one_leaves(page: "Page", held: list["Route"]) -> None:
    write(page, TEXT)
    page.click("#tab-see")
    expect(page.locator("#see-progress-told")).to_have_text("reading …")
    with page.expect_event("requestfailed", lambda request: "inspect" in request.url):
        page.click("#tab-write")
    page.unroute(INSPECT)
    page.click("#tab-see")
    wait_until_read(page, len(TEXT))


def test_one_that_takes_long_offers_less_and_can_be_stopped(
    page: "Page", held: list["Route"]
) -> None:
    page.clock.install()
    write(page, LONG)
    page.click("#tab-see")
    expect(page.locator("#see-progress")).to_be_visible()
    expect(page.locator("#see-less")).to_be_hidden()
    page.clock.fast_forward(9000)
    page.click("#see-less")
    expect(page.locator("#see-less")).to_be_hidden()
    asked = [len(json.loads(route.request.post_data or "")["text"]) for route in held]
    assert len(asked) == 2
    assert asked[1] < 0.6 * asked[0]
    page.click("#see-stop")
    expect(page.locator("#see-told")).to_have_text("stopped after 0 characters")
    page.clock.resume()


# Ready texts and units


def test_ready_texts_show_a_unit_and_leave_the_sheet_alone(page: "Page") -> None:
    write(page, "mine")
    text = see_sample(page, "quotation")
    expect(page.locator("#unit-does")).to_have_text("It follows quotation, upside down.")
    expect(page.locator("#paint")).to_have_value("unit")
    inside, outside = text.index("man who"), text.index("The ferryman")
    shades = [
        page.locator(f"#character-{at}").evaluate("each => Number(each.className.slice(1))")
        for at in (inside, outside)
    ]
    assert shades[0] <= 2
    assert shades[1] >= 4
    page.locator("#top button").nth(1).click()
    expect(page.locator("#view-see")).to_be_visible()
    assert text_of(page) == "mine"
    page.select_option("#look-at", "sheet")
    wait_until_read(page, len("mine"))
    page.evaluate("location.hash = '#view=see&sample=lines'")
    expect(page.locator("#unit-does")).to_have_text(
        "It follows the position in the line, upside down."
    )
    expect(page.locator("#character-0")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#find-targets")).to_have_value("column")


def test_an_empty_sheet_offers_the_ready_texts(page: "Page") -> None:
    write(page, "The moon")
    page.click("#tab-see")
    expect(page.locator("#see-told")).to_have_text("8 characters")
    page.click("#tab-write")
    write(page, "")
    page.click("#tab-see")
    expect(page.locator("#see-told")).to_be_hidden()
    page.click("#see-samples button:has-text('quotation')")
    expect(page.locator("#look-at")).to_be_focused()
    expect(page.locator("#unit-does")).to_have_text("It follows quotation, upside down.")
    expect(page.locator("#see-empty")).to_be_hidden()


def test_targets_are_those_that_units_were_named_by(page: "Page") -> None:
    texts = [
        'Ah, (so) the Moon,\n"was late," I\'d say\n\n\u201cOh\u201d',
        "x [y]\n",
        "",
        "\n\n caf\u00e9",
    ]
    script = """texts => import('/static/see/targets.js').then(({ TARGETS }) => texts.map((text) =>
        Object.entries(TARGETS).map(([name, { series }]) => [name, series([...text])])))"""
    for text, found in zip(texts, page.evaluate(script, texts), strict=True):
        assert found == [[name, series(list(text))] for name, series in TARGETS.items()]


def test_the_search_says_how_well_a_unit_does_where_it_was_not_chosen(page: "Page") -> None:
    """Of 400 units of noise one looks good on the lines that it is chosen by, and on no others."""
    script = """async () => {
        const { bestFollower } = await import('/static/see/following.js');
        let seed = 1;
        const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
        const tokens = [..."the moon is up\\n".repeat(8)].map((read) => ({ read }));
        const noise = tokens.map(() => Array.from({ length: 400 }, () => random() * 2 - 1));
        const value = (kind, at, unit) => noise[at][unit];
        const found = bestFollower({ tokens, numUnits: 400, richest: "cell", value }, "column");
        noise.forEach((row, at) => (row[7] = at % 15 / 15));
        const true_ = bestFollower({ tokens, numUnits: 400, richest: "cell", value }, "column");
        const none = bestFollower({ tokens, numUnits: 400, richest: "cell", value }, "quoted");
        return [found, true_, none];
    }"""
    by_chance, true, none = page.evaluate(script)
    assert by_chance["isHeldOut"]
    assert abs(by_chance["correlation"]) < 0.4
    assert (true["unit"], true["isHeldOut"]) == (7, True)
    assert true["correlation"] > 0.5
    assert none is None


def test_a_unit_of_ones_own_is_found_and_told_honestly(page: "Page") -> None:
    see_sample(page, "lines")
    page.select_option("#find-targets", "column")
    page.click("#find-unit")
    expect(page.locator("#found")).to_contain_text("follows the position in the line best")
    page.select_option("#find-targets", "next_vowel")
    page.click("#find-unit")
    expect(page.locator("#found")).to_contain_text("No unit of this layer follows")
    page.select_option("#find-targets", "quoted")
    page.click("#find-unit")
    expect(page.locator("#found")).to_contain_text("nothing of the kind")


# The equations


@pytest.fixture(scope="module")
def by_hand() -> dict[str, Numbers]:
    """Every number of unit 341 of the lowest layer over TEXT."""
    return unit_equations(checkpoints.load(pretrained.DEFAULT), TEXT, 0, 341)


def choose_unit(page: "Page", unit: int) -> None:
    page.fill("#unit-number", str(unit))
    page.press("#unit-number", "Enter")
    expect(page.locator("#equations-unit")).to_contain_text(f"{unit} of layer")
    expect(page.locator("#equation-rows")).not_to_have_class("waiting")


def test_the_equations_show_the_networks_own_numbers(
    page: "Page", by_hand: dict[str, Numbers]
) -> None:
    see(page)
    page.select_option("#layer", index=0)
    expect(page.locator("#equations-unit")).to_contain_text("layer 1")
    choose_unit(page, 341)
    for at in (0, 17, len(TEXT) - 1):
        page.locator(f"#character-{at}").click()
        expect(page.locator("#equation-cell")).to_have_text(shown(by_hand["cell"][at]))
        for name in ("input", "forget", "candidate", "output", "cell", "hidden"):
            assert number(page, name) == pytest.approx(float(by_hand[name][at]), abs=6e-4)
    terms = page.locator("#equation-rows .gate-forget .terms").inner_text()
    parts = [
        float(each)
        for each in terms.strip("()")
        .replace(" \u2212 ", " + \u2212")
        .replace("\u2212", "-")
        .split(" + ")
    ]
    assert 1 / (1 + 2.718281828 ** -sum(parts)) == pytest.approx(number(page, "forget"), abs=2e-3)


def shown(value: Any) -> str:
    return f"{float(value):.3f}".replace("-", "\u2212")


@pytest.mark.parametrize("place", ["#equations", "#plots"])
def test_arrow_keys_step_through_characters_and_units(page: "Page", place: str) -> None:
    see(page)
    page.locator("#character-3").click()
    page.focus(place)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#character-4")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#character-2")).to_have_attribute("aria-selected", "true")
    before = page.input_value("#unit-number")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#unit-number")).not_to_have_value(before)
    expect(page.locator("#equation-rows")).not_to_have_class("waiting")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#unit-number")).to_have_value(before)
    expect(page.locator(place)).to_be_focused()


def test_the_animation_is_slowed_and_stopped(page: "Page") -> None:
    see(page)
    page.locator("#character-0").click()
    page.fill("#play-speed", "5")
    page.click("#play")
    expect(page.locator("#character-3")).to_have_attribute("aria-selected", "true")
    page.fill("#play-speed", "0")
    expect(page.locator("#play-told")).to_have_text("one in 5 seconds")
    page.click("#play")
    expect(page.locator("#play")).to_have_text("Play")
    page.emulate_media(reduced_motion="reduce")
    duration = "getComputedStyle(document.getElementById('dot-cell')).transitionDuration"
    assert page.evaluate(duration) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(duration) != "0s"


# The map


def test_the_map_has_named_units_first_and_each_once(page: "Page") -> None:
    see(page)
    expect(page.locator("#unit-names .named").first).to_be_visible()
    rows = page.locator("#unit-names li").evaluate_all("all => all.map((row) => row.textContent)")
    units = [int(row.split()[0]) for row in rows]
    assert sorted(units) == list(range(1024))
    assert rows[0].endswith("follows the gaps between words, upside down")
    page.select_option("#order", "number")
    expect(page.locator("#unit-names li").first).to_have_text("0")
    page.click("#heat", position={"x": 5, "y": 13 * 3 + 5})
    expect(page.locator("#unit-number")).to_have_value("3")
    expect(page.locator("#map-told")).to_contain_text("Unit 3")
    expect(page.locator("#character-0")).to_have_attribute("aria-selected", "true")
    height = page.locator("#heat").bounding_box()
    page.click("#zoom-in")
    larger = page.locator("#heat").bounding_box()
    assert height is not None
    assert larger is not None
    assert larger["height"] > height["height"]


def test_the_gate_plot_has_axes_and_shows_one_unit(page: "Page") -> None:
    see(page)
    expect(page.locator("#gate-axis")).to_contain_text("open 1")
    assert page.locator("#gate-ticks text").all_text_contents()[:2] == ["1", "2"]
    lines = page.locator("#gate-lines")
    expect(lines).to_have_attribute("aria-label", re.compile("as means over the units"))
    choose_unit(page, 175)
    page.select_option("#gates-of", "unit")
    expect(lines).to_have_attribute("aria-label", re.compile("of unit 175; on average forget"))


# A link to this view


def test_a_link_leads_to_the_same_view_and_not_to_the_sheet(
    page: "Page", open_page: OpenPage
) -> None:
    see(page)
    page.select_option("#layer", index=1)
    expect(page.locator("#equations-unit")).to_contain_text("layer 2")
    wait_until_read(page, len(TEXT))
    choose_unit(page, 411)
    page.locator("#character-9").click()
    page.click("#see-link")
    link = page.input_value("#see-address")
    other = open_page(link)
    wait_until_read(other, len(TEXT))
    expect(other.locator("#character-9")).to_have_attribute("aria-selected", "true")
    expect(other.locator("#unit-number")).to_have_value("411")
    expect(other.locator("#layer")).to_have_value("1")
    expect(other.locator("#paint")).to_have_value("unit")
    expect(other.locator("#look-at")).to_have_value("link")
    assert text_of(other) == ""


def test_addresses_are_read_as_they_are_written_and_nothing_else_is(page: "Page") -> None:
    script = """async () => {
        const { addressOf, readAddress } = await import('/static/see/samples.js');
        const place = { layer: 1, unit: 7, at: 2, paint: "unit" };
        const facts = { text: "a\\n&b=\\u201c", model: "verse", ...place };
        return [
            readAddress(addressOf(facts)),
            readAddress(addressOf({ ...facts, sample: "lines" })).source,
            readAddress("view=see"),
            readAddress("view=see&sample=constructor"),
            readAddress("view=see&look=x&unit=-1&layer=1e3&paint=fire"),
        ];
    }"""
    same, sample, *others = page.evaluate(script)
    assert same == {
        "source": "link",
        "text": "a\n&b=\u201c",
        "model": "verse",
        "layer": 1,
        "unit": 7,
        "at": 2,
        "paint": "unit",
    }
    assert sample == "lines"
    assert others[:2] == [None, None]
    assert (others[2]["unit"], others[2]["layer"], others[2]["paint"]) == (None, None, "surprisal")
