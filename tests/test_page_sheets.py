"""The page's sheets: none of them is lost, whatever tabs, links, reloads and storage do."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sheet import (
    IN_A_BROWSER,
    expect,
    expect_connected,
    go_on,
    link_to,
    open_sheets,
    set_field,
    sheets,
    spans,
    stored_texts,
    text_of,
    wait_until_over,
    write,
)
from waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

OpenTab = Callable[[], "Page"]


def test_two_tabs_that_write_at_once_keep_both_texts(page: "Page", open_tab: OpenTab) -> None:
    write(page, "Root")
    wait_until(lambda: stored_texts(page) == ["Root"])
    other = open_tab()
    expect(other.locator("#text")).to_have_value("Root")
    hold_back(page)  # neither has heard of the other when it stores
    hold_back(other)
    write(page, "Root and rose")
    write(other, "Root and thorn")
    for tab in (page, other):
        expect(tab.locator("#notice")).to_contain_text("changed in two tabs at once")
    assert stored_texts(page) == ["Root and rose", "Root and thorn"]
    assert {text_of(page), text_of(other)} == {"Root and rose", "Root and thorn"}
    assert "Root and" in " ".join(sheets(page))
    assert any("(from the other tab)" in title for title in sheets(page))


def hold_back(page: "Page") -> None:
    """Answers of the database wait a little, so that two tabs surely write at once."""
    page.evaluate(
        """() => {
            const { transaction } = IDBDatabase.prototype;
            IDBDatabase.prototype.transaction = function (stores, mode, options) {
                const started = transaction.call(this, stores, mode, options);
                if (!stores.includes('heads')) return started;
                const until = performance.now() + 150;
                const heads = started.objectStore('heads');
                const wait = () => {
                    if (performance.now() < until) heads.count().onsuccess = wait;
                };
                wait();
                return started;
            };
        }"""
    )


def test_a_tab_shows_what_another_one_wrote_on_its_sheet(page: "Page", open_tab: OpenTab) -> None:
    write(page, "A line\nthe last")
    wait_until(lambda: stored_texts(page) == ["A line\nthe last"])
    other = open_tab()
    expect(other.locator("#notice")).to_contain_text("open in another tab too")
    other.evaluate("document.getElementById('text').setSelectionRange(10, 10)")
    write(page, "A longer line\nthe last")
    expect(other.locator("#text")).to_have_value("A longer line\nthe last")
    assert other.evaluate("document.getElementById('text').selectionStart") == 17
    other.click("#undo")
    expect(page.locator("#text")).to_have_value("A line\nthe last")
    assert stored_texts(page) == ["A line\nthe last"]


def type_on(page: "Page") -> None:
    page.locator("#text").press("End")
    page.keyboard.type("!")


def undo(page: "Page") -> None:
    page.click("#undo")


def undo_and_redo(page: "Page") -> None:
    page.click("#undo")
    page.click("#redo")


def choose_next_line(page: "Page") -> None:
    go_on(page, "#next-line")
    page.locator(".way").nth(1).click()


def rewrite(page: "Page") -> None:
    go_on(page, "#rewrite")


ACTIONS = [type_on, go_on, undo, undo_and_redo, choose_next_line, rewrite]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_reload_right_after_an_action_loses_nothing(
    page: "Page", action: Callable[["Page"], object]
) -> None:
    write(page, "The moon")
    page.locator("#text").press("End")
    page.keyboard.type(" is")
    action(page)
    before, seen = text_of(page), spans(page)
    page.reload()
    expect(page.locator("#text")).to_have_value(before)
    assert spans(page) == seen
    wait_until(lambda: stored_texts(page) == [before])


def test_a_reload_while_it_writes_keeps_what_was_written(page: "Page") -> None:
    set_field(page, "max_tokens", 50_000)
    set_field(page, "min_tokens", 50_000)
    write(page, "The sea")
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{4,} "))
    shown = "".join(text for _, text in spans(page))
    page.reload()
    expect(page.locator("#text")).not_to_have_value("")
    assert text_of(page).replace("\n", "").startswith(shown)


def test_undo_and_redo_survive_a_reload(page: "Page") -> None:
    write(page, "Night")
    text = go_on(page)
    page.reload()
    expect(page.locator("#text")).to_have_value(text)
    page.click("#undo")
    assert text_of(page) == "Night"
    page.reload()
    expect(page.locator("#text")).to_have_value("Night")
    page.click("#redo")
    assert text_of(page) == text
    assert spans(page)[1][0] == "machine"


def test_a_new_sheet_leaves_the_old_one_among_the_sheets(page: "Page") -> None:
    write(page, "First poem\nof two")
    page.click("#sheet-new")
    expect(page.locator("#text")).to_have_value("")
    write(page, "Second poem")
    page.reload()
    expect(page.locator("#text")).to_have_value("Second poem")
    assert sheets(page) == ["Second poem", "First poem"]
    open_sheets(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value("First poem\nof two")
    expect(page.locator("#text")).to_be_focused()
    page.click("#undo")  # each sheet has its own steps
    assert text_of(page) == ""


def test_what_is_said_of_a_writing_goes_with_its_sheet(page: "Page") -> None:
    write(page, "The moon")
    go_on(page)
    page.click("#sheet-new")
    expect(page.locator("#status")).to_contain_text("continues from the caret")
    write(page, "The sea")
    go_on(page)
    open_sheets(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value(re.compile("^The moon"))
    expect(page.locator("#status")).to_contain_text("continues from the caret")


def test_a_sheet_is_given_a_title(page: "Page") -> None:
    write(page, "First line")
    open_sheets(page)
    page.click("[data-act=Rename]")
    page.keyboard.type("A title of its own")
    page.keyboard.press("Enter")
    expect(page.locator(".sheet-title")).to_have_text("A title of its own")
    page.click("[data-act=Rename]")
    page.keyboard.type("not this")
    page.keyboard.press("Escape")
    expect(page.locator(".sheet-title")).to_have_text("A title of its own")
    page.keyboard.press("Escape")
    write(page, "Another first line")
    page.reload()
    assert sheets(page) == ["A title of its own"]


def test_a_deleted_sheet_can_be_recovered_for_thirty_days(page: "Page") -> None:
    write(page, "To be deleted")
    page.click("#sheet-new")
    write(page, "Stays")
    open_sheets(page)
    page.click("[aria-label='Delete To be deleted']")
    expect(page.locator("#sheets-list li")).to_have_count(1)
    page.click("#sheets-deleted summary")
    page.click("[aria-label='Recover To be deleted']")
    expect(page.locator("#sheets-list li")).to_have_count(2)
    page.click("[aria-label='Delete Stays']")
    page.click("[aria-label='Delete To be deleted']")
    expect(page.locator("#text")).to_have_value("")
    page.keyboard.press("Escape")
    in_storage(page, "heads", "head => ({...head, deleted: Date.now() - 31 * 86_400_000})", "Stays")
    page.reload()
    expect_connected(page)
    assert stored_texts(page) == ["To be deleted"]


def in_storage(page: "Page", store: str, change: str, first_line: str) -> None:
    """Change a record as it lies in the browser."""
    script = f"""line => new Promise(resolve => {{
        indexedDB.open('strophe').onsuccess = ({{target: {{result}}}}) => {{
            const store = result.transaction('{store}', 'readwrite').objectStore('{store}');
            store.getAll().onsuccess = ({{target}}) => {{
                const record = target.result.find(({{firstLine}}) => firstLine === line);
                store.put(({change})(record)).onsuccess = () => (result.close(), resolve());
            }};
        }};
    }})"""
    page.evaluate(script, first_line)


def test_a_link_opens_on_a_sheet_of_its_own(page: "Page", server: "Server") -> None:
    write(page, "My own poem")
    wait_until(lambda: stored_texts(page) == ["My own poem"])
    link = server.url + "/#text=A+line%0Aof+a+friend"
    for _ in range(2):  # the second time it leads to the same sheet
        page.goto("about:blank")
        page.goto(link)
        expect(page.locator("#text")).to_have_value("A line\nof a friend")
        expect(page.locator("#notice")).to_contain_text("came with a link")
        assert sorted(sheets(page)) == ["A line (from a link)", "My own poem"]
    assert "#" not in page.url
    write(page, "A line\nthat I changed")
    page.evaluate("location.hash = 'text=A+line%0Aof+a+friend'")
    expect(page.locator("#text")).to_have_value("A line\nof a friend")
    texts = ["A line\nof a friend", "A line\nthat I changed", "My own poem"]
    wait_until(lambda: stored_texts(page) == texts)


def test_what_a_link_writes_is_there_when_it_is_opened_again(
    page: "Page", server: "Server"
) -> None:
    set_field(page, "max_tokens", 40)
    write(page, "O rose")
    text = go_on(page)
    link = link_to(page)
    page.click("#sheet-new")
    for _ in range(2):
        page.evaluate("link => { location.hash = new URL(link).hash; }", link)
        expect(page.locator("#notice")).to_contain_text("came with a link")
        wait_until_over(page)
        expect(page.locator("#text")).to_have_value(text)
    assert len(sheets(page)) == 2


def test_the_sheet_of_an_earlier_release_is_taken_over(page: "Page") -> None:
    earlier = {
        "spans": [{"text": "From ", "by": 0}, {"text": "before", "by": 3}],
        "generations": {"3": {"model": "verse", "seed": 5, "settings": {"temperature": 0.4}}},
        "settings": {"temperature": 0.3},
        "caret": 4,
    }
    page.evaluate("kept => localStorage.setItem('strophe.sheet', JSON.stringify(kept))", earlier)
    page.evaluate("localStorage.removeItem('strophe.settings')")
    page.reload()
    expect(page.locator("#text")).to_have_value("From before")
    assert spans(page) == [("mine", "From "), ("machine", "before")]
    assert page.evaluate("document.getElementById('text').selectionStart") == 4
    expect(page.locator("#field-temperature")).to_have_value("0.3")
    assert page.evaluate("localStorage.getItem('strophe.sheet')") is None
