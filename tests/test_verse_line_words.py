"""Words of a line as prosody reads them, whatever stands around them."""

import pytest

from verse.prosody.function_words import is_function_word
from verse.prosody.line_words import line_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Shall I compare thee to a summer's day?", "Shall I compare thee to a summer's day"),
        (
            "\u201c\u2019Tis the lovers\u2019 hour,\u201d she said\u2014and sang",
            "'Tis the lovers' hour she said and sang",
        ),
        ("'The sea!' they cried, 'the sea--the sea'", "The sea they cried the sea the sea"),
        ("o' th' snow-white heav'n, singin' low", "o' th' snow-white heav'n singin' low"),
        ("'Twas 1798, and 3 o'clock", "'Twas 1798 and 3 o'clock"),
        ("  _wingèd_ steeds * * *", "wingèd steeds"),
        ("... -- ' \"", ""),
        ("", ""),
    ],
)
def test_a_line_is_split_into_its_words(line: str, words: str) -> None:
    assert [word.text for word in line_words(line)] == words.split()


def test_a_word_knows_where_it_stands() -> None:
    line = "\u2018Come,\u2019 said the \u2019prentice\u2019s love"
    for word in line_words(line):
        assert line[word.start : word.end].replace("\u2019", "'") == word.text


def test_function_words_may_go_unstressed_and_others_not() -> None:
    assert all(map(is_function_word, ["the", "of", "Thou", "hath", "o'er", "'tis"]))
    assert not any(map(is_function_word, ["sea", "love", "dies", "sweet"]))
