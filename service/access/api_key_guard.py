"""API key guard: Flask hook that refuses requests without a valid key, but on public routes.

Paths without a route are refused alike, so nobody without a key learns which routes there are.
"""

from collections.abc import Iterator

from flask import Flask, g, request

from service.access.api_keys import ApiKeys
from service.access.route_flags import is_public
from service.error_answers import ApiError, ErrorBody

MISSING = "no API key was sent: send it as Authorization: Bearer KEY or as X-Api-Key: KEY"
WRONG = "the API key that was sent is not valid here"


def require_keys(app: Flask, keys: ApiKeys) -> None:
    """Require a key on every route and every other path; sets `g.key_name` to its owner's name."""

    @app.before_request
    def require_key() -> None:
        if is_public():
            return
        sent = list(keys_sent())
        if not sent:
            raise unauthorized(MISSING)
        owners = [keys.owner(key) for key in sent]
        g.key_name = next((name for name in owners if name is not None), None)
        if g.key_name is None:
            raise unauthorized(WRONG)


def keys_sent() -> Iterator[str]:
    """Keys that the request sends; X-Api-Key works where a proxy in front uses Authorization."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        yield token.strip()
    if key := request.headers.get("X-Api-Key", "").strip():
        yield key


def unauthorized(message: str) -> ApiError:
    """Error 401, in the words of OpenAI's clients."""
    body = ErrorBody(message=message, code="invalid_api_key")
    return ApiError(401, body, headers={"WWW-Authenticate": "Bearer"})
