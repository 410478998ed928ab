"""The page in a real browser, headless Chromium, against the real service and the model that ships.

Each page that a test opens is watched: an error in its code, a violation of its policy or a request
to another host fails the test.
"""

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests

from model.parameters import SamplingParams

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request
    from service_fixtures import Server, StartServer

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

pytest_plugins = ["service_fixtures"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

expect = playwright.expect
AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"
KEY = "a-key-for-the-page-0123456789"
OVER = re.compile(r"^(done|stopped|broken off|failed)")

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """With the model that ships as its default, and room for three texts."""
    return start_server(STROPHE_DEFAULT_MODEL="verse", STROPHE_MAX_STREAMS="3")


@pytest.fixture(scope="module")
def small(start_server: "StartServer") -> "Server":
    """Wants a key, and has room for one text and one that waits."""
    keys = {"STROPHE_API_KEYS": f"page:{KEY}"}
    return start_server(STROPHE_MAX_STREAMS="1", STROPHE_MAX_QUEUE="1", **keys)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: "Browser", server: "Server") -> Iterator[OpenPage]:
    """A page of its own, of the shared server unless told; what goes wrong in it fails the test."""
    faults: list[str] = []
    contexts = []

    def open_at(url: str = server.url, key: str | None = "", **options: Any) -> "Page":
        """`key` is typed where one is asked for; with None that is left to the test."""
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        watch(page, faults)
        page.goto(url + "/" if url.count("/") == 2 else url)
        if key:
            page.fill("#key", key)
            page.press("#key", "Enter")
        if key is not None:
            expect(page.locator("#model option")).not_to_have_count(0)
        return page

    expect.set_options(timeout=20_000)
    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


def watch(page: "Page", faults: list[str]) -> Callable[[], None]:
    """Note what goes wrong in a page; gives back what ends that."""

    def on_console(message: "ConsoleMessage") -> None:
        # A network that fails is told here too, and belongs to some tests.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def on_request(request: "Request") -> None:
        if not request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:")):
            faults.append(request.url)

    def on_error(error: Exception) -> None:
        faults.append(str(error))

    listeners: dict[Any, Any] = {"pageerror": on_error, "console": on_console}
    listeners["request"] = on_request
    for event, listener in listeners.items():
        page.on(event, listener)

    def unwatch() -> None:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)

    return unwatch


@pytest.fixture(scope="module")
def window(browser: "Browser") -> Iterator["Page"]:
    """One window for most tests: a new one for each would load everything anew."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(window: "Page", server: "Server") -> Iterator["Page"]:
    """The shared server's page as for a first visit."""
    expect.set_options(timeout=20_000)
    faults: list[str] = []
    unwatch = watch(window, faults)
    window.goto(server.url + "/")
    expect(window.locator("#model option")).not_to_have_count(0)
    yield window
    window.goto("about:blank")
    storage = window.context.new_cdp_session(window)
    storage.send(
        "Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "local_storage"}
    )
    storage.detach()
    unwatch()
    assert faults == []


def text_of(page: "Page") -> str:
    return page.input_value("#text")


def write(page: "Page", text: str, at: int | None = None) -> None:
    """Put a text on the sheet as if it was pasted, and the caret into it."""
    page.fill("#text", text)
    caret = len(text) if at is None else at
    page.evaluate("at => document.getElementById('text').setSelectionRange(at, at)", caret)


def wait_until_over(page: "Page") -> str:
    """How the generation ended, in the page's words."""
    expect(page.locator("#continue")).to_have_attribute("aria-disabled", "false")
    expect(page.locator("#status")).to_have_text(OVER)
    return page.inner_text("#status")


def go_on(page: "Page", button: str = "#continue") -> str:
    """Press a button that writes; gives the text when it is written."""
    page.click(button)
    wait_until_over(page)
    return text_of(page)


def set_field(page: "Page", name: str, value: object) -> None:
    if not page.is_visible(f"#field-{name}"):
        page.click(f"details:has(#field-{name}) summary")
    page.fill(f"#field-{name}", str(value))


def spans(page: "Page") -> list[tuple[str, str]]:
    """What is seen on the sheet: who wrote what, lines apart."""
    script = "all => all.map(span => [span.className, span.textContent])"
    found = page.locator("#ink span").evaluate_all(script)
    return [(who, text) for who, text in found]


