"""Reference driver of decoding: `generate` continues one prompt, a token at a time.
The service's engine must give the same bytes.

`generate` feeds one prompt and steps one row, a token at a time: it is the reference. The
serving engine moves many requests in and out of a `RowBatch`, some steps at a time, by the same
parts, and must give the same bytes. Knows nothing of threads, queues or HTTP.
"""

from collections.abc import Iterator

from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, Piece, TokenLogprob, token_logprob
from model.decoding.prefill import Prefill, feed
from model.decoding.row_batch import RowBatch, Sampled
from model.errors import ModelError
from model.parameters import SamplingParams
from model.tokenizer import Tokenizer


def generate(
    decoder: Decoder, tokenizer: Tokenizer, prompt: str, params: SamplingParams, steps: int = 1
) -> Iterator[Piece]:
    """Generate the text that follows `prompt`, one piece for every `steps` tokens.

    Raises ParameterError for parameters that this vocabulary cannot honour, and ModelError
    when the network's logits are not finite.
    """
    generation = Generation(tokenizer, tokenizer.encode_prompt(prompt), params.with_seed())
    if generation.is_finished:
        yield Piece(text="", num_tokens=0, finish_reason=generation.finish_reason)
        return
    prefill = Prefill(decoder, generation.prompt.ids)
    while not prefill.is_done:
        feed(decoder, [prefill])
    batch = RowBatch(decoder)
    batch.join(generation, prefill.state)
    while not generation.is_finished:
        piece, is_finite = next_piece(tokenizer, generation, batch.step(steps), 0)
        if not is_finite:
            raise ModelError("the model's logits are not finite numbers; is its checkpoint sound?")
        yield piece


def next_piece(
    tokenizer: Tokenizer, generation: Generation, sampled: Sampled, row: int
) -> tuple[Piece, bool]:
    """Make the next piece of a row's text from the tokens that were sampled for it.

    The second value says whether the text can go on: False where the logits were not finite before
    the end.
    """
    ids = sampled.finite_ids[row]
    before = generation.num_tokens
    text = generation.accept(ids)
    num_tokens = generation.num_tokens - before
    piece = Piece(
        text=text,
        num_tokens=num_tokens,
        logprobs=_token_logprobs(tokenizer, generation, sampled, row, num_tokens),
        finish_reason=generation.finish_reason,
        stop_reason=generation.stop_reason,
    )
    return piece, generation.is_finished or len(ids) == sampled.num_steps


def _token_logprobs(
    tokenizer: Tokenizer, generation: Generation, sampled: Sampled, row: int, count: int
) -> tuple[TokenLogprob, ...]:
    wanted = generation.params.logprobs
    if wanted is None:
        return ()
    return tuple(
        token_logprob(
            tokenizer,
            sampled.finite_ids[row][step],
            sampled.logprobs[step][row],
            sampled.top_ids[step][row][:wanted],
        )
        for step in range(count)
    )
