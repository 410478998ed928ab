"""Error catalogue: status, code, cause and headers of every error that routes answer with.

Which of them a service can answer with depends on its settings: without keys there is no 401.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.settings import Settings


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """Error of the API; `code` is null where there is nothing that a program could do about it."""

    status: int
    code: str | None
    when: str
    headers: tuple[str, ...] = ()


INVALID_JSON = ErrorSpec(400, "invalid_json", "the body is not one JSON object in UTF-8")
INVALID_VALUE = ErrorSpec(
    400, "invalid_value", "a field is unknown, of the wrong type, out of bounds or unfit for others"
)
NO_KEY = ErrorSpec(
    401, "invalid_api_key", "no key was sent, or one that is not valid", ("WWW-Authenticate",)
)
NO_MODEL_OF_THIS_NAME = ErrorSpec(404, "model_not_found", "no such model")
NO_SUCH_PATH = ErrorSpec(404, "not_found", "the path is none of this route")
NOT_UNDER_WAY = ErrorSpec(404, "not_found", "no generation of this id is under way")
MISDIRECTED = ErrorSpec(
    421,
    "misdirected_request",
    "the id is of another replica, which the header names",
    ("X-Strophe-Replica",),
)
NO_SUCH_FILE = ErrorSpec(404, "not_found", "the page has no such file")
NOT_ACCEPTABLE = ErrorSpec(406, "not_acceptable", "Accept names none of the forms")
TOO_LONG = ErrorSpec(413, "prompt_too_long", "the prompt or text is longer than this service takes")
TOO_LARGE = ErrorSpec(413, "request_entity_too_large", "the body is larger than this service takes")
COMPRESSED = ErrorSpec(415, "unsupported_encoding", "the body is compressed")
IMPOSSIBLE_FORM = ErrorSpec(
    422, "impossible_form", "no poem, or none of this model, can be so; the message says what can"
)
FORM_NOT_KEPT = ErrorSpec(
    422, "form_not_kept", "no line was found that keeps the form; `partial` is what there is"
)
NO_RHYME = ErrorSpec(
    422, "no_rhyme", "the word is unknown, or no word of this model rhymes with it"
)
OFTEN = ErrorSpec(
    429,
    "rate_limit_exceeded",
    "of this client's rate fewer texts are left; Retry-After is when the window ends",
    ("Retry-After",),
)
MANY = ErrorSpec(
    429,
    "too_many_streams",
    "with these texts this client would have more running or waiting than it may",
    ("Retry-After",),
)
NEVER = ErrorSpec(400, "too_many_texts", "more texts at once than a limit ever lets through")
NOT_FINITE = ErrorSpec(500, "not_finite", "the model's numbers overflowed for this request")
ENGINE = ErrorSpec(500, "engine", "the engine failed while it worked on this request")
SLOW_READER = ErrorSpec(500, "slow_reader", "the stream was read too slowly")
CANCELLED = ErrorSpec(500, "cancelled", "it was cancelled by its id: half a score is none")
UNEXPECTED = ErrorSpec(500, None, "the service failed on this request")
SATURATED = ErrorSpec(
    503, "saturated", "all slots are taken and the queue is full", ("Retry-After",)
)
NO_MODEL = ErrorSpec(503, "no_model", "no model is loaded", ("Retry-After",))
LOADING = ErrorSpec(503, "loading", "models are still being loaded", ("Retry-After",))
PREPARING = ErrorSpec(
    503, "preparing", "many wait already for the model's words to be made ready", ("Retry-After",)
)
UNAVAILABLE = ErrorSpec(503, "unavailable", "the engine takes no requests", ("Retry-After",))
STOPPING = ErrorSpec(503, "stopping", "the service stops", ("Retry-After",))
TIMEOUT = ErrorSpec(
    504,
    "timeout",
    "it took longer than a request may take here, waiting included",
    ("X-Should-Retry",),
)

FINGERPRINT_DIFFERS = ErrorSpec(
    409, "fingerprint_differs", "another checkpoint began the text that is to go on"
)
RECEIVED_DIFFERS = ErrorSpec(
    409, "received_differs", "what was received is not what this request writes"
)
OF_RESUMING = (FINGERPRINT_DIFFERS, RECEIVED_DIFFERS)

OF_A_BODY = (INVALID_JSON, INVALID_VALUE, TOO_LARGE, COMPRESSED)
OF_A_MODEL = (NO_MODEL_OF_THIS_NAME, NO_MODEL, LOADING)
OF_WORK = (
    *(*OF_A_BODY, *OF_A_MODEL, TOO_LONG, NOT_FINITE, ENGINE, SLOW_READER),
    *(SATURATED, UNAVAILABLE, STOPPING, TIMEOUT),
)
OF_TOKENS = (*OF_A_BODY, *OF_A_MODEL, TOO_LONG)


def of_access(
    settings: Settings, *, is_public: bool, is_counted: bool, takes_several: bool
) -> list[ErrorSpec]:
    """Errors with which `service.access` refuses a request, as this service is set.

    `takes_several` is True for a route that may be asked for several texts at once.
    """
    errors = []
    if has_keys(settings) and not is_public:
        errors.append(NO_KEY)
    if settings.rate_limit is not None and is_counted:
        errors.append(OFTEN)
    if settings.max_streams_per_client is not None and is_counted:
        errors.append(MANY)
    if takes_several and {OFTEN, MANY} & set(errors):
        errors.append(NEVER)
    return errors


def has_keys(settings: Settings) -> bool:
    """True where the settings ask clients for a key."""
    return settings.api_keys is not None or settings.api_keys_file is not None


def by_status(errors: Iterable[ErrorSpec]) -> dict[int, list[ErrorSpec]]:
    """Group errors by status, in the order of the statuses."""
    found: dict[int, list[ErrorSpec]] = {}
    for error in sorted(errors, key=lambda each: each.status):
        found.setdefault(error.status, []).append(error)
    return found


def schema_of(errors: Iterable[ErrorSpec]) -> dict[str, Any]:
    """Schema of an error answer that has one of the codes of `errors`."""
    codes = [error.code for error in errors]
    return {
        "allOf": [
            {"$ref": "#/components/schemas/ErrorAnswer"},
            {"properties": {"error": {"properties": {"code": {"enum": codes}}}}},
        ]
    }
