"""Ends of verse: a text ends with its n-th line or stanza, or softly with the end of one."""

import random

import pytest
import torch
from sampling_rows import LOGITS, ROWS, V, ids_of, params

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import LoadedCheckpoint
from model.decoding.decoder import Decoder, decoder_of
from model.decoding.generation import Generation, Piece
from model.decoding.reference_driver import generate
from model.decoding.sampling_state import SamplingState
from model.decoding.token_marks import LINE_BREAK, PLAIN, SPACE, breaks_of
from model.decoding.verse_ends import LINE_GRACE, VerseEnds
from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, Tokenizer
from model.tokenizer_training import train_tokenizer

POEM = "of day\n  \nThe night\nis long\n\n\nAnd cold \n\n\nend"


@pytest.fixture(scope="module")
def shipped() -> LoadedCheckpoint:
    return checkpoints.load(pretrained.DEFAULT)


@pytest.fixture(scope="module")
def decoder(shipped: LoadedCheckpoint) -> Decoder:
    return decoder_of(shipped.network, "int8")


def ended(prompt: str, text: str, **fields: object) -> tuple[str, str | None]:
    """What is shown of a text that comes character by character, and what ended it."""
    before, _, line = prompt.rpartition("\n")
    ends = VerseEnds(line, SamplingParams.checked(**fields), is_first=not before.strip())
    shown = ""
    for position, char in enumerate(text):
        shown += ends.feed(char, position)
        if ends.found is not None:
            return shown, ends.found
    return shown + ends.finish(), None


@pytest.mark.parametrize(
    ("prompt", "lines", "shown"),
    [
        ("The end ", 1, "of day"),
        ("", 2, "of day\n  \nThe night"),
        ("The end ", 3, "of day\n  \nThe night\nis long"),
        ("The end ", 4, "of day\n  \nThe night\nis long\n\n\nAnd cold "),
        ("The end ", 5, POEM),
    ],
)
def test_a_text_ends_with_its_last_line(prompt: str, lines: int, shown: str) -> None:
    assert ended(prompt, POEM, max_lines=lines)[0] == shown


@pytest.mark.parametrize(
    ("prompt", "stanzas", "shown"),
    [
        ("O\nThe end ", 1, "of day"),
        ("O\nThe end ", 2, "of day\n  \nThe night\nis long"),
        ("O\nThe end ", 3, "of day\n  \nThe night\nis long\n\n\nAnd cold "),
        ("O\nThe end ", 4, POEM),
    ],
)
def test_a_text_ends_before_the_blank_line_behind_its_last_stanza(
    prompt: str, stanzas: int, shown: str
) -> None:
    assert ended(prompt, POEM, max_stanzas=stanzas)[0] == shown


@pytest.mark.parametrize("prompt", ["The end of day", "The end of day\n", "", "The end\n\n"])
def test_what_the_prompt_had_whole_counts_for_nothing(prompt: str) -> None:
    assert ended(prompt, "\n\nNight\nlong\n\nx", max_lines=1)[0] == "\n\nNight"
    assert ended(prompt, "\n\nNight\nlong\n\nx", max_stanzas=1)[0] == "\n\nNight\nlong"


def test_a_blank_line_closes_the_stanza_that_the_prompt_began() -> None:
    assert ended("The moon\nis", " up\n\nx", max_stanzas=1) == (" up", "max_stanzas")
    assert ended("The moon\nis", "\nx\n\ny", max_stanzas=1) == ("\nx", "max_stanzas")


@pytest.mark.parametrize("length", range(len("\n \nTHE SEA.\n\nNi") + 1))
def test_a_first_line_alone_is_a_title_and_no_stanza_whoever_wrote_it(length: int) -> None:
    text = "\n \nTHE SEA.\n\nNight.\n\nx"
    shown = text[length:].removesuffix("\n\nx")
    assert ended(text[:length], text[length:], max_stanzas=1) == (shown, "max_stanzas")


def test_a_first_line_that_others_follow_is_no_title() -> None:
    assert ended("", "Night\nis long\n\nx", max_stanzas=1)[0] == "Night\nis long"
    assert ended("", "SEA.\n\nx", max_lines=1) == ("SEA.", "max_lines")
    assert ended("", "SEA.\n\nx", max_stanzas=1, soft_end=0) == ("SEA.", "soft_end")


def test_lines_are_shown_as_they_come_where_only_lines_are_counted() -> None:
    ends = VerseEnds("", SamplingParams(max_lines=3), is_first=True)
    assert [ends.feed(each, 0) for each in ("a", "\n", "b")] == ["a", "\n", "b"]


