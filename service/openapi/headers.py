"""Headers of requests and answers in the OpenAPI document, each with its meaning."""

from collections.abc import Iterable
from typing import Any

from service.settings import Settings

WHOLE_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}

# Name, meaning, schema. All but those of requests are of answers.
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": (
        "The id of this request, also in the log: the one that was sent, else one that is made.",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    ),
    "X-Strophe-Id": ("The id of what was started, to cancel it by.", {"type": "string"}),
    "X-Strophe-Model": ("The name of the model that writes.", {"type": "string"}),
    "X-Strophe-Fingerprint": (
        "A hash of its checkpoint's files: while it stays, a seed gives the same text.",
        {"type": "string"},
    ),
    "X-Strophe-Replica": ("The replica that the id is of.", {"type": "string"}),
    "X-Strophe-Seed": ("The seed; send it to get the same text again.", WHOLE_NUMBER),
    "X-Strophe-Ignored-Fields": (
        "Fields of the body that were left aside, with commas between them; only where there are.",
        {"type": "string"},
    ),
    "Retry-After": ("Seconds to wait before the same request is sent again.", WHOLE_NUMBER),
    "X-Should-Retry": (
        "That to send it again would not help.",
        {"type": "string", "const": "false"},
    ),
    "WWW-Authenticate": ("How to send a key.", {"type": "string", "const": "Bearer"}),
    "X-RateLimit-Limit": ("Texts that one window takes.", WHOLE_NUMBER),
    "X-RateLimit-Remaining": ("How many of them are left.", WHOLE_NUMBER),
    "X-RateLimit-Reset": ("When the window ends, in seconds since 1970.", WHOLE_NUMBER),
    "ETag": ("What to send as If-None-Match.", {"type": "string"}),
    "Cache-Control": ("How long a copy may be used.", {"type": "string"}),
}

OF_JOBS = (
    "X-Strophe-Id",
    "X-Strophe-Model",
    "X-Strophe-Fingerprint",
    "X-Strophe-Seed",
    "Cache-Control",
)
OF_FILES = ("ETag", "Cache-Control")
OF_RATES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
SOMETIMES = ("X-Strophe-Ignored-Fields", *OF_RATES)

REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "What to call this request, in its answer and in the log: 1 to 64 letters, "
    "digits and ._-; another one is not refused, but replaced.",
    "schema": {"type": "string"},
}

LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The id of the last event that was read of the same request's stream: the "
    "answer goes on behind it.",
    "schema": {"type": "string"},
}


def components() -> dict[str, Any]:
    """Header components of the document, which answers refer to by name."""
    return {
        name: {"description": meaning, "required": name not in SOMETIMES, "schema": schema}
        for name, (meaning, schema) in HEADERS.items()
    }


def of_answer(names: Iterable[str], settings: Settings, *, is_counted: bool) -> dict[str, Any]:
    """References to the headers of one answer: `names`, and those that all answers have."""
    rates = OF_RATES if is_counted and settings.rate_limit is not None else ()
    return {
        name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names, *rates)
    }
