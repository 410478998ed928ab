"""Avoided words never come, whatever the driver, and nothing else changes than has to."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from model import checkpoint as checkpoints
from model import pretrained
from model.avoided_words import AvoidedPhrase, avoided_phrase
from model.checkpoint import LoadedCheckpoint
from model.decoding.avoidance import ATTEMPTS, Avoidance, Drawn
from model.decoding.decoder import Decoder, decoder_of
from model.decoding.generation import Generation, Piece
from model.decoding.reference_driver import generate, next_piece
from model.decoding.row_batch import RowBatch
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, Tokenizer
from model.tokenizer_training import train_tokenizer

COMMON = ("the", "and", "love", "I", "of the")


@pytest.fixture(scope="module")
def shipped() -> LoadedCheckpoint:
    return checkpoints.load(pretrained.DEFAULT)


@pytest.fixture(scope="module")
def decoder(shipped: LoadedCheckpoint) -> Decoder:
    return decoder_of(shipped.network, "int8")


def avoidance_of(tokenizer: Tokenizer, avoid: Sequence[str], prompt: str = "") -> Avoidance:
    wanted = SamplingParams.checked(seed=1, avoid=list(avoid), max_tokens=999)
    return Avoidance(tokenizer, tokenizer.encode_prompt(prompt), wanted)


def drawn(tokenizer: Tokenizer, text: str) -> list[Drawn]:
    return [Drawn(token_id=each) for each in tokenizer.encode(text)]


def is_hit(tokenizer: Tokenizer, avoid: Sequence[str], text: str, prompt: str = "") -> bool:
    avoidance = avoidance_of(tokenizer, avoid, prompt)
    avoidance.take([*drawn(tokenizer, text), Drawn(token_id=BOS_ID)])
    return avoidance.is_hit


@pytest.mark.parametrize(
    ("avoided", "text", "expected"),
    [
        ("love", "my love", True),
        ("love", "LOVE, my", True),
        ("love", "Love\nis", True),
        ("love", "lovely", False),
        ("love", "glove", False),
        ("love", "love's", False),
        ("love", "love'", True),
        ("love", "'love'", True),
        ("love", "love-sick", True),
        ("love*", "lovely", True),
        ("lov*", "lov", True),
        ("lov*", "glove", False),
        ("love's", "Love\u2019s own", True),
        ("o'er", "moreo'er", False),
        ("o'er", "O\u2019er", True),
        ("my love", "my\nLOVE.", True),
        ("my love", "my  \n\n love", True),
        ("my love", "my, love", False),
        ("my love", "enemy love", False),
        ("my love", "my lovely", False),
        ("my lov*", "my lovely", True),
        ("love-sick", "Love-sick", True),
        ("love-sick", "love sick", False),
        ("IN THE", "in the", True),
        ("stra\u00dfe", "STRASSE", True),
        ("2", "1 2 3", True),
        ("2", "12", False),
    ],
)
def test_whole_words_are_found_however_they_are_written(
    avoided: str, text: str, expected: bool, anthology: str
) -> None:
    tokenizer = train_tokenizer([anthology + "\u2019\u00df0123456789'-" + text], kind="char")
    assert is_hit(tokenizer, [avoided], text) is expected


def test_an_ideograph_is_a_word_and_several_are_a_phrase() -> None:
    poem = "\u5e8a\u524d\u660e\u6708\u5149\uff0c\u7591\u662f\u5730\u4e0a\u971c"
    tokenizer = train_tokenizer([poem], kind="char")
    assert is_hit(tokenizer, ["\u6708"], poem)
    assert is_hit(tokenizer, ["\u660e\u6708"], poem)
    assert not is_hit(tokenizer, ["\u524d\u6708"], poem)
    assert avoided_phrase("\u660e\u6708") == AvoidedPhrase(
        before="\u660e", last="\u6708", is_open=False
    )


@pytest.mark.parametrize(
    ("prompt", "text", "expected"),
    [
        ("my love", " is", False),  # the prompt's own
        ("my lo", "ve is", True),
        ("my love", "ly", False),
        ("of my", " love", True),
        ("my lovely", " one", False),
    ],
)
def test_a_word_counts_where_some_of_it_is_generated(
    prompt: str, text: str, expected: bool, tokenizer: Tokenizer
) -> None:
    assert is_hit(tokenizer, ["love"], text, prompt) is expected
    assert is_hit(tokenizer, ["my love"], text, prompt) is expected


def test_tokens_are_held_only_while_their_word_may_be_avoided(tokenizer: Tokenizer) -> None:
    avoidance = avoidance_of(tokenizer, ["love", "of the"])
    sizes = [len(avoidance.take(drawn(tokenizer, each))) for each in "a lovely of lo"]
    assert sizes == [1, 1, 0, 0, 0, 0, 5, 1, 1, 1, 1, 1, 0, 0]
    assert not avoidance.is_hit


def test_a_redraw_goes_back_to_the_words_beginning(tokenizer: Tokenizer) -> None:
    avoidance = avoidance_of(tokenizer, ["love"])
    orders = []
    certain = avoidance.take(drawn(tokenizer, "my love "))
    for _ in range(ATTEMPTS + 1):
        assert avoidance.is_hit
        orders.append(avoidance.redraw())
        certain += avoidance.take(drawn(tokenizer, "love "))
    assert len(certain) == 3
    assert {order.position for order in orders} == {3}
    assert len({order.seed for order in orders}) == len(orders)
    letters = {tokenizer.encode(each)[0] for each in "lL"}
    assert [order.banned for order in orders] == [frozenset()] * ATTEMPTS + [letters]


def test_a_greedy_text_bans_the_letter_at_once(tokenizer: Tokenizer) -> None:
    wanted = SamplingParams(seed=1, avoid=("love",), temperature=0)
    avoidance = Avoidance(tokenizer, tokenizer.encode_prompt(""), wanted)
    avoidance.take(drawn(tokenizer, "love "))
    assert tokenizer.encode("l")[0] in avoidance.redraw().banned


def pieces_of(
    shipped: LoadedCheckpoint, decoder: Decoder, steps: int = 16, prompt: str = "", **fields: object
) -> list[Piece]:
    wanted = SamplingParams.checked(**{"seed": 5, "temperature": 1.0, "max_tokens": 200, **fields})
    return list(generate(decoder, shipped.tokenizer, prompt, wanted, steps))


def text_of(shipped: LoadedCheckpoint, decoder: Decoder, **fields: Any) -> str:
    return "".join(piece.text for piece in pieces_of(shipped, decoder, **fields))


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.casefold())


def test_the_commonest_words_never_come(shipped: LoadedCheckpoint, decoder: Decoder) -> None:
    tokenizer = shipped.tokenizer
    batch = RowBatch(decoder)
    wanted = [
        SamplingParams.checked(seed=i, temperature=1.0, max_tokens=100, avoid=list(COMMON))
        for i in range(32)
    ]
    generations = [Generation(tokenizer, tokenizer.encode_prompt(""), each) for each in wanted]
    for generation in generations:
        batch.join(generation, decoder.zero_state(1))
    texts = [""] * len(generations)
    while not all(each.is_finished for each in generations):
        sampled = batch.step(8)
        for row, generation in enumerate(generations):
            if not generation.is_finished:
                piece, is_finite = next_piece(tokenizer, generation, sampled, row)
                assert is_finite
                texts[row] += piece.text
    found = {word for text in texts for word in words_of(text)}
    assert not found & set(COMMON)
    assert {"then", "my"} & found  # others come as ever
    for i in (0, 9, 31):  # and each is what the text is alone
        alone = text_of(shipped, decoder, seed=i, max_tokens=100, avoid=list(COMMON), steps=1)
        assert texts[i] == alone


def test_a_text_without_such_a_word_is_the_same(
    shipped: LoadedCheckpoint, decoder: Decoder
) -> None:
    plain = text_of(shipped, decoder)
    assert text_of(shipped, decoder, avoid=["xylophone", "zeal of", "qu*"]) == plain
    word = words_of(plain)[6]
    avoiding = text_of(shipped, decoder, avoid=[word])
    start = re.search(rf"\b{word}\b", plain.casefold())
    assert start is not None
    assert avoiding[: start.start()] == plain[: start.start()]
    assert word not in words_of(avoiding)


def test_all_words_can_be_avoided(shipped: LoadedCheckpoint, decoder: Decoder) -> None:
    letters = [f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
    text = text_of(shipped, decoder, avoid=letters, max_tokens=12, min_tokens=12)
    assert len(text) == 12
    assert not re.search("[a-z0-9]", text.casefold())


def test_the_log_probabilities_are_those_of_the_text_that_came(
    shipped: LoadedCheckpoint, decoder: Decoder
) -> None:
    pieces = pieces_of(shipped, decoder, avoid=list(COMMON), logprobs=2)
    entries = [entry for piece in pieces for entry in piece.logprobs]
    text = "".join(piece.text for piece in pieces)
    assert "".join(entry.token for entry in entries).removesuffix("<s>") == text
    batch = RowBatch(decoder)
    forced = SamplingParams(seed=1, logprobs=2)
    prompt = shipped.tokenizer.encode_prompt("")
    batch.join(Generation(shipped.tokenizer, prompt, forced), decoder.zero_state(1))
    for entry in entries:
        logits = batch.advance()[0].double().log_softmax(0)
        assert entry.logprob == pytest.approx(float(logits[entry.token_id]), abs=1e-6)
        batch.take([entry.token_id])


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_subwords_are_gone_round_too(kind: str, anthology: str) -> None:
    tokenizer = train_tokenizer([anthology[:40_000]], kind=kind, vocab_size=400)  # type: ignore[arg-type]
    text = "and the night of the love\u2019s day"
    for avoided, expected in (("night", True), ("nigh", False), ("of the", True), ("lov*", True)):
        avoidance = avoidance_of(tokenizer, [avoided], "Over")
        tokens = drawn(tokenizer, " " + text)
        certain = avoidance.take([*tokens, Drawn(token_id=BOS_ID)])
        assert avoidance.is_hit is expected
        if expected:
            start = avoidance.redraw().position
            assert start == len(certain)
            shown = tokenizer.decode(each.token_id for each in certain)
            assert (" " + text).startswith(shown)
            assert avoided.split()[-1].strip("*") not in shown.split(" ")[-1]


def test_a_stop_string_and_ends_of_lines_go_together_with_it(
    shipped: LoadedCheckpoint, decoder: Decoder
) -> None:
    fields = {"avoid": list(COMMON), "max_lines": 3, "stop": ["zz"], "soft_end": 20, "seed": 8}
    texts = {text_of(shipped, decoder, steps=steps, **fields) for steps in (1, 5, 32)}
    assert len(texts) == 1
    assert texts.pop().count("\n") <= 3