def test_a_soft_end_takes_a_stanza_first_and_then_a_line() -> None:
    line = "x" * (LINE_GRACE - 2) + "\n"
    assert ended("", "a\n\nb\n\nc", soft_end=4) == ("a\n\nb", "soft_end")
    assert ended("", "a\n\nb\n\nc", soft_end=5) == ("a\n\nb", "soft_end")
    assert ended("", "a\n\nb\n\nc", soft_end=6)[1] is None
    assert ended("", line + "\n", soft_end=0) == (line[:-1], "soft_end")
    assert ended("", line + "y\n", soft_end=0) == (line + "y", "soft_end")
    assert ended("", line + "y\n", soft_end=3)[1] is None


def text_of(shipped: LoadedCheckpoint, decoder: Decoder, **fields: object) -> tuple[str, Piece]:
    wanted = SamplingParams.checked(**{"seed": 5, "temperature": 1.0, **fields})
    pieces = list(generate(decoder, shipped.tokenizer, "The moon", wanted, 16))
    return "".join(piece.text for piece in pieces), pieces[-1]


@pytest.mark.parametrize("fields", [{"max_lines": 3}, {"max_stanzas": 1}, {"max_lines": 99}])
def test_a_bounded_text_is_the_beginning_of_the_unbounded_one(
    shipped: LoadedCheckpoint, decoder: Decoder, fields: dict[str, object]
) -> None:
    whole, _ = text_of(shipped, decoder, max_tokens=300, min_tokens=300)
    begun, last = text_of(shipped, decoder, max_tokens=300, min_tokens=300, **fields)
    assert whole.startswith(begun)
    if last.finish_reason == "stop":
        assert last.stop_reason in fields
        assert whole[len(begun)] == "\n"
    else:
        assert begun == whole


def test_the_earliest_of_several_ends_counts(tokenizer: Tokenizer) -> None:
    def end_of(**fields: object) -> tuple[str, str | None]:
        wanted = SamplingParams.checked(seed=1, **fields)
        generation = Generation(tokenizer, tokenizer.encode_prompt("O "), wanted)
        text = generation.accept([*tokenizer.encode("rose\nand thorn\n\nO"), BOS_ID])
        return text, generation.stop_reason

    assert end_of(max_lines=1, stop=["th"]) == ("rose", "max_lines")
    assert end_of(max_lines=2, stop=["th"]) == ("rose\nand ", "th")
    assert end_of(max_stanzas=1, stop=["xyz"]) == ("rose\nand thorn", "max_stanzas")
    assert end_of(max_lines=1, stop=["ses"]) == ("rose", "max_lines")
    assert end_of(max_stanzas=2, stop=["O!"]) == ("rose\nand thorn\n\nO", "end_of_document")


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [("", "rose\n\nthorn"), (" \n", "rose\n\nthorn"), ("O\n", "rose"), ("O\n\n", "rose")],
)
def test_the_whole_prompt_tells_whether_a_line_is_the_first(
    tokenizer: Tokenizer, prompt: str, shown: str
) -> None:
    wanted = SamplingParams(seed=1, max_stanzas=1)
    generation = Generation(tokenizer, tokenizer.encode_prompt(prompt), wanted)
    assert generation.accept(tokenizer.encode("rose\n\nthorn\n\nO")) == shown


def test_nothing_is_lost_where_no_end_comes(tokenizer: Tokenizer) -> None:
    rng = random.Random(3)
    for _ in range(200):
        text = "".join(rng.choice("ab \n") for _ in range(20))
        wanted = SamplingParams(seed=1, max_stanzas=99, stop=("\n\n\n\n\n\n",), max_tokens=20)
        generation = Generation(tokenizer, tokenizer.encode_prompt(""), wanted)
        shown = "".join(generation.accept([each]) for each in tokenizer.encode(text))
        assert shown == text.partition("\n\n\n\n\n\n")[0]


def test_a_model_without_line_breaks_is_refused(tokenizer: Tokenizer) -> None:
    breaks = breaks_of(tokenizer)
    where = breaks == LINE_BREAK
    breaks[where] = PLAIN
    try:
        with pytest.raises(ParameterError, match="max_lines: needs a model that writes line break"):
            Generation(tokenizer, tokenizer.encode_prompt(""), SamplingParams(max_lines=1, seed=1))
    finally:
        breaks[where] = LINE_BREAK


