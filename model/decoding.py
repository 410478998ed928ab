"""Ids become more ids: prompts are fed, rows are stepped; and the plain driver, `generate`.

The promise: the same checkpoint, build, device and request with a seed give the same text,
whatever else runs beside it. Products of different row counts differ in their last bits, so
every product here has one fixed shape, whoever asks: prompts are fed alone, in chunks of
CHUNK tokens from the start and then one by one, and rows are stepped in blocks of BLOCK_ROWS,
idle rows included. In calls of one shape a row's numbers do not depend on the others.

The serving engine moves requests in and out of blocks; `generate` runs one row and is what
the engine is tested against. Knows nothing of threads, queues or HTTP.
"""

from collections.abc import Iterator, Sequence

import torch

from model.errors import ModelError
from model.generation import Generation, Piece, TokenLogprob
from model.network import Network, State
from model.parameters import SamplingParams
from model.sampling import Sampled, Sampler
from model.tokenizer import Tokenizer

BLOCK_ROWS = 16
CHUNK = 64


class Prefill:
    """A prompt being fed: all its ids but the last, which is the first input of decoding."""

    def __init__(self, network: Network, ids: Sequence[int]) -> None:
        """`ids` must hold at least one id, `<s>`."""
        self._network = network
        self._ids = torch.tensor(ids, dtype=torch.int64, device=network.device).unsqueeze(0)
        self._fed = 0
        self.state = network.zero_state(1)

    @property
    def is_done(self) -> bool:
        """Whether `state` is the state before the prompt's last id."""
        return self._fed == self._ids.shape[1] - 1

    @torch.inference_mode()
    def advance(self) -> None:
        """Feed one chunk, or the few ids that are left."""
        left = self._ids.shape[1] - 1 - self._fed
        if left >= CHUNK:
            chunk = self._ids[:, self._fed : self._fed + CHUNK]
            _, self.state = self._network(chunk, self.state)
            self._fed += CHUNK
            return
        for _ in range(left):
            _, self.state = self._network.step(self._ids[:, self._fed], self.state)
            self._fed += 1


class RowBlock:
    """BLOCK_ROWS rows that are stepped together; each is idle or writes one text."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._state = network.zero_state(BLOCK_ROWS)
        self._inputs = torch.zeros(BLOCK_ROWS, dtype=torch.int64, device=network.device)
        self._sampler = Sampler(BLOCK_ROWS, network.config.vocab_size, network.device)

    @torch.inference_mode()
    def join(self, row: int, generation: Generation, state: State) -> None:
        """Let `row` go on from the state that a finished Prefill of the prompt left."""
        ids = generation.prompt.ids
        place = torch.tensor([row], device=self._inputs.device)
        self._state.put(place, state)
        self._inputs[row] = ids[-1]
        # `<s>` is no character: the penalties look at the text behind it.
        self._sampler.assign(row, generation.params, bias=generation.bias, prompt_ids=ids[1:])

    def leave(self, row: int) -> None:
        """Let `row` be idle; its state is dead until another text joins."""
        self._sampler.clear(row)

    @torch.inference_mode()
    def step(self) -> Sampled:
        """Choose the next token of every row, idle rows included."""
        logits, self._state = self._network.step(self._inputs, self._state)
        sampled = self._sampler.sample(logits)
        self._inputs = sampled.ids.clone()  # `join` writes into them; `sampled` is the caller's
        return sampled


def generate(
    network: Network, tokenizer: Tokenizer, prompt: str, params: SamplingParams
) -> Iterator[Piece]:
    """The text that follows `prompt`, a piece a token: the plain reference driver.

    Raises ParameterError for parameters that this vocabulary cannot honour, and ModelError
    when the network's logits are not finite.
    """
    generation = Generation(tokenizer, tokenizer.encode_prompt(prompt), params.with_seed())
    if generation.is_finished:
        yield Piece(text="", finish_reason=generation.finish_reason)
        return
    prefill = Prefill(network, generation.prompt.ids)
    while not prefill.is_done:
        prefill.advance()
    block = RowBlock(network)
    block.join(0, generation, prefill.state)
    while not generation.is_finished:
        sampled = block.step()
        if not sampled.finite_list[0]:
            raise ModelError("the model's logits are not finite numbers; is its checkpoint sound?")
        yield next_piece(tokenizer, generation, sampled, 0)


def next_piece(tokenizer: Tokenizer, generation: Generation, sampled: Sampled, row: int) -> Piece:
    """Put the token that was chosen for `row` through its generation."""
    text = generation.accept(sampled.id_list[row])
    logprobs: tuple[TokenLogprob, ...] = ()
    if generation.params.logprobs is not None:
        logprobs = (_token_logprob(tokenizer, generation.params.logprobs, sampled, row),)
    return Piece(
        text=text,
        logprobs=logprobs,
        finish_reason=generation.finish_reason,
        stop_reason=generation.stop_reason,
    )


def _token_logprob(tokenizer: Tokenizer, num_top: int, sampled: Sampled, row: int) -> TokenLogprob:
    row_logprobs = sampled.logprobs[row]
    token_id = sampled.id_list[row]
    values, ids = row_logprobs.topk(min(num_top, len(row_logprobs)))
    top = zip(ids.tolist(), values.tolist(), strict=True)
    return TokenLogprob(
        token=tokenizer.token_text(token_id),
        logprob=float(row_logprobs[token_id]),
        top=tuple((tokenizer.token_text(i), value) for i, value in top),
    )
