"""Prompts of a completion, texts or token ids: what the model reads, and what an echo shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.token_offsets import offsets_of_ids, offsets_of_prompt
from model.tokenizer import BOS_ID, EncodedPrompt, Tokenizer

Prompt = str | tuple[int, ...]  # a text, or the ids of its tokens


@dataclass(frozen=True, slots=True)
class Echo:
    """Prompt as it is given back in front of a text."""

    text: str
    offsets: Sequence[int]  # in `text`, one a token; empty where nobody asked for them
    opens_document: bool = False  # by a token of its own, which is not scored


def encoded(prompt: Prompt, tokenizer: Tokenizer) -> EncodedPrompt:
    """Encode a prompt, or check the token ids that were sent as one. Raises ParameterError."""
    if isinstance(prompt, str):
        return tokenizer.encode_prompt(prompt)
    return tokenizer.prompt_of_ids(prompt)


def echo_of(prompt: Prompt, tokenizer: Tokenizer, *, with_offsets: bool) -> Echo:
    """Echo of a prompt, also of one that was sent as token ids."""
    if isinstance(prompt, str):
        return Echo(prompt, offsets_of_prompt(prompt, tokenizer) if with_offsets else ())
    offsets = offsets_of_ids(prompt, tokenizer) if with_offsets else ()
    return Echo(tokenizer.decode(prompt), offsets, opens_document=prompt[:1] == (BOS_ID,))
