"""Widening of a network: rows for new characters, behind those that it has, which stay bit for bit.

A new character begins as the one that it looks like (a curly quotation mark as the straight one,
an accented letter as the plain one), else as the mean of its Unicode category, with a little noise
to tell it apart; and as so unlikely that hardly a probability of the others changes.

Knows nothing of runs and texts.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from model.count_in_words import counted
from model.network import Network
from model.prompt_normalization import normalize_prompt
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from model.tokenizer_widening import is_widened
from training.data.unknown_characters import MOST_SHOWN

NOISE = 0.1  # of new rows, as a share of the deviation of the old ones
BIAS_BELOW = 4.0  # logits: new characters below those that they begin as


def widened_network(network: Network, old: Tokenizer, new: Tokenizer, seed: int) -> Network:
    """Network for the vocabulary `new`, which is `old` with characters behind it.

    `seed` is of the noise. Raises ValueError for vocabularies of another kind.
    """
    if not is_widened(new, old):
        raise ValueError("the vocabulary is not the old one with characters behind it")
    if new.vocab_size == old.vocab_size:
        return network
    architecture = network.config.model_copy(update={"vocab_size": new.vocab_size})
    wide = Network(architecture)
    models = [_models_of(new.token_text(i), old) for i in range(old.vocab_size, new.vocab_size)]
    generator = torch.Generator().manual_seed(seed)
    weights = network.state_dict()
    for name in ("embedding.weight", "output.weight"):
        weights[name] = _with_rows(weights[name], models, generator)
    if architecture.tied:
        weights["output.weight"] = weights["embedding.weight"]
    bias = weights["output.bias"]
    lower = [bias[ids].mean() - BIAS_BELOW for ids in models]
    weights["output.bias"] = torch.cat([bias, torch.stack(lower)])
    wide.load_state_dict(weights)
    return wide.to(network.device)


def new_character_lines(old: Tokenizer, new: Tokenizer, name: str) -> Iterator[str]:
    """Say which characters the vocabulary of the checkpoint `name` is widened by, if any."""
    characters = [new.token_text(i) for i in range(old.vocab_size, new.vocab_size)]
    if characters:
        shown = ", ".join(f"{char!r} U+{ord(char):04X}" for char in characters[:MOST_SHOWN])
        more = ", ..." if len(characters) > MOST_SHOWN else ""
        number = counted(len(characters), "character")
        yield f"widened by {number} that {name} does not have: {shown}{more}"


def _with_rows(matrix: Tensor, models: Sequence[list[int]], generator: torch.Generator) -> Tensor:
    means = torch.stack([matrix[ids].mean(dim=0) for ids in models])
    noise = torch.randn(means.shape, generator=generator).to(matrix.device)
    return torch.cat([matrix, means + NOISE * matrix.std() * noise])


def _models_of(char: str, tokenizer: Tokenizer) -> list[int]:
    """Ids that a new character begins as the mean of."""
    alike, num_replaced = normalize_prompt(char, tokenizer.knows)
    if num_replaced:
        return tokenizer.encode(alike[:1])
    texts = tokenizer.token_texts
    ids = [i for i in range(tokenizer.vocab_size) if i not in (UNK_ID, BOS_ID)]
    for depth in (2, 1):  # small letters, else letters
        category = unicodedata.category(char)[:depth]
        kin = [i for i in ids if unicodedata.category(texts[i][:1] or "\0").startswith(category)]
        if kin:
            return kin
    return ids
