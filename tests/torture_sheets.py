"""Actions of the torture test on the whole page: reloads, tabs, sheets, a service that dies."""

import time
from collections.abc import Callable

from page_routes import refuse_rest, routed
from sheet import CONNECTED
from torture_model import MINE, SheetModel, Shown
from torture_page import Hand, LostError
from torture_state import ENDLESS, Torture, mine
from torture_writing import type_words, write_and_type, write_on


def reload(t: Torture) -> None:
    _leave_for(t, t.hand.page.reload)


def reload_while_it_writes(t: Torture) -> None:
    at = t.start_writing(ENDLESS)
    size = len(t.now.shown.text)
    seen = t.hand.wait(
        lambda shown, state: state["isFree"] or len(shown.text) > size + 40, "no text comes"
    )
    t.hand.page.reload()
    t.ready()
    end = len(seen.text) - size + at
    written = seen.part(at, end)
    shown = t.hand.wait(
        lambda shown, _: shown.part(at, end).agrees(written), f"{written} was written at {at}"
    )
    t.take(at, at, shown=shown)


def kill_while_it_writes(t: Torture) -> None:
    """The page goes on with the text by itself, or, where that is refused, when it is told to."""
    if t.rng.random() < 0.5:
        write_and_type(t, end=lambda: _kill_and_wait_for_more(t))
        return
    with routed(t.hand.page, refuse_rest):
        write_and_type(t, end=t.service.kill)
    if not t.hand.click("Go on from there"):
        return
    t.hand.expect_over()
    shown, _ = t.hand.read()
    at = _common(t.now.shown.text, shown.text)
    at = _place_of_insertion(t, shown, at)
    t.take(at, at)


def _kill_and_wait_for_more(t: Torture) -> None:
    t.service.kill()
    size = len(t.hand.read()[0].text)
    t.hand.wait(
        lambda shown, state: state["isFree"] or len(shown.text) > size + 20, "it does not go on"
    )
    t.hand.press("Escape")


def restart_service(t: Torture) -> None:
    t.service.restart()
    write_on(t)


def write_offline(t: Torture) -> None:
    t.context.set_offline(True)
    t.hand.select(len(t.now.shown.text))
    t.hand.click("continue")
    t.hand.wait(lambda _, state: "again" in state["status"], "it does not try again")
    type_words(t)
    t.hand.press("Escape")
    t.hand.expect_over()
    t.context.set_offline(False)


def new_sheet(t: Torture) -> None:
    t.settle()
    t.hand.click("sheet-new")
    t.now = SheetModel()
    t.sheets.append(t.now)
    t.hand.expect(t.now.shown, "a new sheet")


def switch(t: Torture) -> None:
    t.settle()
    others = [sheet for sheet in t.sheets if sheet.id and sheet is not t.now]
    if others:
        show(t, t.rng.choice(others))


def show(t: Torture, sheet: SheetModel) -> None:
    t.hand.go(f"sheet={sheet.id}")
    t.now = sheet
    t.hand.wait(lambda *_: t.hand.sheet == sheet.id, f"sheet {sheet.id} does not open")
    t.hand.expect(sheet.shown, f"sheet {sheet.id}")
    t.drop_unstored()


def follow_link(t: Torture) -> None:
    t.settle()
    text = f"A link {t.word()}\nto follow"
    before = t.hand.sheet
    t.hand.go("text=" + text.replace("\n", "%0A").replace(" ", "+"))
    _comes(t, before, text, "a link")


def open_file(t: Torture) -> None:
    t.settle()
    text = f"A file {t.word()}\nto open"
    before = t.hand.sheet
    t.hand.page.set_input_files(
        "#files", {"name": "poem.txt", "mimeType": "text/plain", "buffer": text.encode()}
    )
    _comes(t, before, text, "a file")


def _comes(t: Torture, before: str | None, text: str, what: str) -> None:
    """A sheet with a text of one's own comes in place of another one."""
    t.now = SheetModel()
    t.now.is_whole = False
    t.now.replace(0, 0, mine(text), is_typing=True)
    t.now.done.clear()
    t.sheets.append(t.now)
    t.hand.wait(lambda *_: t.hand.sheet != before, f"{what} does not open")
    t.hand.expect(t.now.shown, what)
    t.drop_unstored()


def delete_and_recover(t: Torture) -> None:
    t.settle()
    if not t.now.id:
        return
    gone = t.now
    t.hand.click("sheets-open")
    row = f'[data-of="{gone.id}"]'
    t.hand.page.locator(f'#sheets-list [data-act="Delete"]{row}').dispatch_event("click")
    recover = t.hand.page.locator(f'#sheets-deleted-list [data-act="Recover"]{row}')
    recover.wait_for(state="attached")
    recover.dispatch_event("click")
    t.hand.page.locator(f"#sheets-list {row}").first.wait_for(state="attached")
    t.hand.click("sheets-close")
    t.adopt_shown()
    t.hand.expect(t.now.shown, "the sheet after a deleted one")
    show(t, gone)


