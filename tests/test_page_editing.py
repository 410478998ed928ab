"""Editing the sheet while the machine writes, waits or has broken off: all finds its place."""

import re
from typing import TYPE_CHECKING

from page_routes import break_off, held_back
from sheet import (
    IN_A_BROWSER,
    caret_to,
    expect,
    go_on,
    seed_of,
    set_field,
    spans,
    text_of,
    wait_until_over,
    write,
    write_at_once,
    written,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def write_twenty(page: "Page") -> None:
    set_field(page, "max_tokens", 20)
    set_field(page, "min_tokens", 20)
    set_field(page, "seed", 5)


def test_a_broken_text_goes_on_where_it_ended_wherever_that_is(page: "Page") -> None:
    write_twenty(page)
    write(page, "The moon\nThe end", at=8)
    broken = break_off(page)
    first = broken[8:-8]
    caret_to(page, 0)
    page.keyboard.type("Above\n")
    caret_to(page, len("Above\nThe moon" + first))
    page.keyboard.type("!")
    page.click("text=Go on from there")
    wait_until_over(page)
    text = text_of(page)
    assert text.startswith(f"Above\nThe moon{first}!")
    assert text.endswith("\nThe end")
    assert len(text) > len(f"Above\nThe moon{first}!\nThe end")


def test_a_broken_text_that_was_deleted_goes_on_where_it_stood(page: "Page") -> None:
    write_twenty(page)
    write(page, "The moon\nThe end", at=8)
    broken = break_off(page)
    page.focus("#text")
    page.evaluate(
        "end => document.getElementById('text').setSelectionRange(4, end)", len(broken) - 4
    )
    page.keyboard.press("Delete")
    assert text_of(page) == "The  end"[:4] + broken[-4:]
    page.click("text=Go on from there")
    wait_until_over(page)
    text = text_of(page)
    assert text.startswith("The ")
    assert text.endswith(" end")
    assert "machine" in {who for who, _ in spans(page)}


def test_what_is_typed_before_the_answer_stands_before_it(page: "Page", server: "Server") -> None:
    write_twenty(page)
    write(page, "The moon\nThe end", at=8)
    with held_back(page, "#continue"):
        caret_to(page, 8)
        page.keyboard.type(" is")
        caret_to(page, 0)
        page.keyboard.type("O ")
    middle = written(server, prompt="The moon", max_tokens=20, min_tokens=20, seed=5)
    assert text_of(page) == f"O The moon is{middle}\nThe end"


def test_next_lines_follow_what_is_typed_before_and_after_they_come(page: "Page") -> None:
    write(page, "The moon is high,\nThe end", at=17)
    with held_back(page, "#next-line"):
        caret_to(page, 0)
        page.keyboard.type("O ")
    expect(page.locator(".way")).to_have_count(3)
    caret_to(page, 2)
    page.keyboard.type("see ")
    line = page.locator(".way-text").nth(1).inner_text().strip("\n")
    page.locator(".way").nth(1).click()
    head, *middle, tail = text_of(page).split("\n")
    assert (head, tail) == ("O see The moon is high,", "The end")
    assert "\n".join(middle).strip("\n") == line


def test_a_next_line_begins_a_line_though_one_typed_at_its_place(page: "Page") -> None:
    write(page, "The moon is high\n")
    go_on(page, "#next-line")
    caret_to(page, len("The moon is high\n"))
    page.keyboard.type("and white")
    page.locator(".way").nth(0).click()
    head, second, *rest = text_of(page).split("\n")
    assert (head, second) == ("The moon is high", "and white")
    assert any(rest)


def test_next_lines_go_with_the_text_that_they_followed(page: "Page") -> None:
    write(page, "The moon is high,\nThe end", at=17)
    go_on(page, "#next-line")
    write(page, "Something else")
    expect(page.locator("#alternatives")).to_be_hidden()
    expect(page.locator("#retry")).to_have_attribute("aria-disabled", "true")


def test_a_line_that_is_edited_before_its_rewriting_comes_stays(page: "Page") -> None:
    write(page, "One line\nthe second line\nthe third", at=15)
    with held_back(page, "#rewrite"):
        caret_to(page, 15)
        page.keyboard.type("nd best")
    assert text_of(page) == "One line\nthe se" + "nd best" + "cond line\nthe third"
    expect(page.locator("#notice")).to_contain_text("changed meanwhile")


def test_another_way_comes_where_the_first_stands_after_edits(page: "Page") -> None:
    write_twenty(page)
    write(page, "The moon\nThe end", at=8)
    first = go_on(page)
    caret_to(page, 0)
    page.keyboard.type("Above\n")
    second = go_on(page, "#retry")
    assert second != f"Above\n{first}"
    assert second.startswith("Above\nThe moon")
    assert second.endswith("\nThe end")
    page.locator(".way").nth(0).click()
    assert text_of(page) == f"Above\n{first}"
    page.locator(".way").nth(0).click()  # it stands already
    page.click("#undo")
    assert text_of(page) == second


def test_ways_keep_their_place_when_typing_beside_it_is_undone_and_redone(page: "Page") -> None:
    write(page, "The moon is high,")
    go_on(page, "#next-line")
    caret_to(page, 17)
    page.keyboard.type(" so high,")
    page.click("#undo")
    page.click("#redo")
    page.locator(".way").nth(0).click()
    assert text_of(page).startswith("The moon is high, so high,\n")


def test_a_poem_stopped_by_undo_leaves_nothing(page: "Page") -> None:
    write(page, "A first stanza\n\n\nA last stanza", at=3)
    before = text_of(page)
    page.click("#form-toggle")
    expect(page.locator("#form option")).not_to_have_count(0)
    page.select_option("#form", "sonnet")
    page.click("#form-write")
    expect(page.locator("#ink .machine").first).not_to_be_empty()
    caret_to(page, len("A first stanza") + 5)
    page.keyboard.type("x")
    page.click("#undo")
    page.click("#undo")
    assert text_of(page) == before
    expect(page.locator("#continue")).to_have_attribute("aria-disabled", "false")
    expect(page.locator("#status")).to_have_text("Undone")
    assert text_of(page) == before
    expect(page.locator("#redo")).to_have_attribute("aria-disabled", "false")


def test_the_seed_is_that_of_what_was_chosen_and_of_what_stands(page: "Page") -> None:
    write(page, "The moon is high,")
    expect(page.locator("#last-seed")).to_have_text("none yet")
    set_field(page, "seed", 41)
    page.click("#next-line")
    assert "seeds 41 to 43" in wait_until_over(page)
    page.locator(".way").nth(2).click()
    assert seed_of(page) == 43
    expect(page.locator("#status")).to_have_text("Way 3 is in the text · seed 43")
    set_field(page, "seed", 7)
    go_on(page)
    assert seed_of(page) == 7
    page.click("#undo")
    assert seed_of(page) == 43
    expect(page.locator("#status")).to_have_text("Undone · seed 43")
    page.click("#keep-seed")
    expect(page.locator("#field-seed")).to_have_value("43")
    page.click("#undo")
    expect(page.locator("#last-seed")).to_have_text("none yet")
    expect(page.locator("#keep-seed")).to_have_attribute("aria-disabled", "true")


def test_the_seed_is_that_of_the_text_at_the_caret(page: "Page") -> None:
    set_field(page, "max_tokens", 20)
    write(page, "The moon")
    for seed in (11, 12):
        set_field(page, "seed", seed)
        go_on(page)
    assert seed_of(page) == 12
    caret_to(page, 12)
    expect(page.locator("#last-seed")).to_have_text("11")


def distance(page: "Page") -> float:
    script = "({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight"
    return float(page.locator("#paper").evaluate(script))


def test_scrolling_back_is_respected_while_it_writes(page: "Page") -> None:
    write_at_once(page, "line\n" * 60)
    set_field(page, "max_tokens", 100_000)
    set_field(page, "min_tokens", 100_000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{4,} "))
    assert distance(page) < 60
    for back in (
        lambda: page.evaluate("document.getElementById('paper').scrollTop -= 90"),
        lambda: page.mouse.wheel(0, -100),
        lambda: page.press("#text", "ArrowUp"),
    ):
        box = page.locator("#paper").bounding_box()
        assert box
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        back()
        frames(page, 3)
        before, end = page.evaluate("document.getElementById('paper').scrollTop"), distance(page)
        expect_growth(page)
        assert page.evaluate("document.getElementById('paper').scrollTop") <= before
        assert distance(page) > end
        page.evaluate("document.getElementById('paper').scrollTop = 1e9")
        expect_growth(page)
        assert distance(page) < 60
    page.keyboard.press("Escape")
    wait_until_over(page)


def frames(page: "Page", count: int) -> None:
    script = """async count => {
        for (; count > 0; count--) await new Promise(requestAnimationFrame);
    }"""
    page.evaluate(script, count)


def expect_growth(page: "Page") -> None:
    """Wait until the machine has written some more lines."""
    before = page.locator("#ink > div").count()
    script = "before => document.getElementById('ink').childElementCount > before + 8"
    page.wait_for_function(script, arg=before)
    frames(page, 2)


def test_no_character_is_cut_in_two(page: "Page") -> None:
    """A prompt that the service takes, though its beginning would lie amid an emoji."""
    write_twenty(page)
    write_at_once(page, "a" + "🌙" * 4000)
    before = text_of(page)
    assert go_on(page).startswith(before)
    assert page.locator("#notice").inner_text() == ""
    cut = """async at => {
        const { cutUpTo, cutFrom } = await import('/static/text/characters.js');
        const text = 'e\\u0301👨‍👩‍👧x';
        return [cutUpTo(text, at), cutFrom(text, at)];
    }"""
    assert page.evaluate(cut, 1) == [0, 2]
    assert page.evaluate(cut, 2) == [2, 2]
    assert page.evaluate(cut, 7) == [2, 10]
    assert page.evaluate(cut, 10) == [10, 10]


def test_an_emoji_in_place_of_its_neighbour_is_whole(page: "Page") -> None:
    """Both begin with the same half, so a comparison by halves would find only the other."""
    script = """async ([before, after, caret]) => {
        const { difference } = await import('/static/text/piece.js');
        return difference(before, after, caret);
    }"""
    found = page.evaluate(script, ["a😀b", "a😁b", 3])
    assert found == {"start": 1, "end": 3, "text": "😁"}
    found = page.evaluate(script, ["a\U0001f600b", "a\U0002f600b"[:1] + "\U0001fa00b", 3])
    assert found == {"start": 1, "end": 3, "text": "\U0001fa00"}