def seed_of(page: "Page") -> int:
    return int(page.inner_text("#last-seed"))


def written(server: "Server", **fields: object) -> str:
    """What the service itself writes."""
    form = {"Accept": "application/json"}
    answer = requests.post(server.url + "/v1/generate", json=fields, headers=form, timeout=60)
    return str(answer.json()["choices"][0]["text"])


def test_text_streams_into_the_sheet_and_is_what_the_service_wrote(
    page: "Page", server: "Server"
) -> None:
    set_field(page, "max_tokens", 300)
    set_field(page, "min_tokens", 300)
    page.click("#text")
    page.keyboard.type("The moon")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#live")).to_have_text("Writing")
    expect(page.locator("#ink .machine").first).not_to_be_empty()
    assert wait_until_over(page).startswith("done · 300 characters")
    fields = {"max_tokens": 300, "min_tokens": 300, "seed": seed_of(page)}
    text = text_of(page)
    assert text == "The moon" + written(server, prompt="The moon", **fields)
    assert spans(page)[0] == ("mine", "The moon")
    assert {who for who, _ in spans(page)[1:]} == {"machine"}
    assert page.locator("#ink").inner_text().split() == text.split()
    expect(page.locator("#live")).to_have_text("done, 300 characters")


def test_stop_ends_it_here_and_in_the_service(page: "Page", server: "Server") -> None:
    write(page, "The sea")
    set_field(page, "max_tokens", 100_000)
    set_field(page, "min_tokens", 100_000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{4,} "))
    page.keyboard.press("Escape")
    assert wait_until_over(page).startswith("stopped")
    server.wait_for_metric("strophe_streams_running", 0)
    text = text_of(page)
    page.wait_for_timeout(200)
    assert text == text_of(page)
    assert len(text) > 200


def test_it_goes_on_from_the_caret_and_keeps_what_stands_behind(
    page: "Page", server: "Server"
) -> None:
    set_field(page, "max_tokens", 20)
    set_field(page, "seed", 5)
    write(page, "The moon\nand the end", at=8)
    middle = written(server, prompt="The moon", max_tokens=20, seed=5)
    assert go_on(page) == f"The moon{middle}\nand the end"
    assert spans(page)[-1] == ("mine", "and the end")


def test_a_seed_writes_the_same_again(page: "Page") -> None:
    write(page, "O rose")
    first = go_on(page)
    page.click("#keep-seed")
    write(page, "O rose")
    assert go_on(page) == first


def test_undo_and_redo_take_whole_generations(page: "Page") -> None:
    write(page, "The wind")
    first = go_on(page)
    second = go_on(page)
    assert len(second) > len(first)
    page.focus("#text")
    page.keyboard.press("Control+z")
    assert text_of(page) == first
    page.keyboard.press("Control+z")
    assert text_of(page) == "The wind"
    page.click("#redo")
    page.click("#redo")
    assert text_of(page) == second
    assert spans(page)[0] == ("mine", "The wind")


def test_what_is_typed_into_machine_text_is_told_apart(page: "Page") -> None:
    set_field(page, "min_tokens", 30)
    write(page, "Night")
    text = go_on(page)
    page.evaluate("document.getElementById('text').setSelectionRange(10, 10)")
    page.focus("#text")
    page.keyboard.type("XYZ")
    page.keyboard.press("Backspace")
    assert text_of(page) == text[:10] + "XY" + text[10:]
    seen = spans(page)
    assert ("mine", "XY") in seen
    assert [who for who, _ in seen[:4]] == ["mine", "machine", "mine", "machine"]


def test_one_may_type_while_it_writes(page: "Page") -> None:
    write(page, "First line\n")
    set_field(page, "max_tokens", 3000)
    set_field(page, "min_tokens", 3000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [1-9]"))
    page.evaluate("document.getElementById('text').setSelectionRange(5, 5)")
    page.focus("#text")
    page.keyboard.type(" typed meanwhile")
    assert wait_until_over(page).startswith("done · 3,000 characters")
    assert text_of(page).startswith("First typed meanwhile line\n")
    assert spans(page)[0] == ("mine", "First typed meanwhile line")
    assert len(text_of(page)) == len("First typed meanwhile line\n") + 3000
    assert page.locator("#ink").inner_text().split() == text_of(page).split()


def test_an_input_method_may_compose_while_it_writes(page: "Page") -> None:
    write(page, "abc\ndef")
    set_field(page, "max_tokens", 2000)
    set_field(page, "min_tokens", 2000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [1-9]"))
    page.evaluate("document.getElementById('text').setSelectionRange(3, 3)")
    page.focus("#text")
    keyboard = page.context.new_cdp_session(page)
    for text in ("に", "にほ", "にほん"):
        composed = {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        keyboard.send("Input.imeSetComposition", composed)
    keyboard.send("Input.insertText", {"text": "日本"})
    wait_until_over(page)
    assert text_of(page).startswith("abc日本\ndef")
    assert len(text_of(page)) == len("abc日本\ndef") + 2000
    assert page.locator("#ink").inner_text().split() == text_of(page).split()


def test_the_caret_is_in_sight_after_a_long_paste(page: "Page") -> None:
    page.click("#text")
    page.keyboard.insert_text("line\n" * 200 + "the last")
    expect(page.locator("#ink > div").last).to_be_in_viewport()


def test_another_way_is_kept_beside_the_first(page: "Page") -> None:
    write(page, "My heart")
    first = go_on(page)
    second = go_on(page, "#retry")
    assert first != second
    ways = page.locator(".way")
    expect(ways).to_have_count(2)
    ways.nth(0).click()
    assert text_of(page) == first
    expect(ways.nth(0)).to_have_attribute("aria-pressed", "true")
    ways.nth(1).click()
    assert text_of(page) == second
    page.click("#undo")
    assert text_of(page) == first


def test_one_chooses_among_three_next_lines(page: "Page") -> None:
    write(page, "The moon is high,")
    page.click("#next-line")
    wait_until_over(page)
    assert text_of(page) == "The moon is high,"
    lines = page.locator(".way-text").all_inner_texts()
    assert len(set(lines)) == 3
    page.locator(".way").nth(1).click()
    head, _, line = text_of(page).partition("\n")
    assert head == "The moon is high,"
    assert line.strip("\n") == lines[1].strip("\n")
    page.keyboard.press("3")
    expect(page.locator(".way").nth(2)).to_be_focused()
    assert text_of(page).split("\n", 1)[1].strip("\n") == lines[2].strip("\n")


def test_a_line_is_written_anew_and_its_neighbours_stay(page: "Page") -> None:
    write(page, "One line\nthe second line\nthe third", at=15)
    text = go_on(page, "#rewrite")
    first, *middle, last = text.split("\n")
    assert (first, last) == ("One line", "the third")
    assert middle != ["the second line"]
    assert len(middle) == 1
    page.locator(".way").nth(0).click()
    assert text_of(page) == "One line\nthe second line\nthe third"


MARKUP = "<script>window.evil = 1</script> &amp; <b>bold</b> <img src=x onerror=alert(1)>"


def test_markup_shows_as_it_was_typed(page: "Page") -> None:
    write(page, MARKUP)
    go_on(page)
    assert page.inner_text("#ink").startswith(MARKUP)
    page.click("#tab-compare")
    page.fill("#compare-temperatures", "0.5")
    page.click("#compare-start")
    expect(page.locator(".column-text .mine")).to_contain_text("&amp; <b>bold</b>")
    assert page.locator("#ink script, #ink b, #ink img, #columns b, #columns img").count() == 0
    assert page.evaluate("window.evil") is None


def test_fifty_thousand_characters_are_written_and_edited(page: "Page") -> None:
    line = "The moon enthroned the rose of light,\n"
    text = line * (50_000 // len(line) + 1)
    write(page, text)
    set_field(page, "max_tokens", 100)
    set_field(page, "min_tokens", 100)
    longer = go_on(page)
    assert longer.startswith(text)
    assert len(longer) == len(text) + 100
    page.evaluate("document.getElementById('text').setSelectionRange(25000, 25000)")
    page.focus("#text")
    page.keyboard.type("here")
    assert text_of(page) == longer[:25_000] + "here" + longer[25_000:]
    assert page.locator("#ink > div").count() == text_of(page).count("\n") + 1
    page.click("#undo")
    assert text_of(page) == longer


def test_the_ink_lies_exactly_under_the_caret(page: "Page") -> None:
    """Both layers wrap their lines alike, or the caret would not be where the letters are."""
    write(page, "Wide words that wander and wrap, AVAVA Ta To fi ffl  two spaces   three. " * 40)
    set_field(page, "max_tokens", 600)
    go_on(page)
    heights = "() => ['ink', 'text'].map(id => document.getElementById(id).scrollHeight)"
    ink, area = page.evaluate(heights)
    assert abs(ink - area) <= 2


def test_nothing_moves_while_it_writes(page: "Page") -> None:
    page.evaluate(
        """() => {
            window.shifts = [];
            const note = list => window.shifts.push(...list.getEntries().map(e => e.value));
            new PerformanceObserver(note).observe({ type: 'layout-shift' });
        }"""
    )
    write(page, "The garden")
    set_field(page, "max_tokens", 3000)
    set_field(page, "min_tokens", 3000)
    go_on(page)
    assert sum(page.evaluate("window.shifts")) < 0.01


def test_the_sheet_is_kept_in_the_browser(page: "Page") -> None:
    write(page, "Kept")
    set_field(page, "temperature", 0.35)
    text = go_on(page)
    before = spans(page)
    page.reload()
    expect(page.locator("#text")).to_have_value(text)
    assert spans(page) == before
    expect(page.locator("#field-temperature")).to_have_value("0.35")


def test_files_hold_the_text_and_what_made_it(page: "Page") -> None:
    set_field(page, "temperature", 0.6)
    write(page, "The *star*")
    text = go_on(page)
    contents = {}
    for ending in ("txt", "md", "json"):
        with page.expect_download() as waiting:
            page.click(f"#save-{ending}")
        contents[ending] = waiting.value.path().read_text(encoding="utf-8")
        assert waiting.value.suggested_filename.startswith("the-star")
    assert contents["txt"] == text
    assert f"seed {seed_of(page)}" in contents["md"]
    assert contents["md"].startswith("The \\*star\\*")
    saved = json.loads(contents["json"])
    assert saved["text"] == text == "".join(span["text"] for span in saved["spans"])
    (made,) = saved["generations"]
    assert (made["model"], made["seed"]) == ("verse", seed_of(page))
    assert made["settings"]["temperature"] == 0.6


def test_a_link_writes_the_piece_again_elsewhere(page: "Page", open_page: OpenPage) -> None:
    set_field(page, "temperature", 0.7)
    set_field(page, "max_tokens", 120)
    write(page, "A & b = <c> # ü\n")
    text = go_on(page)
    link = link_to(page)
    assert "?" not in link.split("#")[0]
    assert "seed=" in link
    other = open_page(link)
    expect(other.locator("#status")).to_have_text(OVER)
    assert text_of(other) == text
    expect(other.locator("#field-temperature")).to_have_value("0.7")
    other.reload()  # what was signed is kept with the sheet
    expect(other.locator("#text")).to_have_value(text)
    assert "seed=" in link_to(other)


def test_a_link_holds_the_text_where_no_seed_gives_it(page: "Page", open_page: OpenPage) -> None:
    set_field(page, "min_tokens", 60)
    write(page, "The first line\n")
    written_first = go_on(page)
    at = "document.getElementById('text').setSelectionRange(3, 3)"
    page.evaluate(at)
    text = go_on(page, "#rewrite")
    assert text != written_first
    other = open_page(link_to(page))
    expect(other.locator("#text")).to_have_value(text)
    page.click("#undo")
    assert "seed=" in link_to(page)  # what was written stands again behind what it was given
    page.locator("#text").press("Control+End")
    page.keyboard.type(" mine")
    assert "seed=" not in link_to(page)
    write(page, "A line")
    go_on(page, "#next-line")
    page.keyboard.press("1")
    assert "seed=" not in link_to(page)


def link_to(page: "Page") -> str:
    page.click("#copy-link")
    expect(page.locator("#link")).to_be_visible()
    return page.input_value("#link")


def test_a_key_is_asked_for_and_stays_in_the_tab(open_page: OpenPage, small: "Server") -> None:
    page = open_page(small.url, key=None)
    page.fill("#key", "not-a-key-that-is-valid")
    page.press("#key", "Enter")
    expect(page.locator("#key-why")).to_contain_text("not valid")
    page.fill("#key", KEY)
    page.click("#key-form .primary")
    expect(page.locator("#model option")).not_to_have_count(0)
    set_field(page, "min_tokens", 20)
    write(page, "Locked")
    assert go_on(page) != "Locked"
    assert KEY not in page.url
    assert KEY not in page.evaluate("JSON.stringify(localStorage)")


def test_a_full_service_is_waited_for(open_page: OpenPage, small: "Server") -> None:
    page = open_page(small.url, key=KEY)
    set_field(page, "min_tokens", 20)
    write(page, "Wait")
    with occupied(small):
        small.wait_for_metric("strophe_streams_running", 1)
        page.click("#continue")
        expect(page.locator("#status")).to_have_text("waiting, 0 ahead")
        page.keyboard.press("Escape")
        wait_until_over(page)
        small.wait_for_metric("strophe_requests_waiting", 0)
        with occupied(small):
            small.wait_for_metric("strophe_requests_waiting", 1)
            page.click("#continue")
            expect(page.locator("#status")).to_have_text(re.compile("queue is full; trying again"))
    assert wait_until_over(page).startswith("done")
    assert len(text_of(page)) > len("Wait")


def occupied(server: "Server") -> requests.Response:
    """A text without an end; leaving it closes the connection."""
    headers = {"Accept": "text/event-stream", "X-Api-Key": KEY}
    endless = {"max_tokens": 100_000, "min_tokens": 100_000}
    url = server.url + "/v1/generate"
    return requests.post(url, json=endless, headers=headers, stream=True, timeout=30)


def test_a_service_that_dies_leaves_the_text_and_is_gone_on_with(
    page: "Page", server: "Server"
) -> None:
    set_field(page, "max_tokens", 50_000)
    set_field(page, "min_tokens", 50_000)
    write(page, "The storm")
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{3,} "))
    os.kill(worker_of(server), signal.SIGKILL)
    expect(page.locator("#status")).to_have_text(re.compile("^broken off"))
    text = text_of(page)
    assert len(text) > 100
    expect(page.locator("#notice")).to_contain_text("They stay.")
    expect(page.locator("#notice")).to_contain_text("The service is back.", timeout=40_000)
    page.click("text=Go on from there")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{3,} "))
    page.keyboard.press("Escape")
    wait_until_over(page)
    assert text_of(page).startswith(text)
    assert len(text_of(page)) > len(text)


def worker_of(server: "Server") -> int:
    pid = server.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_a_wrong_setting_is_told_beside_its_field(page: "Page") -> None:
    set_field(page, "top_p", 1.5)
    expect(page.locator("#field-top_p-fault")).to_have_text("Top-p must be between 0 and 1.")
    write(page, "x")
    page.click("#continue")
    expect(page.locator("#notice")).to_contain_text("Top-p")
    assert text_of(page) == "x"


def test_the_forms_bounds_and_defaults_are_those_of_the_service(page: "Page") -> None:
    fields = page.evaluate("import('/static/fields.js').then(module => module.FIELDS)")
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
    page.click("text=Its card")
    expect(page.locator("#card")).to_have_text(card)
    expect(page.locator("#model-facts")).to_contain_text("3 layers of 512 units")


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


@pytest.fixture
def inspection(server: "Server") -> Callable[..., dict[str, Any]]:
    """What /v1/inspect says of a text."""

    def inspect(text: str, **fields: object) -> dict[str, Any]:
        url = server.url + "/v1/inspect"
        answer = requests.post(url, json={"text": text, **fields}, timeout=60)
        if answer.status_code == 404:
            pytest.skip("this service has no /v1/inspect")
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
    page.click("#find-line")
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
    for view in ("write", "see", "compare"):
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


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: npm install axe-core")
def test_axe_finds_no_serious_fault(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")  # or colours are caught half-way
    write(page, "The moon")
    go_on(page)
    page.click("#next-line")
    wait_until_over(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for view in ("write", "see", "compare"):
        page.click(f"#tab-{view}")
        expect(page.locator("#see-told")).not_to_have_text("reading …")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run().then(result => result.violations)")
            serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
            assert serious == [], (view, scheme)
