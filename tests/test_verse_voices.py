"""Voices of checkpoints: other scripts, subwords, no word list, and too few words."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from verse_voices import poet

from model.checkpoint import LoadedCheckpoint
from model.config import ModelConfig
from model.network import Network
from model.tokenizer import Tokenizer
from model.tokenizer_training import train_tokenizer
from model.word_list import pack
from verse.composer import lexicon
from verse.composer.impossible_form import ImpossibleFormError
from verse.prosody.dictionary import dictionary_words
from verse.verifier import verify

HEBREW = "שלום עולם, אני הולך אל הים. מה יפה הלילה!\n" * 5
CHINESE = "床前明月光\uff0c疑是地上霜。\n举头望明月\uff0c低头思故乡\uff01\n" * 5
HINDI = "चाँद की रात, नदी के किनारे।\nहवा में फूल!\n" * 5


def of_script(loaded: LoadedCheckpoint, tokenizer: Tokenizer) -> LoadedCheckpoint:
    config = ModelConfig(
        **{**loaded.network.config.model_dump(), "vocab_size": tokenizer.vocab_size}
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Network(config).initialise().eval()
    return replace(loaded, network=network, tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (CHINESE, [{"characters": 5}, {"characters": 7, "start": "明月"}, {"acrostic": "月"}]),
        (HEBREW, [{"characters": [8, 12]}, {"characters": 9, "start": "שלום"}, {"acrostic": "ה"}]),
        (HINDI, [{"characters": [4, 9]}, {"characters": 5, "acrostic": "च"}]),
    ],
)
def test_letters_and_acrostics_can_be_had_of_any_script(
    text: str, lines: list[dict[str, Any]], tiny: LoadedCheckpoint
) -> None:
    singer = poet(of_script(tiny, train_tokenizer([text])), None)
    request = singer.request(*lines)
    for seed in (0, 1):
        poem = singer.write(*lines, seed=seed)
        assert verify(poem.text, request.poem_spec()).faults == ()
        assert singer.write(*lines, seed=seed).text == poem.text


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"form": "haiku"}, "form"),
        ({"spec": {"stanzas": [[{}, {"rhyme": "A"}]]}}, "spec.stanzas.0.1"),
        ({"spec": {"stanzas": [[{"characters": 5}]]}, "avoid": ["a"]}, "avoid"),
        ({"spec": {"stanzas": [[{"characters": 5}]]}, "modern": True}, "modern"),
    ],
)
def test_prosody_is_refused_by_name_where_it_knows_nothing(
    asked: dict[str, Any], field: str, tiny: LoadedCheckpoint
) -> None:
    singer = poet(of_script(tiny, train_tokenizer([CHINESE])), None)
    with pytest.raises(ImpossibleFormError, match="has not the letters of English") as raised:
        singer.write(**asked)
    assert raised.value.field == field


def test_a_vocabulary_of_subwords_is_refused(tiny: LoadedCheckpoint, anthology: str) -> None:
    tokenizer = train_tokenizer([anthology[:20000]], kind="bpe", vocab_size=400)
    singer = poet(of_script(tiny, tokenizer), None)
    with pytest.raises(ImpossibleFormError, match="letter by letter") as raised:
        singer.write({"characters": 5})
    assert raised.value.field == "model"


def test_without_a_word_list_the_dictionary_has_the_words(
    tiny: LoadedCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["the", "light", "night", "bright", "sea", "day", "way", "say", "gold", "old", "cold"]
    known = [*words, *[word for word in dictionary_words() if len(word) == 3][:300]]
    monkeypatch.setattr(lexicon, "dictionary_words", lambda: known)
    singer = poet(tiny, None)
    assert singer.report({"rhyme": "A", "syllables": 4}, {"rhyme": "A", "syllables": 4}).ok


def test_too_few_words_are_no_lexicon_and_said_so(tiny: LoadedCheckpoint) -> None:
    words = ["the", "light"]
    singer = poet(tiny, pack(words, [[9, 9], [9, 9], [0, 0]], []))
    with pytest.raises(ImpossibleFormError, match="2 words to write lines with"):
        singer.write(form="haiku")
    assert singer.write({"characters": 5}).text
