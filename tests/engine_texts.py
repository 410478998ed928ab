"""Engines, requests and what these have written."""

from collections.abc import Callable

from model.decoding.generation import TokenLogprob
from service.engine.engine import Engine
from service.engine.outbox import Delta
from service.engine.request import Request

MakeRequest = Callable[..., Request]
MakeEngine = Callable[..., Engine]


def deltas_of(request: Request) -> list[Delta]:
    """All that it writes, until it has ended."""
    deltas: list[Delta] = []
    while not request.outbox.is_done:
        deltas += request.outbox.take(5)
    return deltas


def read(request: Request) -> dict[int, str]:
    """The whole texts, by index."""
    return {index: text for index, (text, _) in read_all(request).items()}


def read_all(request: Request) -> dict[int, tuple[str, tuple[TokenLogprob, ...]]]:
    """The whole texts with their log probabilities, by index."""
    whole: dict[int, tuple[str, tuple[TokenLogprob, ...]]] = {}
    for delta in deltas_of(request):
        text, logprobs = whole.get(delta.index, ("", ()))
        whole[delta.index] = (text + delta.text, logprobs + delta.logprobs)
    return whole
