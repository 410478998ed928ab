"""The page's settings and its other views: Compare and See; keyboard, widths and accessibility."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sheet import (
    IN_A_BROWSER,
    OpenPage,
    expect,
    go_on,
    set_field,
    text_of,
    wait_until_over,
    write,
    written,
)

from model import pretrained
from model.parameters import SamplingParams

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def test_a_wrong_setting_is_told_beside_its_field(page: "Page") -> None:
    set_field(page, "top_p", 1.5)
    expect(page.locator("#field-top_p-fault")).to_have_text("Top-p must be between 0 and 1.")
    write(page, "x")
    page.click("#continue")
    expect(page.locator("#notice")).to_contain_text("Top-p")
    assert text_of(page) == "x"


def test_the_forms_bounds_and_defaults_are_those_of_the_service(page: "Page") -> None:
    fields = page.evaluate("import('/static/settings/fields.js').then(module => module.FIELDS)")
    for field in fields:
        known = SamplingParams.model_fields[field["name"]]
        default = known.get_default(call_default_factory=True)
        assert field["initial"] == (list(default) if isinstance(default, tuple) else default)
        bounds = {type(each).__name__: each for each in known.metadata}
        if "Ge" in bounds:
            assert field["least"] == bounds["Ge"].ge
        if "Gt" in bounds:
            assert field["above"] == bounds["Gt"].gt
        if "Le" in bounds and field["name"] != "seed":
            assert field["most"] == bounds["Le"].le


def test_presets_set_the_form(page: "Page") -> None:
    set_field(page, "max_tokens", 99)
    page.click("[data-preset=wild]")
    expect(page.locator("#field-temperature")).to_have_value("1.2")
    expect(page.locator("#field-max_tokens")).to_have_value("99")
    expect(page.locator("[data-preset=wild]")).to_have_attribute("aria-pressed", "true")


def test_the_models_card_is_shown(page: "Page", server: "Server") -> None:
    card = requests.get(server.url + "/v1/models/verse", timeout=5).json()["card"]
    expect(page.locator("#model-purpose")).to_contain_text("verse by 1,077 works' authors")
    expect(page.locator("#train-own code")).to_contain_text(
        ["inspect-corpus", "make train CORPUS="]
    )
    page.click("#more-settings summary")
    expect(page.locator("#card")).to_have_text(card)
    expect(page.locator("#model-facts")).to_contain_text("3 layers of 1,024 units")


def test_the_models_that_ship_are_offered_by_what_they_are_for(
    page: "Page", server: "Server"
) -> None:
    models = requests.get(server.url + "/v1/models", timeout=5).json()["data"]
    purposes = {model["id"]: model["purpose"] for model in models}
    for name in pretrained.NAMES:
        option = page.locator(f"#model option[value={name}]")
        expect(option).to_have_text(f"{name}: {purposes[name]}")
    expect(page.locator("#model option[value=tiny]")).to_have_text("tiny")
    page.select_option("#model", "tang")
    expect(page.locator("#model-purpose")).to_contain_text("Complete Tang Poems")
    page.select_option("#model", "verse")


def test_temperatures_are_compared_side_by_side(page: "Page", server: "Server") -> None:
    set_field(page, "seed", 11)
    set_field(page, "max_tokens", 80)
    page.click("#tab-compare")
    page.fill("#compare-prompt", "The moon")
    page.fill("#compare-temperatures", "0.3, 0.9, 1.3")
    page.click("#compare-start")
    expect(page.locator(".column-status", has_text="done")).to_have_count(3)
    for index, temperature in enumerate((0.3, 0.9, 1.3)):
        text = written(server, prompt="The moon", seed=11, max_tokens=80, temperature=temperature)
        assert page.locator(".column-text").nth(index).text_content() == "The moon" + text
    page.locator("#columns button").nth(2).click()
    assert text_of(page) == "The moon" + text


def test_what_is_compared_begins_with_a_line_of_its_own(page: "Page") -> None:
    write(page, "The moon\nand the sea,\nand the", at=len("The moon\nand the sea,"))
    page.click("#tab-compare")
    expect(page.locator("#compare-prompt")).to_have_value("The moon\nand the sea,\n")
    before = "import('/static/text/prompt.js').then(({ linesBefore }) => linesBefore(...asked))"
    for text, told in {
        "The moon|": "The moon",  # a beginning, to be gone on with
        "The mo|on": "The mo",
        "One,\ntw|o": "One,\n",
        "One,\ntwo|": "One,\ntwo\n",
        "One,\n|": "One,\n",
        "One,\n\n|two": "One,\n\n",
        "One,\n[Chorus]|": "One,\n",
        "[Verse 1]\nOne|": "One",
        "|": "",
        "a" * 9000 + "|": "a" * 5000,  # of a long one its end
    }.items():
        asked = [text.replace("|", ""), text.index("|")]
        assert page.evaluate(f"asked => {before}", asked) == told, text
    ends = "import('/static/text/lines.js').then(({ lastLines }) => lastLines(text, 2))"
    for text, told in {
        "One,\ntwo,\nthree\n": "two,\nthree\n",
        "One,\n\nthree": "\nthree",
        "One": "One",
        "One,\ntwo\n": "One,\ntwo\n",
        "": "",
    }.items():
        assert page.evaluate(f"text => {ends}", text) == told, text


@pytest.fixture
def inspection(server: "Server") -> Callable[..., dict[str, Any]]:
    """What /v1/inspect says of a text."""

    def inspect(text: str, **fields: object) -> dict[str, Any]:
        url = server.url + "/v1/inspect"
        answer = requests.post(url, json={"text": text, **fields}, timeout=60)
        return dict(answer.json())

    return inspect


def test_see_shows_the_numbers_of_inspect(
    page: "Page", inspection: Callable[..., dict[str, Any]]
) -> None:
    text = 'The moon said "rise",\nand rose & <b>fell</b>.'
    answer = inspection(text, top=5)
    write(page, text)
    page.click("#tab-see")
    options = page.locator("#reading [role=option]")
    expect(options).to_have_count(len(answer["tokens"]))
    for at in (0, 9, 21, 40):
        token = answer["tokens"][at]
        options.nth(at).click()
        expect(page.locator("#surprisal")).to_contain_text(f"{token['surprisal']:.2f} bits")
        shown = page.locator("#top button").evaluate_all("all => all.map(b => b.dataset.token)")
        assert shown == [each["token"] for each in token["top"]]
        words = page.inner_text("#gate-words")
        for gate in ("forget", "input", "output"):
            assert f"{gate} gate {answer['gates'][gate][at]:.2f}" in words
    page.select_option("#layer", "0")
    first = inspection(text, layer=0)
    expect(page.locator("#gate-words")).to_contain_text(
        f"forget gate {first['gates']['forget'][40]:.2f}"
    )
    page.click("#find-unit")
    expect(page.locator("#found")).to_have_text(re.compile(r"[Uu]nit \d+ of layer 1 .*correlation"))


def test_see_is_walked_through_by_keyboard_and_goes_on_from_a_character(
    page: "Page", inspection: Callable[..., dict[str, Any]]
) -> None:
    inspection("x")
    write(page, "The moon\nis high")
    page.click("#tab-see")
    expect(page.locator("#reading [role=option]")).to_have_count(16)
    page.focus("#reading")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#character-4")).to_have_attribute("aria-selected", "true")
    page.locator("#top button[aria-disabled=false]").first.click()
    wait_until_over(page)
    assert text_of(page).startswith("The ")
    assert not text_of(page).startswith("The moon\nis high")
    page.get_by_role("button", name="Undo", exact=True).first.click()
    assert text_of(page) == "The moon\nis high"


def test_nothing_is_wider_than_the_window(open_page: OpenPage) -> None:
    page = open_page()
    write(page, "The moon " * 50)
    show_lines(page)
    for view in ("write", "see", "compare", "why"):
        page.click(f"#tab-{view}")
        for width in (360, 768, 1920):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
            assert page.evaluate("document.querySelector('main').scrollWidth") <= width, view


def test_views_are_changed_by_keyboard(page: "Page") -> None:
    page.focus("#tab-write")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-compare")).to_be_focused()
    expect(page.locator("#view-compare")).to_be_visible()
    expect(page.locator("#view-write")).to_be_hidden()


def test_views_stand_in_the_address_and_in_the_history(page: "Page", server: "Server") -> None:
    write(page, "The moon")
    page.click("#tab-see")
    expect(page.locator("#reading [role=option]")).to_have_count(8)
    assert page.url == server.url + "/#view=see"
    page.click("#tab-compare")
    expect(page.locator("#view-compare")).to_be_visible()
    page.go_back()
    expect(page.locator("#view-see")).to_be_visible()
    page.go_back()
    expect(page.locator("#view-write")).to_be_visible()
    assert page.url == server.url + "/"
    assert text_of(page) == "The moon"
    page.go_forward()
    expect(page.locator("#view-see")).to_be_visible()
    page.reload()
    expect(page.locator("#tab-see")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#reading [role=option]")).to_have_count(8)


def test_a_wide_window_has_room_for_how_it_reads_beside_the_sheet(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 1920, "height": 1080})
    read = page.locator("#reading [role=option]")
    write(page, "The moon")
    page.click("#beside-toggle")
    expect(read).to_have_count(8)
    sheet, beside = (page.locator(name).bounding_box() for name in ("#view-write", "#view-see"))
    assert sheet is not None
    assert beside is not None
    assert sheet["x"] + sheet["width"] <= beside["x"]
    assert min(sheet["width"], beside["width"]) > 600
    page.locator("#text").press("End")
    page.keyboard.type(" rose")
    expect(read).to_have_count(13)  # after a pause, by itself
    expect(page.locator("#text")).to_be_focused()
    page.reload()
    expect(page.locator("#view-see")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator("#view-see")).to_be_hidden()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.click("#beside-toggle")
    expect(page.locator("#view-see")).to_be_hidden()
    expect(page.locator("#view-write")).to_be_visible()


@pytest.mark.parametrize("failing", ["see/see.js", "see/plots.js", "see/see.css"])
def test_a_view_that_could_not_be_fetched_opens_when_it_is_asked_for_again(
    open_page: OpenPage, failing: str
) -> None:
    page = open_page()
    write(page, "The moon")
    page.route(f"**/{failing}*", lambda route: route.abort())
    page.click("#tab-see")
    expect(page.locator("#notice")).to_contain_text("could not be fetched")
    page.unroute_all()
    page.click("#notice >> text=Try again")
    expect(page.locator("#reading [role=option]")).to_have_count(8)
    expect(page.locator("#notice")).to_be_empty()


def show_lines(page: "Page") -> None:
    """Open the forms, and how the lines at the caret are said."""
    page.click("#form-toggle")
    page.click("#form-panel summary")
    page.click("#form-lines")
    expect(page.locator("#poem-lines ruby").first).to_be_visible()


WINDOWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "small": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
}
MEDIA: tuple[dict[str, Any], ...] = (
    {"color_scheme": "light", "forced_colors": "none"},
    {"color_scheme": "dark", "forced_colors": "none"},
    {"color_scheme": "dark", "forced_colors": "active"},
)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: npm install axe-core")
@pytest.mark.parametrize("window", WINDOWS)
def test_axe_finds_no_serious_fault(open_page: OpenPage, window: str) -> None:
    page = open_page(reduced_motion="reduce", **WINDOWS[window])  # or colours are caught half-way
    write(page, "The moon")
    go_on(page)
    page.click("#next-line")
    wait_until_over(page)
    if window == "wide":
        show_lines(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for view in ("write", "see", "compare", "why"):
        page.click(f"#tab-{view}")
        expect(page.locator(f"#view-{view}")).to_be_visible()
        if view == "see":
            expect(page.locator("#see-told")).to_have_text(re.compile("characters"))
        for media in MEDIA:
            page.emulate_media(**media)
            found = page.evaluate("axe.run().then(result => result.violations)")
            serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
            assert serious == [], (view, media)