def second_tab(t: Torture) -> None:
    """Another tab with this sheet writes, and what it wrote comes here."""
    if not t.settle():
        return
    other = _other_tab(t)
    text = t.now.shown.text
    at = t.cut(text, t.rng.randrange(len(text) + 1))
    other.select(at)
    token = f"<{t.word()}>"
    other.insert(token)
    t.now.replace(at, at, mine(token), is_typing=True)
    t.hand.expect(t.now.shown, "what the other tab wrote")
    other.expect(t.now.shown, "what this tab wrote in the other one")
    other.page.close()


def two_tabs_at_once(t: Torture) -> None:
    if not t.settle():
        return
    base, known = t.now.shown, set(t.hand.stored())
    other = _other_tab(t)
    tokens = {hand: f"<{t.word()}>" for hand in (t.hand, other)}
    for hand in tokens:
        hand.select(len(base.text))
    for hand, token in tokens.items():
        hand.insert(token)
    deadline = time.monotonic() + 10
    while not _are_both_kept(t, tokens, base):
        if time.monotonic() > deadline:
            raise LostError(f"of two tabs one is lost: {tokens}, {t.hand.stored()}")
        time.sleep(0.05)
    other.page.close()
    stored = t.hand.stored()
    t.now.is_whole = False
    ids = {name for name in stored if name not in known} | {t.now.id or ""}
    t.sheets.remove(t.now)
    for name in ids & set(stored):
        t.sheets.append(_known(name, stored[name]))
    t.adopt_shown()


def _leave_for(t: Torture, go: Callable[[], object]) -> None:
    is_kept = bool(t.now.cells) or t.now.id is not None
    go()
    t.ready()
    if not is_kept:
        t.drop_unstored(also_now=True)
        t.adopt_shown()
    t.hand.expect(t.now.shown, "after a reload")


def _other_tab(t: Torture) -> Hand:
    other = Hand(t.context.new_page())
    other.page.goto(f"{t.service.url}/#sheet={t.now.id}")
    other.page.wait_for_selector(CONNECTED, state="attached")
    other.expect(t.now.shown, "in another tab")
    return other


def _are_both_kept(t: Torture, tokens: dict[Hand, str], base: Shown) -> bool:
    kept = list(t.hand.stored().values())
    shown = {hand: hand.read()[0] for hand in tokens}
    return (
        all(any(each.agrees(one) for one in kept) for each in shown.values())
        and all(each.text.startswith(base.text) for each in shown.values())
        and all(any(token in each.text for each in shown.values()) for token in tokens.values())
    )


def finish(t: Torture) -> None:
    """All sheets as they must be, in what is stored, after a reload, and back and forth."""
    t.settle()
    _leave_for(t, t.hand.page.reload)
    stored = t.hand.stored()
    for sheet in t.sheets:
        if sheet.id is None:
            continue
        if not stored[sheet.id].agrees(sheet.shown):
            raise LostError(f"at the end {sheet.id} is {stored[sheet.id]}, not {sheet.shown}")
    known = {sheet.id for sheet in t.sheets}
    extra = {name: str(kept) for name, kept in stored.items() if name not in known}
    if any(kept != "nothing" for kept in extra.values()):
        raise LostError(f"sheets that nobody wrote: {extra}")
    for sheet in [sheet for sheet in t.sheets if sheet.id]:
        if sheet is not t.now:
            show(t, sheet)
        _there_and_back(t)


def _there_and_back(t: Torture) -> None:
    shown, count = t.now.shown, len(t.now.done) + 3
    click = "([id, count]) => { while (count-- > 0) document.getElementById(id).click(); }"
    t.hand.page.evaluate(click, ["undo", count])
    if t.now.is_whole and count < 150:
        t.hand.expect(Shown("", ""), "all undone")
    t.hand.page.evaluate(click, ["redo", count + len(t.now.undone)])
    if not t.now.undone:
        t.hand.expect(shown, "all done again")


def _common(one: str, other: str) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def _known(name: str, shown: Shown) -> SheetModel:
    sheet = SheetModel(id=name, is_whole=False)
    sheet.replace(0, 0, shown, is_typing=False)
    sheet.done.clear()
    return sheet


def _place_of_insertion(t: Torture, shown: Shown, at: int) -> int:
    """Where a text of the machine came in, at `at` or, where letters repeat, before."""
    known = t.now.shown
    grown = len(shown.text) - len(known.text)
    for place in range(at, -1, -1):
        rest = shown.part(place + grown, len(shown.text))
        if (
            rest.agrees(known.part(place, len(known.text)))
            and MINE not in shown.owners[place : place + grown]
        ):
            return place
    raise LostError(f"{shown} is not {known} with something more")
