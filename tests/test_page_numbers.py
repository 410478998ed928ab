"""Numbers on the page: with a decimal point or a decimal comma, alone and in Compare's list."""

from typing import TYPE_CHECKING

from sheet import IN_A_BROWSER, expect, set_field

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

READ = """async ([name, texts]) => {
    const numbers = await import('/static/text/numbers.js');
    return texts.map((text) => {
        try {
            const read = numbers[name](text);
            return Number.isNaN(read) ? "none" : read;
        } catch (error) {
            return error instanceof RangeError ? "told" : String(error);
        }
    });
}"""


def read(page: "Page", name: str, texts: list[str]) -> list[object]:
    return list(page.evaluate(READ, [name, texts]))


def test_one_number_has_a_point_or_a_comma(page: "Page") -> None:
    texts = ["0,7", "0.7", " 12 ", "-0,5", ",5", "1,000.5", "1.2.3", "abc", "", "1 2"]
    assert read(page, "readNumber", texts) == [0.7, 0.7, 12, -0.5, 0.5, *["none"] * 5]


def test_a_list_is_read_or_what_is_unclear_is_told(page: "Page") -> None:
    clear = {
        "0,4 0,8": [0.4, 0.8],
        "0,4; 0,8": [0.4, 0.8],
        "0.4, 0.8": [0.4, 0.8],
        "0,4, 0,8": [0.4, 0.8],
        "0.4,0.8,1": [0.4, 0.8, 1],
        "1, 2": [1, 2],
        "": [],
    }
    assert read(page, "readNumbers", list(clear)) == list(clear.values())
    unclear = ["1,2", "0,4,0,8", "0.4, 0,8", "1,000.5", "warm"]
    assert read(page, "readNumbers", unclear) == ["told"] * len(unclear)


def test_settings_take_a_decimal_comma(page: "Page") -> None:
    set_field(page, "temperature", "0,7")
    expect(page.locator("#field-temperature-fault")).to_have_text("")
    expect(page.locator("#slider-temperature")).to_have_value("0.7")


def test_compare_takes_decimal_commas_and_tells_what_may_be_two(page: "Page") -> None:
    set_field(page, "max_tokens", 4)
    page.click("#tab-compare")
    page.fill("#compare-prompt", "The moon")
    page.fill("#compare-temperatures", "0,4 0,8")
    page.click("#compare-start")
    expect(page.locator("#columns h2")).to_have_text(["temperature 0.4", "temperature 0.8"])
    expect(page.locator(".column-status", has_text="done")).to_have_count(2)
    page.fill("#compare-temperatures", "1,2")
    page.click("#compare-start")
    expect(page.locator("#notice")).to_contain_text("may be one number or several")


def test_one_character_is_told_as_one(page: "Page") -> None:
    script = """text => import('/static/service/progress.js').then(({ Progress }) => {
        let told = "";
        const progress = new Progress((shown) => (told = shown));
        progress.take({ kind: "text", text });
        progress.end("done");
        return told;
    })"""
    assert page.evaluate(script, "a").startswith("done · 1 character · ")
    assert page.evaluate(script, "a" * 1000).startswith("done · 1,000 characters · ")
