"""Decode loop on a GPU as CUDA graphs: recorded once, replayed without a launch per operation.

A graph works on fixed memory, so rows are copied in before a replay and out after it, and their
number is filled up to a multiple of the backend's block; what the rows behind the real ones hold is
of no interest, since no row depends on another. No step waits for the device: the caller
fetches the chosen ids, once for all steps of a call.

Recording takes as long as some calls, so few graphs must do: of one step and of some, for plain
sampling and for sampling with every part of it. Parts that a row does not need change no bit.

`record` is how to capture; the tests put in one that works on a CPU.
Shapes: R rows, T steps. Knows nothing of text.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from model.decoding.decode_loop import DecodeLoop, Outputs, Scored
from model.decoding.sampling import SamplingRows, Uses
from model.decoding.sampling_state import SamplingState
from model.parameters import SamplingParams

MAX_GRAPHS = 64  # kept; each holds its memory
STEPS = 8  # of a graph of some steps

# Runs a function of a device once and gives what it returned, and how to run it again into the
# same tensors.
Record = Callable[[Callable[[], Outputs], torch.device], tuple[Outputs, Callable[[], None]]]


def record_cuda_graph(
    run: Callable[[], Outputs], device: torch.device
) -> tuple[Outputs, Callable[[], None]]:
    """Capture `run` as a CUDA graph, after a run on a side stream that sets up libraries."""
    with torch.cuda.device(device):  # else what is captured is the current device: nothing
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Another thread may be loading a checkpoint onto the device meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            outputs = run()
    return outputs, graph.replay


@dataclass(slots=True, kw_only=True)
class _Recorded:
    """Recorded CUDA graph and the fixed memory that it works on."""

    ids: Tensor
    state: list[Tensor]
    rows: SamplingRows
    outputs: Outputs
    replay: Callable[[], None]
    parameters_of: SamplingRows | None = None  # whose parameters `rows` holds

    def run(self, ids: Tensor, state: list[Tensor], rows: SamplingRows) -> Outputs:
        """Replay the graph for these rows; `state` and `rows` move on in place."""
        count = len(ids)
        if self.parameters_of is not rows:
            _copy(rows, (column[:count] for column in self.rows))
            self.parameters_of = rows
        moving = [*state, *_moving(rows)]
        fixed = [part[:count] for part in (*self.state, *_moving(self.rows))]
        self.ids[:count].copy_(ids)
        _copy(moving, fixed)
        self.replay()
        _copy(fixed, moving)
        # Copies: the next replay writes over the outputs.
        return Outputs(*(output[:, :count].clone() for output in self.outputs))


def _moving(rows: SamplingRows) -> list[Tensor]:
    """Columns that a step changes; the others stay from one join or leave to the next."""
    return [rows.position, rows.latest, rows.recent, rows.written]


def _copy(sources: Iterable[Tensor], targets: Iterable[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)


class CudaGraphLoop:
    """Decode loop that replays a CUDA graph for each padded number of rows and kind of call."""

    def __init__(
        self, loop: DecodeLoop, block_rows: int, record: Record = record_cuda_graph
    ) -> None:
        self._loop = loop
        self._block_rows = block_rows
        self._record = record
        self._recorded: OrderedDict[tuple[int, int, Uses], _Recorded] = OrderedDict()

    def __call__(
        self, ids: Tensor, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> Outputs:
        """Choose `steps` ids a row as any decode loop does, by as many replays as it takes."""
        at_once = STEPS if steps % STEPS == 0 else 1
        padded = -(-len(ids) // self._block_rows) * self._block_rows
        graph = self._graph((padded, at_once, _few_kinds(uses)), state, rows)
        parts: list[Outputs] = []
        for _ in range(steps // at_once):
            parts.append(graph.run(ids, state, rows))
            ids = parts[-1].ids[-1]
        return Outputs(*(torch.cat(columns) for columns in zip(*parts, strict=True)))

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> None:
        """Feed without a graph: prompts have many lengths, and a chunk is one call of cuDNN."""
        self._loop.feed(ids, lengths, state)

    def score(
        self, ids: Tensor, following: Tensor, lengths: list[int], state: list[Tensor], most: int
    ) -> Scored:
        """Feed and score without a graph, for the same reasons."""
        return self._loop.score(ids, following, lengths, state, most)

    def _graph(
        self, key: tuple[int, int, Uses], state: list[Tensor], rows: SamplingRows
    ) -> _Recorded:
        if key not in self._recorded:
            self._recorded[key] = self._recording(*key, state, rows)
            if len(self._recorded) > MAX_GRAPHS:
                self._recorded.popitem(last=False)
        self._recorded.move_to_end(key)
        return self._recorded[key]

    def _recording(
        self, padded: int, steps: int, uses: Uses, state: list[Tensor], rows: SamplingRows
    ) -> _Recorded:
        device = rows.seed.device
        ids = torch.zeros(padded, dtype=torch.int64, device=device)
        fixed = [part.new_zeros(padded, *part.shape[1:]) for part in state]
        sampling = SamplingState(rows.bias.shape[1], device)
        sampling.join([SamplingParams(seed=0)] * padded, [{}] * padded, [[]] * padded)
        outputs, replay = self._record(
            lambda: self._loop(ids, steps, fixed, sampling.rows, uses), device
        )
        return _Recorded(ids=ids, state=fixed, rows=sampling.rows, outputs=outputs, replay=replay)


def _few_kinds(uses: Uses) -> Uses:
    """Kinds of sampling that graphs are recorded for: plain, and with every part of it."""
    is_plain = not any(uses._replace(logprobs=False))
    return Uses(*(not is_plain for _ in uses))._replace(logprobs=uses.logprobs)
