"""Lines that lyrics sites add to a song: counts of contributors, offers, credits, legal lines.

Whole lines of known wording, and `Embed` behind the last word. Knows nothing of files.
"""

import re

from training.cleaning.cuts import Cuts

_LINE = re.compile(
    r"""^[ \t]*(?:
      .{0,80}\ Lyrics(?:\ \d+\ .*)?(?=\n\[)
    | You\ might\ also\ like
    | See\ .{1,80}\ Live\ ?Get\ tickets\ as\ low\ as\ \$\d+
    | Get\ tickets\ as\ low\ as\ \$\d+
    | (?:\d+(?:\.\d+K)?)?Embed
    | Translations?(?=\n[^a-z\n]*\w+\n)
    | Submit\ Corrections
    | Thanks\ to\ .{1,200}\ for\ (?:correcting|adding|submitting).{0,40}\ lyrics\.?
    | (?:Writer|Writers|Writer\(s\)|Songwriters?):\ .+
    | Lyrics\ (?:licensed\ and\ provided|licensed\ &\ provided|powered|provided)\ by\ .{1,40}
    | Lyrics\ ©.*
    | .{0,60}\ lyrics\ are\ property\ and\ copyright\ of\ .{1,60}
    | \*+\ ?This\ Lyrics\ is\ NOT\ for\ Commercial\ use\ ?\*+(?:\n\(\d+\))?
    | (?:AZLyrics|A-Z\ Lyrics|Genius|Lyrics\.com|Musixmatch)(?:\.com)?
    )[ \t]*$\n?""",
    re.MULTILINE | re.VERBOSE,
)
# A page's head and its first line stand in one line, with nothing between them.
_HEAD = re.compile(r"\A\d+ Contributors?(?:.{0,400}?\bLyrics)?(?:.{0,900}?Read More)?[ \t\xa0]*\n?")
_GLUED_LIKE = re.compile(r"You might also like(?=\[|$)", re.MULTILINE)
_GLUED_EMBED = re.compile(r"(?<=[\w.,!?)\]\"'’])(?:\d+(?:\.\d+K)?)?Embed\s*\Z")
_SIGNS = ("yrics", "Embed", "Contributor", "You might also", "ickets as low", "Submit Corr")
_WRITERS = re.compile(r"riters?\(?s?\)?:")


def cut_site_lines(text: str, cuts: Cuts) -> str:
    """Cut the lines that lyrics sites add."""
    if not any(sign in text for sign in _SIGNS) and _WRITERS.search(text) is None:
        return text
    for pattern in (_HEAD, _LINE, _GLUED_LIKE, _GLUED_EMBED):
        text = cuts.cut("sites", pattern, text)
    return text.strip("\n")
