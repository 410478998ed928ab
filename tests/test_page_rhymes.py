"""Rhymes on the page, and what the form wants of a line: palettes, keys, and words for it."""

from typing import TYPE_CHECKING

import pytest
from sheet import IN_A_BROWSER, expect, row, show_lines, text_of, write

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

QUATRAIN = "The moon is in the silver sky,\nThe sea is cold and gray,\n"


@pytest.fixture(scope="module")
def server(worded_server: "Server") -> "Server":
    return worded_server


def test_a_rhyme_from_the_palette_goes_to_the_lines_end(forms: "Page") -> None:
    write(forms, QUATRAIN + "And here I wait, ")
    forms.select_option("#form", "quatrain-abab")
    show_lines(forms, 4)
    forms.click(row(forms, 3, "rhymes"))
    expect(forms.locator(".palette")).to_contain_text("Rhymes with sky")
    words = forms.locator("[data-rhyme]").evaluate_all("all => all.map(e => e.dataset.rhyme)")
    assert {"high", "eye"} & set(words)
    first, second = words[:2]
    forms.click(f"[data-rhyme={first}]")
    assert text_of(forms) == f"{QUATRAIN}And here I wait, {first}"
    forms.click(f"[data-rhyme={second}]")
    assert text_of(forms) == f"{QUATRAIN}And here I wait, {second}"
    forms.click("#undo")
    forms.click("#undo")
    assert text_of(forms) == f"{QUATRAIN}And here I wait, "


def test_what_the_form_still_wants_is_told_as_one_writes(forms: "Page") -> None:
    missing = forms.locator("#form-missing")
    write(forms, QUATRAIN)
    forms.select_option("#form", "quatrain-abab")
    wants = "wants 10 syllables and a rhyme on"
    expect(missing).to_have_text(f"2 lines to go; line 3 {wants} “sky”.")
    forms.focus("#text")
    forms.keyboard.type("And here I wait, and wonder why,\n")
    expect(missing).to_have_text(f"1 line to go; line 4 {wants} “gray”.")
    forms.keyboard.press("ArrowUp")
    expect(missing).to_have_text(f"1 line to go; line 3 {wants} “sky”.")
    show_lines(forms, 4)
    facts = forms.locator("#poem-lines .meaning").nth(3)
    expect(facts).to_have_text("still missing · 10 syllables · a rhyme on “gray”")


def test_what_lines_of_every_form_want_can_be_said(forms: "Page") -> None:
    script = """async (lines) => {
        const { missingOf } = await import('/static/form/wants.js');
        const { forms } = await (await fetch('/v1/forms')).json();
        const said = (spec) => spec.stanzas.flat().map((_, count) =>
            missingOf(spec, lines.slice(0, count)));
        return Object.fromEntries(forms.map(({ name, spec }) => [name, said(spec)]));
    }"""
    lines = [{"text": f"My line number {number} is night"} for number in range(30)]
    said = forms.evaluate(script, lines)
    assert said["haiku"][1] == "2 lines to go; line 2 wants 7 syllables."
    assert said["limerick"][1].endswith("line 2 wants 8 to 9 syllables and a rhyme on “night”.")
    assert said["acrostic"][0].endswith("line 1 wants 8 syllables and V as its first letter.")
    assert said["triolet"][3].endswith("line 4 wants line 1 again: “My line number 0 is night”.")
    assert said["ghazal"][0].endswith("wants 9 to 12 syllables and “tonight” at its end.")
    for each in (text for texts in said.values() for text in texts):
        assert "undefined" not in each
        assert "NaN" not in each


def test_rhymes_at_the_caret_are_chosen_by_keys(forms: "Page") -> None:
    write(forms, QUATRAIN + "And here I wait, ")
    forms.select_option("#form", "quatrain-abab")
    forms.focus("#text")
    forms.keyboard.press("Alt+r")
    rhymes = forms.get_by_role("listbox", name="Rhymes with sky")
    expect(rhymes).to_be_focused()
    options = rhymes.get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    words = options.all_inner_texts()
    assert {"high", "eye"} & set(words)
    chosen = rhymes.locator("[aria-selected=true]")
    forms.keyboard.press("ArrowRight")
    expect(chosen).to_have_text(words[1])
    forms.keyboard.press("End")
    expect(chosen).to_have_text(words[-1])
    forms.keyboard.press("Home")
    forms.keyboard.press("ArrowDown")
    below = chosen.inner_text()
    assert below not in words[:1]
    forms.keyboard.press("ArrowUp")
    expect(chosen).to_have_text(words[0])
    forms.keyboard.press("Enter")
    assert text_of(forms) == f"{QUATRAIN}And here I wait, {words[0]}"
    expect(forms.locator("#text")).to_be_focused()
    forms.keyboard.press("Control+z")
    assert text_of(forms) == f"{QUATRAIN}And here I wait, "


def test_another_word_to_rhyme_with_is_a_key_away_and_escape_leaves(forms: "Page") -> None:
    write(forms, QUATRAIN + "And here I ")
    forms.focus("#text")
    forms.keyboard.press("Alt+r")
    expect(forms.locator("[data-word]")).to_have_text(["gray", "sky"])
    expect(forms.get_by_role("option").first).to_be_visible()
    forms.keyboard.press("Shift+Tab")
    expect(forms.locator("[data-word=sky]")).to_be_focused()
    forms.keyboard.press("Enter")
    expect(forms.get_by_role("listbox", name="Rhymes with sky")).to_be_visible()
    forms.keyboard.press("Escape")
    expect(forms.locator("#rhymes")).to_have_count(0)
    expect(forms.locator("#text")).to_be_focused()
    assert text_of(forms) == QUATRAIN + "And here I "


def test_a_line_rhymes_as_that_of_the_stanza_before(forms: "Page") -> None:
    before = "The moon is in the sky,\nIt was the day,\nI wonder why,\nThe birds are gray.\n\n"
    write(forms, before + "I went to sea,\nI saw the night,\n")
    forms.focus("#text")
    forms.keyboard.press("Alt+r")
    expect(forms.get_by_role("listbox", name="Rhymes with sea")).to_be_focused()
    expect(forms.get_by_role("option").first).to_be_visible()
    forms.get_by_role("option", name="free", exact=True).click()
    assert text_of(forms).endswith("I saw the night,\nfree")


def test_a_word_without_rhymes_says_so_in_the_palette(forms: "Page") -> None:
    write(forms, "I have an orange\n")
    forms.focus("#text")
    forms.keyboard.press("Alt+r")
    expect(forms.locator(".rhyme-list")).to_contain_text("rhymes with 'orange'")
    forms.locator("#text").click(position={"x": 5, "y": 300})
    expect(forms.locator("#rhymes")).to_have_count(0)
