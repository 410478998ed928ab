"""What a request of the engine has written."""

from service.engine.request import Request


def read(request: Request) -> dict[int, str]:
    """The whole texts of a request, by index."""
    texts: dict[int, str] = {}
    while not request.outbox.is_done:
        for delta in request.outbox.take(5):
            texts[delta.index] = texts.get(delta.index, "") + delta.text
    return texts
