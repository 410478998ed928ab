"""Files on the page: what was saved opens again, others are told, and nothing there is lost."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sheet import (
    IN_A_BROWSER,
    OpenPage,
    expect,
    go_on,
    link_to,
    open_sheets,
    sheets,
    spans,
    stored_texts,
    text_of,
    write,
)
from waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def payload(name: str, content: bytes | str) -> "FilePayload":
    data = content if isinstance(content, bytes) else content.encode()
    return {"name": name, "mimeType": "", "buffer": data}


def saved(page: "Page", button: str) -> Path:
    with page.expect_download() as waiting:
        page.click(button)
    return waiting.value.path()


def test_a_saved_sheet_opens_again_with_who_wrote_what(page: "Page", open_page: OpenPage) -> None:
    write(page, "O rose")
    text = go_on(page)
    file = saved(page, "#save-json").read_bytes()
    other = open_page()
    other.set_input_files("#files", payload("rose.json", file))
    expect(other.locator("#text")).to_have_value(text)
    assert spans(other) == spans(page)
    assert link_to(other) == link_to(page)


HARD = (
    "# *bold* _and_ [links](x) `code`\n\n1. one\n2) two\n- three\n+ four\n---\n    indented\n"
    "ends in a backslash\\\ntwo\\\\\n<b>&amp;</b> | ~ > x\n\n\n\nlast\n\n"
)


@pytest.mark.parametrize("text", ["a", "a\n", "\na\n\n b", "a\\", "---\n\nWritten", HARD])
def test_markdown_opens_as_the_text_that_was_saved(page: "Page", text: str) -> None:
    write(page, text)
    script = """async () => {
        const { asMarkdown } = await import('/static/keep/keep.js');
        const { fromMarkdown } = await import('/static/keep/reading.js');
        const { Manuscript } = await import('/static/text/manuscript.js');
        const text = document.getElementById('text').value;
        const by = { model: 'verse', seed: 1, settings: {} };
        const mine = new Manuscript([{ text, by: 0 }]);
        const ours = new Manuscript([{ text, by: 1 }], { 1: by });
        return [mine, ours].map(each => fromMarkdown(asMarkdown(each)));
    }"""
    assert page.evaluate(script) == [text, text]


def test_several_files_are_dropped_at_once(page: "Page") -> None:
    write(page, "Mine")
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['One\\r\\nline'], 'one.txt'));
            dataTransfer.items.add(new File(['Two\\\\\\nlines\\n'], 'two.md'));
            dataTransfer.items.add(new File([new Uint8Array([0, 1, 2])], 'three.txt'));
            const event = { dataTransfer, bubbles: true, cancelable: true };
            document.getElementById('text').dispatchEvent(new DragEvent('drop', event));
        }"""
    )
    expect(page.locator("#text")).to_have_value("One\nline")
    expect(page.locator("#notice")).to_contain_text("2 sheets were opened")
    expect(page.locator("#notice")).to_contain_text("three.txt is no text.")
    assert stored_texts(page) == ["Mine", "One\nline", "Two\nlines"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_mark_of_their_encoding_are_read(page: "Page", encoding: str) -> None:
    page.set_input_files("#files", payload("a.txt", "Grüße\naus Köln".encode(encoding)))
    expect(page.locator("#text")).to_have_value("Grüße\naus Köln")


REFUSED = {
    "latin.txt": ("Grüße".encode("latin-1"), "is in another encoding than UTF-8"),
    "picture.txt": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text"),
    "empty.md": (b" \n", "is empty"),
    "long.txt": (b"a" * 20_000_000, "is longer than the 2 MB"),
    "broken.json": (b'{"text": ', "is broken"),
    "foreign.json": (b'{"name": "package", "version": 1}', "is no sheet of this page"),
    "spans.json": (b'{"spans": [{"text": "a", "by": 3}]}', "is no sheet of this page"),
    "none.json": (b'{"sheets": []}', "holds no sheet"),
}


def test_other_files_are_told_and_change_nothing(page: "Page", tmp_path: Path) -> None:
    write(page, "Mine")
    for name, (content, why) in REFUSED.items():
        (tmp_path / name).write_bytes(content)
        page.set_input_files("#files", tmp_path / name)
        expect(page.locator("#notice")).to_contain_text(f"{name} {why}")
    assert text_of(page) == "Mine"
    wait_until(lambda: stored_texts(page) == ["Mine"])


def test_all_sheets_go_into_one_file_and_come_back(page: "Page", open_page: OpenPage) -> None:
    write(page, "First")
    page.click("#sheet-new")
    write(page, "Second")
    open_sheets(page)
    file = saved(page, "#files-save").read_bytes()
    titles = page.locator("#sheets-list .sheet-title").all_inner_texts()
    assert len(json.loads(file)["sheets"]) == 2
    other = open_page()
    other.set_input_files("#files", payload("all.json", file))
    expect(other.locator("#notice")).to_contain_text("2 sheets were opened")
    assert sorted(sheets(other)) == sorted(titles)
    other.set_input_files("#files", payload("all.json", file))
    expect(other.locator("#notice")).to_contain_text("were here already")
    write(other, "Changed")
    wait_until(lambda: "Changed" in stored_texts(other))
    other.set_input_files("#files", payload("all.json", file))
    expect(other.locator("#notice")).to_contain_text("1 are new")
    assert stored_texts(other) == ["Changed", "First", "Second"]
    assert any("(from a file)" in title for title in sheets(other))
