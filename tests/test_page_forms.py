"""Writing in forms on the page: poems, their lines, what is kept, rhymes, and what cannot be."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from page_routes import holding
from sheet import (
    IN_A_BROWSER,
    OpenPage,
    caret_to,
    compose,
    expect,
    row,
    seed_of,
    set_field,
    show_lines,
    spans,
    text_of,
    wait_until_over,
    write,
)

from model import checkpoint as checkpoints
from model.extra_files import COPIES
from training.data.copy_indexing import copy_index_of
from training.data.document_store import StoredText

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server, StartServer

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

READ = "THE MOON\n\nThe moon is in the silver sky,\nAnd all the stars have gone to sleep.\n"


@pytest.fixture(scope="module")
def server(
    start_server: "StartServer", worded_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> "Server":
    """With a small model that has words, so that its first poem is not waited for, and READ."""
    folder = tmp_path_factory.mktemp("checkpoints")
    tiny = Path(shutil.copytree(worded_checkpoint, folder / "tiny"))
    index = copy_index_of([StoredText(READ, True, "poems.txt", 1)])
    checkpoints.add_file(tiny, COPIES, index.serialized, facts={}, card="# A test\n")
    return start_server(STROPHE_CHECKPOINTS=str(folder), STROPHE_MAX_STREAMS="3")


def kept(server: "Server", text: str, form: str) -> bool:
    """Whether the service finds that a text keeps a form."""
    body = {"text": text, "form": form}
    return bool(
        requests.post(f"{server.url}/v1/analyze", json=body, timeout=30).json()["report"]["ok"]
    )


def answer(server: "Server", **fields: Any) -> Any:
    form = {"Accept": "application/json"}
    return requests.post(f"{server.url}/v1/poems", json=fields, headers=form, timeout=60).json()


def test_forms_are_listed_by_the_service(forms: "Page", server: "Server") -> None:
    listed = requests.get(f"{server.url}/v1/forms", timeout=5).json()["forms"]
    names = forms.locator("#form option").evaluate_all("all => all.map(each => each.value)")
    assert names == [*(form["name"] for form in listed), "own-song"]
    for form in listed:
        forms.select_option("#form", form["name"])
        expect(forms.locator("#form-meaning")).to_have_text(f"{form['description']}.")
        assert forms.is_visible("#form-word") == form["takes_word"]


def test_a_haiku_is_written_where_one_writes_and_undone_at_once(
    forms: "Page", server: "Server"
) -> None:
    write(forms, "My own line.\nAnother")
    forms.evaluate("document.getElementById('text').setSelectionRange(3, 3)")
    forms.select_option("#form", "haiku")
    forms.fill("#form-title", "The sea")
    text = compose(forms)
    opening = "My own line.\nAnother"
    poem = answer(server, form="haiku", title="The sea", opening=opening, seed=seed_of(forms))
    assert text == f"{opening}\n\n{poem['text'].rstrip()}"
    assert [who for who, _ in spans(forms)] == ["mine", "mine", "machine", "machine", "machine"]
    expect(forms.locator("#status")).to_contain_text(f"seed {poem['seed']}")
    forms.click("#undo")
    assert text_of(forms) == opening
    forms.click("#redo")
    assert text_of(forms) == text
    other = compose(forms, "#retry")
    assert other.startswith(f"{opening}\n\n")
    assert other != text
    forms.locator(".way").first.click()
    assert text_of(forms) == text


def test_lines_tell_what_they_keep_of_the_form(forms: "Page") -> None:
    set_field(forms, "seed", 3)
    forms.select_option("#form", "haiku")
    compose(forms)
    show_lines(forms, 3)
    expect(forms.locator("#poem-lines .verdict")).to_have_text(["✓"] * 3)
    facts = forms.locator("#poem-lines .meaning")
    expect(facts).to_have_text(["5 syllables", "7 syllables", "5 syllables"])
    assert forms.locator("#poem-lines rt").count() >= 3
    expect(forms.locator("#poem-told")).to_have_text(re.compile("Keeps the form.*It flows|It is"))
    forms.focus("#text")
    forms.keyboard.press("Control+End")
    forms.keyboard.type(" and more of it")
    expect(forms.locator("#poem-lines .verdict")).to_have_text(["✓", "✓", "✗"])
    expect(facts.nth(2)).to_have_text(re.compile(r"^9 syllables · the form wants 5"))
    expect(forms.locator("#poem-told")).to_have_text(re.compile("^2 of 3 lines keep the form"))


def test_lines_of_no_form_are_read_as_well(forms: "Page") -> None:
    write(forms, "The moon is bright,\nI love the night,\nand more,\nof yore,\nand so")
    forms.select_option("#form", "haiku")
    show_lines(forms, 5)
    expect(forms.locator("#poem-told")).to_contain_text("Rhymes AABB")
    expect(forms.locator("#poem-lines .verdict")).to_have_text([""] * 5)
    assert forms.is_hidden("#form-rest")


def test_what_stands_elsewhere_word_for_word_is_told(forms: "Page") -> None:
    write(forms, "My moon, and in the silver sky,\nAnd all the stars have gone")
    show_lines(forms, 3)
    told = "sky, / And all the stars have gone” stands word for word in what the model has read"
    expect(forms.locator("#poem-told")).to_contain_text(f"{told}: THE MOON.")


def test_other_ways_for_a_line_keep_the_form(forms: "Page", server: "Server") -> None:
    set_field(forms, "seed", 5)
    forms.select_option("#form", "quatrain-aabb")
    before = compose(forms).split("\n")
    show_lines(forms, 4)
    expect(forms.locator("#poem-lines .verdict")).to_have_text(["✓"] * 4)
    assert compose(forms, row(forms, 2, "others")).split("\n") == before
    ways = forms.locator(".way")
    assert ways.count() > 1
    for index in range(ways.count()):
        ways.nth(index).click()
        lines = text_of(forms).split("\n")
        assert [lines[0], *lines[2:]] == [before[0], *before[2:]]
        assert (lines[1] == before[1]) == (index == 0)
        assert kept(server, text_of(forms), "quatrain-aabb")
    forms.click("#undo")
    forms.locator(".way").first.click()
    assert text_of(forms).split("\n") == before


def test_lines_that_are_kept_stay_while_the_others_are_written_anew(
    forms: "Page", server: "Server"
) -> None:
    set_field(forms, "seed", 5)
    forms.select_option("#form", "quatrain-aabb")
    before = compose(forms)
    show_lines(forms, 4)
    forms.click(row(forms, 3, "keep"))
    expect(forms.locator(row(forms, 3, "keep"))).to_have_attribute("aria-pressed", "true")
    set_field(forms, "seed", 6)
    lines = compose(forms, "#form-rest").split("\n")
    same = [old == new for old, new in zip(before.split("\n"), lines, strict=True)]
    assert same == [False, False, True, False]
    assert kept(server, text_of(forms), "quatrain-aabb")
    forms.click("#undo")
    assert text_of(forms) == before


def test_what_is_missing_of_a_form_is_written_behind_ones_own_lines(
    forms: "Page", server: "Server"
) -> None:
    own = "The silver moon is in the sky,\nAnd all the stars are bright."
    write(forms, own)
    forms.select_option("#form", "ballad")
    show_lines(forms, 12)
    expect(forms.locator("#form-rest")).to_have_text("Write what is missing")
    text = compose(forms, "#form-rest")
    assert text.startswith(own + "\n")
    assert [line.count("\n") for line in text.split("\n\n")] == [3, 3, 3]
    assert kept(server, text, "ballad")
    assert spans(forms)[:2] == [("mine", line) for line in own.split("\n")]
    assert {who for who, _ in spans(forms)[2:]} == {"machine"}


def test_what_is_typed_before_a_poem_comes_moves_it_along(forms: "Page") -> None:
    def typed_meanwhile(button: str, at: int, text: str) -> str:
        with holding(forms, "**/v1/poems"):
            with forms.expect_request("**/v1/poems"):
                forms.click(button)
            caret_to(forms, at)
            forms.keyboard.type(text)
        assert wait_until_over(forms).startswith("done")
        return text_of(forms)

    write(forms, "First.")
    forms.select_option("#form", "couplets")
    first, _, poem = typed_meanwhile("#form-write", 5, " line").partition("\n\n")
    assert first == "First line."
    show_lines(forms, 4)
    text = typed_meanwhile(row(forms, 2, "others"), 0, "My ")
    assert text == f"My First line.\n\n{poem}"
    forms.locator(".way").nth(1).click()
    lines = text_of(forms).split("\n")
    assert lines[:3] == ["My First line.", "", poem.split("\n")[0]]
    assert lines[4:] == poem.split("\n")[2:]
    forms.click("#undo")


def test_an_acrostic_takes_two_clicks(page: "Page") -> None:
    write(page, "For my\nrose", at=9)
    page.click("#form-toggle")
    expect(page.locator("#form-acrostic")).to_have_text("Acrostic of “rose”")
    expect(page.locator("#form option")).not_to_have_count(0)
    text = compose(page, "#form-acrostic")
    head, _, poem = text.partition("\n\n")
    assert head == "For my\nrose"
    assert [line.lstrip("'\"")[0].lower() for line in poem.split("\n")] == list("rose")


def test_what_cannot_be_is_told_with_what_is_nearest_and_nothing_is_lost(forms: "Page") -> None:
    write(forms, "I have an orange")
    forms.select_option("#form", "quatrain-aabb")
    show_lines(forms, 4)
    forms.click("#form-rest")
    notice = forms.locator("#notice")
    expect(notice).to_contain_text(re.compile(r"Line 2: .*rhyme with 'orange'.*nearest"))
    expect(notice).not_to_contain_text("spec")
    assert text_of(forms) == "I have an orange"
    forms.get_by_role("button", name="Give way where it must").click()
    expect(forms.locator("#ink > div")).to_have_count(4)
    assert text_of(forms).startswith("I have an orange\n")
    expect(forms.locator("#poem-told")).to_contain_text("Given up: line")


def test_words_that_are_none_and_words_that_lack_are_told(forms: "Page") -> None:
    forms.select_option("#form", "acrostic")
    forms.click("#form-write")
    expect(forms.locator("#notice")).to_contain_text("Which word should the lines spell?")
    expect(forms.locator("#form-word")).to_be_focused()
    forms.fill("#form-word", "sea")
    forms.click("#form-panel summary")
    forms.fill("#form-avoid", "the, 9x")
    forms.click("#form-write")
    expect(forms.locator("#notice")).to_contain_text("“9x” is no word")
    forms.fill("#form-avoid", "the, of")
    poem = compose(forms)
    assert not re.search(r"\b(the|of)\b", poem, re.IGNORECASE)


def test_escape_ends_a_poem_and_what_stands_stays(forms: "Page", server: "Server") -> None:
    forms.select_option("#form", "song")
    forms.click("#form-write")
    expect(forms.locator("#ink .machine").first).to_be_visible()
    forms.keyboard.press("Escape")
    assert wait_until_over(forms).startswith("stopped")
    server.wait_until_freed("strophe_streams_running")
    text = text_of(forms)
    assert text
    assert len(text.split("\n")) < 27
    assert forms.is_visible("#form-panel")
    forms.click("#undo")
    assert text_of(forms) == ""


def test_the_form_that_was_asked_for_is_kept(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#form-toggle")
    expect(page.locator("#form option")).not_to_have_count(0)
    page.select_option("#form", "limerick")
    page.reload()
    page.click("#form-toggle")
    expect(page.locator("#form")).to_have_value("limerick")
    page.keyboard.press("Escape")
    expect(page.locator("#form-panel")).to_be_hidden()
    expect(page.locator("#form-toggle")).to_be_focused()
