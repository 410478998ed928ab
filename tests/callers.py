"""API keys, headers and a request body for the tests of access control."""

ALICE, BOB = "alice-has-this-key", "bob-has-another-key"
KEYS = f"alice: {ALICE}, {BOB}"
ENDLESS = '{"max_tokens": 50000, "min_tokens": 50000}'
EVENTS = {"Accept": "text/event-stream"}


def bearer(key: str) -> dict[str, str]:
    """The header of OpenAI's clients."""
    return {"Authorization": f"Bearer {key}"}
