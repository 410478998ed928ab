"""Cleaner of documents: cuts each kind of noise, counts it, and knows which kinds are to be kept.

Tunes in ABC notation are left as they are. Knows nothing of files and of where documents end.
"""

import re
from collections.abc import Callable, Collection, Iterator

from training.cleaning.chords import cut_chords
from training.cleaning.cuts import Cuts, Kind
from training.cleaning.markup import cut_markup
from training.cleaning.notes import cut_notes
from training.cleaning.numbers import cut_line_numbers, cut_page_numbers
from training.cleaning.prose import cut_prose
from training.cleaning.section_labels import Labels, with_labels
from training.cleaning.sites import cut_site_lines
from training.cleaning.stamps import cut_time_stamps

_TUNE = re.compile(r"X:[ \t]*\d+[ \t]*$", re.MULTILINE)
_LONG_GAP = re.compile(r"\n{3,}")


class Cleaner:
    """Cleaner of documents, with the cuts that it made so far."""

    def __init__(self, keep: Collection[Kind] = (), labels: Labels = "keep") -> None:
        self.cuts = Cuts(frozenset(keep))
        self._labels = labels

    def clean(self, text: str) -> tuple[str, dict[str, str]]:
        """Cut noise out of one document; second, what its tags tell: title, author."""
        facts: dict[str, str] = {}
        if _TUNE.match(text) is not None:
            return text, facts
        cleaned = text
        for cut in self._cutters(facts):
            cleaned = cut(cleaned)
        cleaned = with_labels(cleaned, self._labels)
        if cleaned is not text and "\n\n\n" not in text:
            cleaned = _LONG_GAP.sub("\n\n", cleaned)
        return cleaned, facts

    def _cutters(self, facts: dict[str, str]) -> Iterator[Callable[[str], str]]:
        cuts = self.cuts
        by_kind: tuple[tuple[Kind, Callable[[str], str]], ...] = (
            ("markup", lambda text: cut_markup(text, cuts)),
            ("time-stamps", lambda text: cut_time_stamps(text, cuts, facts)),
            ("sites", lambda text: cut_site_lines(text, cuts)),
            ("chords", lambda text: cut_chords(text, cuts, facts)),
            ("page-numbers", lambda text: cut_page_numbers(text, cuts)),
            ("line-numbers", lambda text: cut_line_numbers(text, cuts)),
            ("prose", lambda text: cut_prose(text, cuts)),
        )
        yield lambda text: cut_notes(text, cuts)  # of several kinds, which it looks up itself
        for kind, cut in by_kind:
            if kind not in cuts.keep:
                yield cut
