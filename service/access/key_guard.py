"""Nobody without a key gets further than the public routes, nor learns which others there are."""

from collections.abc import Iterator

from flask import Flask, g, request

from service.access.keyring import KeyRing
from service.access.route_flags import is_public
from service.errors import ApiError, ErrorBody

MISSING = "no API key was sent: send it as Authorization: Bearer KEY or as X-Api-Key: KEY"
WRONG = "the API key that was sent is not valid here"


def require_keys(app: Flask, ring: KeyRing) -> None:
    """Close every route, those that are not there included; `g.key_name` is who has come in."""

    @app.before_request
    def require_key() -> None:
        if is_public():
            return
        sent = list(keys_sent())
        if not sent:
            raise refusal(MISSING)
        owners = [ring.owner(key) for key in sent]
        g.key_name = next((name for name in owners if name is not None), None)
        if g.key_name is None:
            raise refusal(WRONG)


def keys_sent() -> Iterator[str]:
    """The request's keys: with Authorization left to a proxy in front, X-Api-Key still works."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        yield token.strip()
    if key := request.headers.get("X-Api-Key", "").strip():
        yield key


def refusal(message: str) -> ApiError:
    """401, in the words of OpenAI's clients."""
    body = ErrorBody(message=message, code="invalid_api_key")
    return ApiError(401, body, headers={"WWW-Authenticate": "Bearer"})
