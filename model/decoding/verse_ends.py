"""Ends of verse: a text ends with the end of its n-th line or stanza, or softly with one of them.

Lines and stanzas are counted by what was generated of them. A line counts where a character of it
that can be seen was: so the prompt's unfinished line is the first if anything is added to it, and
blank lines count for nothing. A stanza is a run of such lines, and ends before a blank line. The
document's first line is no stanza where it stands alone before a blank line: it is the title that
the models' documents open with, whether the prompt began it or not.

A soft end takes, from `soft_end` tokens on, the end of a stanza or of the title, and LINE_GRACE
tokens later that of any line; the document's own end ends a text anyway. `model.decoding.sampling`
makes all of them likelier from there on. Knows nothing of ids: it sees the text that each token
completes.
"""

from typing import Literal

from model.parameters import SamplingParams

LINE_GRACE = 64  # tokens behind `soft_end` from which on any line's end will do

VerseEnd = Literal["max_lines", "max_stanzas", "soft_end"]


class VerseEnds:
    """Matcher of the ends of one text; lets its text through up to the first of them."""

    def __init__(self, line: str, params: SamplingParams, *, is_first: bool) -> None:
        """Begin behind `line`, the prompt's last; `is_first` where all before it is blank."""
        self.found: VerseEnd | None = None  # what ended the text
        self._params = params
        self._looks_behind = params.max_stanzas is not None or params.soft_end is not None
        self._is_blank = not line.strip()  # the line so far
        self._has_ink = False  # of the line: something to be seen was generated
        self._is_in_stanza = False  # such a line came since the last blank one
        self._lines = self._stanzas = 0  # that have ended
        self._filled_lines = 0 if is_first else 1  # of the document, at least so many
        self._held = ""  # white space that may be the stanza's end

    def feed(self, text: str, position: int) -> str:
        """Take the text that the token at `position` completes, give what may be shown now."""
        shown = ""
        for char in text:
            if char == "\n":
                self._end_line(position)
                if self.found is not None:
                    self._held = ""
                    return shown
            elif not char.isspace():
                self._is_blank, self._has_ink, self._is_in_stanza = False, True, True
            if char == "\n" or (self._held and char.isspace()):
                self._held += char
            else:
                shown += self._held + char
                self._held = ""
            if not (self._looks_behind and self._is_in_stanza):
                shown += self._held
                self._held = ""
        return shown

    def _end_line(self, position: int) -> None:
        since = -1 if self._params.soft_end is None else position - self._params.soft_end
        if not self._is_blank:
            self._filled_lines += 1
        if self._has_ink:
            self._lines += 1
            if self._lines == self._params.max_lines:
                self.found = "max_lines"
            elif since >= LINE_GRACE:
                self.found = "soft_end"
        elif self._is_blank and self._is_in_stanza:
            self._is_in_stanza = False
            self._stanzas += self._filled_lines > 1  # else it was the title
            if self._stanzas == self._params.max_stanzas:
                self.found = "max_stanzas"
            elif since >= 0:
                self.found = "soft_end"
        self._is_blank, self._has_ink = True, False

    def finish(self) -> str:
        """Give the text that was held back, now that no more comes."""
        rest, self._held = self._held, ""
        return rest
