"""Token offsets: where in a text the character stands that a token was made of, or writes.

A text becomes tokens by way of `model.prompt_normalization`, which may make several characters of
one, or one of several; and a token may be a part of a character, such as one byte of it. All
tokens of a character have its offset, and offsets never fall.
"""

from collections.abc import Iterable

from model.prompt_normalization import normalize_prompt, normalized_origins
from model.tokenizer import Tokenizer


def offsets_of_ids(ids: Iterable[int], tokenizer: Tokenizer) -> list[int]:
    """Offset of each token in the text that `ids` are decoded to."""
    counter = OffsetCounter(tokenizer)
    return [counter.offset_of_next(token_id) for token_id in ids]


def offsets_of_prompt(prompt: str, tokenizer: Tokenizer) -> list[int]:
    """Offset in `prompt` of each token of `tokenizer.encode_prompt(prompt)` but `<s>`."""
    if tokenizer.kind != "char":  # nothing is normalized: decoded, the ids are the prompt
        return offsets_of_ids(tokenizer.encode(prompt), tokenizer)
    normalized, _ = normalize_prompt(prompt, tokenizer.knows)
    num_tokens = {char: len(tokenizer.encode(char)) for char in set(normalized)}
    origins = normalized_origins(prompt, tokenizer.knows)
    return [
        origin
        for char, origin in zip(normalized, origins, strict=True)
        for _ in range(num_tokens[char])
    ]


class OffsetCounter:
    """Counter of the characters that tokens write, one token after another."""

    def __init__(self, tokenizer: Tokenizer, start: int = 0) -> None:
        """Begin at the offset `start`, with a character of its own."""
        self._tokenizer = tokenizer
        self._decoder = tokenizer.stream_decoder()
        self._end = start  # where the text of whole characters ends

    def offset_of_next(self, token_id: int) -> int:
        """Offset of the first character of this token, which comes next, or of what it is part of.

        A token without text, such as `<s>`, stands where the next character does.
        """
        held = self._decoder.num_held
        before = self._end + held
        self._end += len(self._decoder.feed((token_id,)))
        if not held:
            return before
        # A character that was held goes on in this token, unless both write what each would alone.
        alone = len(self._tokenizer.decode((token_id,)))
        is_apart = alone > 0 and self._end + self._decoder.num_held == before + alone
        return before if is_apart else before - 1
