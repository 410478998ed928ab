"""Reference driver of decoding: `generate` continues one prompt, a token at a time.
The service's engine must give the same bytes.

`generate` feeds one prompt and steps one row, a token at a time: it is the reference. The
serving engine moves many requests in and out of a `RowBatch`, some steps at a time, by the same
parts, and must give the same bytes. Knows nothing of threads, queues or HTTP.
"""

from collections.abc import Iterator, Sequence

from model.decoding.avoidance import Avoidance, Drawn
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, Piece, TokenLogprob, token_logprob
from model.decoding.prefill import Prefill, feed
from model.decoding.resumption import FIELD, Resumption
from model.decoding.row_batch import RowBatch, Sampled
from model.errors import ModelError, ParameterError
from model.parameters import SamplingParams
from model.tokenizer import Tokenizer

REDRAWS = 4  # of a row in one call: the others are not to wait for more


def generate(
    decoder: Decoder,
    tokenizer: Tokenizer,
    prompt: str,
    params: SamplingParams,
    steps: int = 1,
    *,
    resumption: Resumption | None = None,
) -> Iterator[Piece]:
    """Generate the text that follows `prompt`, one piece for every `steps` tokens.

    With a `resumption` only what comes behind the text that was received. Raises ParameterError for
    parameters that this vocabulary cannot honour and for a received text that is another's, and
    ModelError when the network's logits are not finite.
    """
    encoded = tokenizer.encode_prompt(prompt)
    generation = Generation(tokenizer, encoded, params.with_seed(), resumption=resumption)
    if generation.is_finished:
        yield Piece(text="", num_tokens=0, finish_reason=generation.finish_reason)
        return
    prefill = Prefill(decoder, generation.fed_ids)
    while not prefill.is_done:
        feed(decoder, [prefill])
    batch = RowBatch(decoder)
    batch.join(generation, prefill.state)
    while not generation.is_finished:
        piece, is_finite = next_piece(tokenizer, generation, batch.step(steps), 0)
        if not is_finite:
            raise ModelError("the model's logits are not finite numbers; is its checkpoint sound?")
        if generation.is_other:
            raise ParameterError(FIELD, "is not what this request writes")
        if piece.num_tokens:  # else all of it is held back
            yield piece


def next_piece(
    tokenizer: Tokenizer, generation: Generation, sampled: Sampled, row: int
) -> tuple[Piece, bool]:
    """Make the next piece of a row's text from the tokens that were sampled for it.

    Where an avoided word has come, the row goes back and draws again. The second value says whether
    the text can go on: False where the logits were not finite before the end.
    """
    before = generation.num_tokens
    tokens: Sequence[Drawn] = ()
    if generation.avoidance is not None:
        tokens, is_finite = _certain(generation.avoidance, sampled, row)
        ids = [token.token_id for token in tokens]
    else:
        ids, is_finite = sampled.finite_ids[row], sampled.is_finite(row)
        if generation.params.logprobs is not None:
            tokens = sampled.drawn(row)
    text = generation.accept(ids)
    num_tokens = generation.num_tokens - before
    piece = Piece(
        text=text,
        num_tokens=num_tokens,
        logprobs=_token_logprobs(tokenizer, generation, tokens[:num_tokens]),
        finish_reason=generation.finish_reason,
        stop_reason=generation.stop_reason,
    )
    return piece, generation.is_finished or is_finite


def _certain(avoidance: Avoidance, sampled: Sampled, row: int) -> tuple[list[Drawn], bool]:
    """Tokens that are certain not to become an avoided word; and whether logits were finite."""
    certain, is_finite = [], True
    if not avoidance.is_hit:  # else the row has gone on from what is to be drawn again
        certain, is_finite = avoidance.take(sampled.drawn(row)), sampled.is_finite(row)
    for _ in range(REDRAWS):
        if not avoidance.is_hit:
            break
        again = sampled.redraw(row, avoidance.redraw())
        certain += avoidance.take(again.drawn(0))
        is_finite = again.is_finite(0)
    return certain, is_finite or avoidance.is_hit


def _token_logprobs(
    tokenizer: Tokenizer, generation: Generation, tokens: Sequence[Drawn]
) -> tuple[TokenLogprob, ...]:
    wanted = generation.params.logprobs
    if wanted is None:
        return ()
    return tuple(
        token_logprob(tokenizer, each.token_id, each.logprobs, each.top_ids[:wanted])
        for each in tokens
    )
