"""The errors that routes answer with: status, code, when, and the headers that come along.

Which of them a service can answer with depends on its settings: without keys there is no 401.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Problem:
    """One error. `code` is null where there is nothing that a program could do about it."""

    status: int
    code: str | None
    when: str
    headers: tuple[str, ...] = ()


INVALID_JSON = Problem(400, "invalid_json", "the body is not one JSON object in UTF-8")
INVALID_VALUE = Problem(
    400, "invalid_value", "a field is unknown, of the wrong type, out of bounds or unfit for others"
)
NO_KEY = Problem(
    401, "invalid_api_key", "no key was sent, or one that is not valid", ("WWW-Authenticate",)
)
NO_MODEL_OF_THIS_NAME = Problem(404, "model_not_found", "no such model")
NO_SUCH_PATH = Problem(404, "not_found", "the path is none of this route")
NOT_UNDER_WAY = Problem(404, "not_found", "no generation of this id is under way")
NO_SUCH_FILE = Problem(404, "not_found", "the page has no such file")
NOT_ACCEPTABLE = Problem(406, "not_acceptable", "Accept names none of the forms")
TOO_LONG = Problem(413, "prompt_too_long", "the prompt or text is longer than this service takes")
TOO_LARGE = Problem(413, "request_entity_too_large", "the body is larger than this service takes")
COMPRESSED = Problem(415, "unsupported_encoding", "the body is compressed")
OFTEN = Problem(
    429,
    "rate_limit_exceeded",
    "this client has used up its rate; Retry-After is when the window ends",
    ("Retry-After",),
)
MANY = Problem(
    429,
    "too_many_streams",
    "this client has as many requests running or waiting as it may",
    ("Retry-After",),
)
NOT_FINITE = Problem(500, "not_finite", "the model's numbers overflowed for this request")
ENGINE = Problem(500, "engine", "the engine failed while it worked on this request")
SLOW_READER = Problem(500, "slow_reader", "the stream was read too slowly")
CANCELLED = Problem(500, "cancelled", "it was cancelled by its id: half a score is none")
UNEXPECTED = Problem(500, None, "the service failed on this request")
SATURATED = Problem(503, "saturated", "all slots are taken and the queue is full", ("Retry-After",))
NO_MODEL = Problem(503, "no_model", "no model is loaded", ("Retry-After",))
UNAVAILABLE = Problem(503, "unavailable", "the engine takes no requests", ("Retry-After",))
STOPPING = Problem(503, "stopping", "the service stops", ("Retry-After",))
TIMEOUT = Problem(
    504,
    "timeout",
    "it took longer than a request may take here, waiting included",
    ("X-Should-Retry",),
)

OF_A_BODY = (INVALID_JSON, INVALID_VALUE, TOO_LARGE, COMPRESSED)
OF_WORK = (
    *(*OF_A_BODY, NO_MODEL_OF_THIS_NAME, TOO_LONG, NOT_FINITE, ENGINE, SLOW_READER),
    *(SATURATED, NO_MODEL, UNAVAILABLE, STOPPING, TIMEOUT),
)


def of_access(settings: Settings, *, is_public: bool, is_counted: bool) -> list[Problem]:
    """Those with which `service.access` refuses a request, as this service is set."""
    problems = []
    if has_keys(settings) and not is_public:
        problems.append(NO_KEY)
    if settings.rate_limit is not None and is_counted:
        problems.append(OFTEN)
    if settings.max_streams_per_client is not None and is_counted:
        problems.append(MANY)
    return problems


def has_keys(settings: Settings) -> bool:
    """Whether this service asks for a key."""
    return settings.api_keys is not None or settings.api_keys_file is not None


def by_status(problems: Iterable[Problem]) -> dict[int, list[Problem]]:
    """The same in the order of their status."""
    found: dict[int, list[Problem]] = {}
    for problem in sorted(problems, key=lambda each: each.status):
        found.setdefault(problem.status, []).append(problem)
    return found


def schema_of(problems: Iterable[Problem]) -> dict[str, Any]:
    """The one shape of errors, with these codes."""
    codes = [problem.code for problem in problems]
    return {
        "allOf": [
            {"$ref": "#/components/schemas/ErrorAnswer"},
            {"properties": {"error": {"properties": {"code": {"enum": codes}}}}},
        ]
    }
