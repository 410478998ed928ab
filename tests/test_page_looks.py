"""The page on paper, and in colours that the reader has chosen."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sheet import IN_A_BROWSER, OpenPage, expect, go_on, set_field, wait_until_over, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

STANZA = 4
WRITERS = ("mine", "machine")
BOTH = ("true", "false")
LINES = ("borderTopWidth", "borderTopStyle", "borderBottomWidth", "borderBottomStyle")


def test_a_long_text_is_printed_on_as_many_pages_as_it_takes(page: "Page") -> None:
    lines = [f"Line {number} of what was written" for number in range(120)]
    stanzas = ["\n".join(lines[at : at + STANZA]) for at in range(0, len(lines), STANZA)]
    write(page, "\n\n".join(stanzas))
    printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 5


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_what_is_printed_is_the_text_alone_with_its_stanzas_whole(
    page: "Page", tmp_path: Path
) -> None:
    lines = [f"Line {number} of what was written" for number in range(60)]
    write(page, "\n\n".join("\n".join(lines[at : at + STANZA]) for at in range(0, 60, STANZA)))
    page.pdf(path=tmp_path / "sheet.pdf", format="A4")
    command = ["pdftotext", "-layout", str(tmp_path / "sheet.pdf"), "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout
    pages = [
        [line.strip() for line in page.split("\n") if line.strip()] for page in text.split("\f")
    ]
    assert [line for page in pages for line in page] == lines
    assert all(len(page) % STANZA == 0 for page in pages)


def looks(page: "Page", selector: str, *properties: str) -> list[tuple[str, ...]]:
    """What is seen of each element that is found, by computed styles."""
    script = """(all, names) => all.map(e => {
        const style = getComputedStyle(e);
        return names.map(name => style[name]);
    })"""
    found = page.locator(selector).evaluate_all(script, list(properties))
    return [tuple(each) for each in found]


def test_what_colours_say_is_seen_without_them(open_page: OpenPage) -> None:
    page = open_page(forced_colors="active")
    set_field(page, "max_tokens", 40)
    write(page, "The moon")
    go_on(page)
    page.click("#next-line")
    wait_until_over(page)
    page.keyboard.press("1")
    expect(page.locator(".way[aria-pressed=true]")).to_have_count(1)
    mine, machine = (looks(page, f"#ink .{who}", "textDecorationLine")[0] for who in WRITERS)
    assert mine != machine
    chosen, other = (
        looks(page, f".way[aria-pressed={pressed}]", "backgroundColor")[0] for pressed in BOTH
    )
    assert chosen != other
    usable, unusable = (looks(page, name, "borderTopStyle") for name in ("#continue", "#stop"))
    assert usable != unusable
    selected, unselected = (
        looks(page, f".tabs [aria-selected={each}]", *LINES)[0] for each in BOTH
    )
    assert selected != unselected
    page.click("#tab-see")
    expect(page.locator("#reading [role=option]").first).to_be_visible()
    page.evaluate("document.getElementById('legend-unit').hidden = false")
    for legend, steps in (("#legend-surprisal", 6), ("#legend-unit", 7)):
        assert len(set(looks(page, f"{legend} > span", *LINES))) == steps
    expect(page.locator("#top .bar").first).to_be_attached()
    bar, track = (looks(page, f"#top {name}", "backgroundColor")[0] for name in (".bar", ".track"))
    assert bar != track
