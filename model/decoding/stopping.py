"""Stop strings: where a text ends, and what is held back as it may be the beginning of one.

Text that may be the beginning of a stop string is held back until it cannot be, so a stop
string never shows, whole or in part, however it is cut into pieces.
Knows nothing of ids: it sees text.
"""

from collections.abc import Sequence
from typing import Literal

FinishReason = Literal["stop", "length"]  # OpenAI's words


class StopMatcher:
    """Matcher of stop strings over streamed text: lets it through up to the earliest of them.

    The earliest is the one that is complete first; where several are complete at the same
    character, the one that begins first counts.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.found: str | None = None  # the stop string that ended the text

    def feed(self, text: str) -> str:
        """Take more text, give what may be shown now; nothing more once a stop was found."""
        if self.found is not None:
            return ""
        if not self._stops:
            return text
        text = self._held + text
        matches = [
            (at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0
        ]
        if matches:
            _, start, self.found = min(matches)
            self._held = ""
            return text[:start]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Give the text that was held back, now that no more comes."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`, not all of it."""
    longest = min(len(stop) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
