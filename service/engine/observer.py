"""What the engine tells whoever counts: called on its thread, so it must be quick."""

from typing import Protocol

from service.engine.request import Outcome


class Observer(Protocol):
    """Hears of every step and of the stations of every request."""

    def began(self, seconds: float) -> None:
        """A request got its slots, so long after it came."""

    def prompted(self, model: str, *, fed: int, cached: int) -> None:
        """A prompt was read: so many tokens went through the network, so many were known."""

    def stepped(self, model: str, *, rows: int, steps: int, tokens: int, seconds: float) -> None:
        """`rows` texts took `steps` steps together, of which `tokens` tokens were wanted."""

    def began_writing(self, model: str, seconds: float) -> None:
        """A request's first piece is there, so long after it came."""

    def ended(self, model: str, outcome: Outcome, seconds: float) -> None:
        """A request has ended, so long after it came."""