@pytest.mark.parametrize("kind", ["char", "bpe", "unigram"])
def test_line_breaks_and_spaces_are_marked_in_every_vocabulary(kind: str, anthology: str) -> None:
    size = 400 if kind != "char" else 200
    tokenizer = train_tokenizer([anthology[:20_000]], kind=kind, vocab_size=size)  # type: ignore[arg-type]
    marks, texts = breaks_of(tokenizer), tokenizer.token_texts
    assert marks[tokenizer.encode("a\nb")[1]] == LINE_BREAK
    assert {texts[i][0] for i in range(len(marks)) if marks[i] == SPACE} == {" "}


# Ids of the scripted vocabulary, beside `<s>`.
NEWLINE, BLANK, LETTER = 5, 6, 4


def soft_rows(position: int, latest: int, temperature: float = 1.0) -> SamplingState:
    """Sampling state of ROWS rows whose soft end is 0, at a position behind a token."""
    breaks = torch.zeros(V, dtype=torch.int8).numpy()
    breaks[NEWLINE], breaks[BLANK] = LINE_BREAK, SPACE
    sampling = SamplingState(V)
    for row in range(ROWS):
        chosen = params(soft_end=0, temperature=temperature, seed=row)
        sampling.join([chosen], [{}], [[latest]], breaks)
    sampling.rows.position.fill_(position)
    return sampling


def share_of(token: int, logits: list[float], **where: object) -> float:
    """Share of a token among the ids that are drawn with many seeds."""
    drawn: list[int] = []
    for start in range(0, 400, ROWS):
        sampling = soft_rows(**where)  # type: ignore[arg-type]
        sampling.reseed(range(start, start + ROWS))
        drawn += ids_of(sampling, torch.tensor([logits] * ROWS))
    return drawn.count(token) / len(drawn)


def test_before_the_grace_a_line_ends_as_it_would() -> None:
    logits = [float(each) for each in LOGITS]
    early, late = soft_rows(0, LETTER), soft_rows(LINE_GRACE, LETTER)
    plain = SamplingState(V)
    for row in range(ROWS):
        plain.join([params(seed=row)], [{}], [[LETTER]])
    plain.rows.position.fill_(0)
    assert ids_of(early, torch.tensor([logits] * ROWS)) == ids_of(
        plain, torch.tensor([logits] * ROWS)
    )
    plain.rows.position.fill_(LINE_GRACE)
    assert ids_of(late, torch.tensor([logits] * ROWS)) == ids_of(
        plain, torch.tensor([logits] * ROWS)
    )


@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_at_last_a_line_ends_where_a_word_does_and_nowhere_else(temperature: float) -> None:
    word_end, inside = [-9.0 * temperature] * V, [-9.0 * temperature] * V
    word_end[BLANK], word_end[NEWLINE] = 4.0 * temperature, 0.0
    inside[LETTER], inside[NEWLINE] = 4.0 * temperature, -5.0 * temperature
    where = {"position": LINE_GRACE + 200, "latest": LETTER, "temperature": temperature}
    assert share_of(NEWLINE, word_end, **where) > 0.85
    assert share_of(NEWLINE, inside, **where) < 0.1


def test_after_a_line_break_the_blank_line_and_the_documents_end_become_likelier() -> None:
    logits = [-9.0] * V
    logits[LETTER], logits[NEWLINE], logits[BOS_ID] = 3.0, 0.0, 0.0
    shares = [
        share_of(NEWLINE, logits, position=position, latest=NEWLINE)
        + share_of(BOS_ID, logits, position=position, latest=NEWLINE)
        for position in (0, 40, 160)
    ]
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.95


def test_nearly_every_text_ends_softly_at_a_words_end(
    shipped: LoadedCheckpoint, decoder: Decoder
) -> None:
    for seed in range(12):
        text, last = text_of(shipped, decoder, seed=seed, soft_end=60, max_tokens=500)
        assert last.stop_reason in ("soft_end", "end_of_document")
        assert len(text) < 60 + LINE_GRACE + 160
        assert not text.endswith("\n\n")


def test_the_lifted_ends_change_with_no_neighbour_and_no_count_of_steps(
    shipped: LoadedCheckpoint, decoder: Decoder
) -> None:
    for fields in ({"soft_end": 30}, {"soft_end": 0, "temperature": 0}, {"soft_end": 90}):
        wanted = SamplingParams.checked(seed=3, max_tokens=300, **fields)
        texts = [
            "".join(p.text for p in generate(decoder, shipped.tokenizer, "Night ", wanted, steps))
            for steps in (1, 7, 64)
        ]
        assert len(set(texts)) == 1
