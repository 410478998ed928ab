"""Routes between the page and its service: answers that are held back, cut short or refused."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sheet import expect, text_of, wait_until_over

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

GENERATE = "**/v1/generate"
OTHER_CHECKPOINT = {
    "code": "fingerprint_differs",
    "message": "the text was begun by another checkpoint",
    "param": "fingerprint",
}


def goes_on(request: "Request") -> bool:
    """Whether a request goes on with an answer that broke."""
    return "received" in asked_by(request)


def asked_by(request: "Request") -> dict[str, Any]:
    """Fields of a request."""
    return dict(request.post_data_json or {})


@contextmanager
def routed(page: "Page", handler: "Callable[[Route], Any]", path: str = GENERATE) -> Iterator[None]:
    """Let a handler take the requests to a path meanwhile."""
    page.route(path, handler)
    yield
    page.unroute(path)


def cut_behind(route: "Route", length: int | None = None) -> None:
    """Answer with an event stream that breaks behind so many characters of each text, or amid its
    opening where none is told.
    """
    lines = route.fetch().text().split("\n")
    opening, *others = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    texts: dict[int, str] = {}
    for event in others:
        if "text" in event:
            texts[event["index"]] = texts.get(event["index"], "") + event["text"]
    told = [opening, *({"index": index, "text": text[:length]} for index, text in texts.items())]
    whole = "".join(f"data: {json.dumps(event)}\n\n" for event in told)
    body = whole[:20] if length is None else f'{whole}data: {{"index": 0, "te'
    route.fulfill(body=body, content_type="text/event-stream")


def cut_in_turn(
    lengths: Iterable[int | None], asked: list[dict[str, Any]]
) -> "Callable[[Route], None]":
    """Handler that cuts one answer after the other, and leaves those behind as they are.

    What was asked for goes into `asked`.
    """
    left = iter(lengths)

    def cut(route: "Route") -> None:
        asked.append(asked_by(route.request))
        try:
            cut_behind(route, next(left))
        except StopIteration:
            route.continue_()

    return cut


def refuse_rest(route: "Route") -> None:
    """Refuse to go on with an answer that broke; what is asked for anew passes."""
    if goes_on(route.request):
        route.fulfill(status=409, json={"error": OTHER_CHECKPOINT})
    else:
        route.continue_()


def break_off(page: "Page", button: str = "#continue") -> str:
    """Press a button that writes, let the answer break, and refuse the rest; gives the text."""

    def cut_and_refuse(route: "Route") -> None:
        if goes_on(route.request):
            refuse_rest(route)
        else:
            cut_behind(route, 1000)

    with routed(page, cut_and_refuse):
        page.click(button)
        expect(page.locator("#status")).to_have_text(re.compile("^broken off"))
    return text_of(page)


@contextmanager
def holding(page: "Page", path: str = GENERATE) -> Iterator[list["Route"]]:
    """Hold the requests to a path meanwhile; the first one goes on afterwards."""
    held: list[Route] = []

    def hold(route: "Route") -> None:
        held.append(route)

    with routed(page, hold, path):
        yield held
        held[0].continue_()


@contextmanager
def held_back(page: "Page", button: str) -> Iterator[None]:
    """Press a button that writes, and let the request wait until the block is over."""
    with holding(page):
        with page.expect_request(GENERATE):
            page.click(button)
        yield
    wait_until_over(page)
