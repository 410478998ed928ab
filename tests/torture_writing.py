"""Actions of the torture test on one sheet: editing, and the machine that writes meanwhile."""

from collections.abc import Callable

from torture_model import Shown, Step
from torture_state import ENDLESS, Torture, mine

WORDS = ("moon", "rose", "ash", "no", "é", "🌙", "静夜", " ", ", and ", "x\ny", "\n", "I ")


def type_words(t: Torture) -> None:
    token = t.rng.choice(WORDS)
    start, end = t.some_range(most=6, token=token)
    t.hand.select(start, end)
    if token.isascii() and t.rng.random() < 0.3:
        t.hand.page.keyboard.type(token)
    else:
        t.hand.insert(token)
    t.now.replace(start, end, mine(token), is_typing=True)


def paste(t: Torture) -> None:
    text = "".join(t.rng.choice(WORDS) for _ in range(t.rng.randrange(5, 40)))
    start, end = t.some_range(most=20, token=text)
    t.hand.select(start, end)
    t.hand.insert(text)
    t.now.replace(start, end, mine(text), is_typing=True)


def delete(t: Torture) -> None:
    start, end = t.some_range(most=40)
    if start == end:
        return
    t.hand.select(start, end)
    t.hand.press(t.rng.choice(("Backspace", "Delete")))
    t.now.replace(start, end, mine(""), is_typing=True)


def undo(t: Torture) -> None:
    _some_steps(t, "undo", t.now.done, t.now.undo)


def redo(t: Torture) -> None:
    _some_steps(t, "redo", t.now.undone, t.now.redo)


def _some_steps(t: Torture, button: str, left: list[Step], step: Callable[[Shown], bool]) -> None:
    for _ in range(t.rng.randrange(1, 4)):
        if not left:
            return
        t.hand.click(button)
        t.back(step, button)


def write_on(t: Torture) -> None:
    at = t.start_writing(60)
    t.hand.expect_over()
    t.take(at, at)


def write_and_type(t: Torture, *, end: Callable[[], object] | None = None) -> None:
    """Type before, behind and in what is being written; then stop it, or `end` it otherwise."""
    hand, now = t.hand, t.now
    at = t.start_writing(ENDLESS)
    rest = len(now.shown.text) - at
    shown = hand.wait(
        lambda shown, state: state["isFree"] or len(shown.text) > at + rest + 40,
        "no text comes",
    )
    writing = now.begin(is_typing=False)
    inner: list[tuple[int, str, int]] = []  # offset, token, step
    for _ in range(t.rng.randrange(4)):
        token = f"<{t.word()}>"
        step = now.begin(is_typing=True)
        written = len(hand.read()[0].text) - at - rest
        choice = t.rng.randrange(3)
        if choice == 0 and at > 0:
            place = t.cut(now.shown.text, t.rng.randrange(at))
            hand.select(place)
            now.put(place, place, [(mine(token), step)], step)
            at += len(token)
        elif choice == 1 and rest > 0:
            place = t.cut(now.shown.text, at + t.rng.randrange(1, rest + 1))
            hand.select_from_end(len(now.shown.text) - place)
            now.put(place, place, [(mine(token), step)], step)
            rest += len(token)
        elif written > 2:
            place = t.rng.randrange(1, written - 1)
            ends = [o + len(known) for o, known, _ in inner if o < place < o + len(known)]
            place = max([place, *ends])  # not in one that was typed before
            hand.select(at + place)
            moved = [(o + len(token) if o >= place else o, t, s) for o, t, s in inner]
            inner = [*moved, (place, token, step)]
        else:
            now.drop(step)
            continue
        hand.insert(token)
    if end is None:
        hand.press("Escape")
    else:
        end()
    shown = hand.expect_over()
    t.take(at, at, step=writing, inner=inner, shown=shown)


def undo_while_it_writes(t: Torture) -> None:
    at = t.start_writing(ENDLESS)
    size = len(t.now.shown.text)
    t.hand.wait(
        lambda shown, state: state["isFree"] or len(shown.text) > size + 20, "no text comes"
    )
    before = t.now.shown
    t.hand.click("undo")
    t.hand.expect(before, "undo while it writes")
    t.hand.click("redo")
    t.take(at, at)


def rewrite(t: Torture) -> None:
    if not t.now.shown.text:
        return
    text = t.now.shown.text
    at = t.cut(text, t.rng.randrange(len(text)))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    t.hand.select(at)
    t.hand.set("max_tokens", 60)
    t.hand.click("rewrite")
    t.hand.expect_over()
    t.take(start, end if end >= 0 else len(text))


def next_lines(t: Torture) -> None:
    text = t.now.shown.text
    at = t.cut(text, t.rng.randrange(len(text) + 1))
    t.hand.select(at)
    t.hand.click("next-line")
    t.hand.expect_over()
    t.hand.expect(t.now.shown, "next lines are not in the text")
    ways = t.hand.page.locator(".way")
    end = at
    for _ in range(t.rng.randrange(3)):
        if not ways.count():
            return
        size = len(t.now.shown.text)
        ways.nth(t.rng.randrange(ways.count())).dispatch_event("click")
        t.take(at, end)
        end += len(t.now.shown.text) - size


def another_way(t: Torture) -> None:
    at = t.start_writing(40)
    t.hand.expect_over()
    size = len(t.now.shown.text)
    t.take(at, at)
    length = len(t.now.shown.text) - size
    if length == 0:
        return
    t.hand.click("retry")
    t.hand.expect_over()
    t.take(at, at + length)
    t.hand.page.locator(".way").nth(0).dispatch_event("click")
    t.take(at, at + len(t.now.shown.text) - size)
