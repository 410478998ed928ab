"""Steps on a GPU as CUDA graphs: recorded once, then replayed without a launch for each operation.

A graph works on fixed memory, so rows are copied in before a replay and out after it, and their
number is filled up to a multiple of the path's block; what the rows behind the real ones hold is
of no interest, since no row depends on another. Nothing waits for the device: the caller fetches
the chosen ids, once for all steps of a call.

`record` is how to capture; the tests put in one that works on a CPU.
Shapes: R rows, T steps. Knows nothing of text.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from model.parameters import SamplingParams
from model.program import Program
from model.sampler import Sampler
from model.sampling import SamplingRows, Uses

MAX_GRAPHS = 32  # kept; each holds its memory

Outputs = tuple[Tensor, Tensor, Tensor]
# Runs a function once and gives what it returned, and how to run it again into the same tensors.
Record = Callable[[Callable[[], Outputs]], tuple[Outputs, Callable[[], None]]]


def record_cuda_graph(run: Callable[[], Outputs]) -> tuple[Outputs, Callable[[], None]]:
    """Capture `run`, after one run on a side stream that sets up libraries and workspaces."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """A graph and the memory that it works on."""

    inputs: list[Tensor]  # ids, state, sampling rows: each with its rows in dimension 0
    outputs: Outputs
    replay: Callable[[], None]

    def run(self, actual: list[Tensor]) -> Outputs:
        """Replay for the rows of `actual`, which move on in place."""
        rows = len(actual[0])
        for fixed, given in zip(self.inputs, actual, strict=True):
            fixed[:rows].copy_(given)
        self.replay()
        for fixed, given in zip(self.inputs, actual, strict=True):
            given.copy_(fixed[:rows])
        ids, is_finite, logprobs = self.outputs
        return (
            ids[:, :rows],
            is_finite[:, :rows],
            logprobs[:, :rows] if logprobs.dim() > 1 else logprobs,
        )


class GraphedProgram:
    """Does what its Program does, by a graph for each padded number of rows and kind of call."""

    def __init__(
        self, program: Program, block_rows: int, record: Record = record_cuda_graph
    ) -> None:
        self._program = program
        self._block_rows = block_rows
        self._record = record
        self._recorded: OrderedDict[tuple[int, int, Uses], _Recorded] = OrderedDict()

    def __call__(
        self, ids: Tensor, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> Outputs:
        """As `Program.forward`; the outputs are overwritten by the next call."""
        padded = -(-len(ids) // self._block_rows) * self._block_rows
        recorded = self._graph(padded, steps, state, rows, uses)
        # `ids` is an input alone: a copy keeps the caller's from being written to.
        return recorded.run([ids.clone(), *state, *rows])

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> None:
        """As `Program.feed`: prompts have many lengths, and a chunk is one call of cuDNN."""
        self._program.feed(ids, lengths, state)

    def _graph(
        self, padded: int, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> _Recorded:
        key = (padded, steps, uses)
        if key not in self._recorded:
            self._recorded[key] = self._recording(padded, steps, state, rows, uses)
            if len(self._recorded) > MAX_GRAPHS:
                self._recorded.popitem(last=False)
        self._recorded.move_to_end(key)
        return self._recorded[key]

    def _recording(
        self, padded: int, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> _Recorded:
        ids = torch.zeros(padded, dtype=torch.int64, device=rows.seed.device)
        fixed_state = [part.new_zeros(padded, *part.shape[1:]) for part in state]
        sampler = Sampler(rows.bias.shape[1], rows.seed.device)
        sampler.join([SamplingParams(seed=0)] * padded, [{}] * padded, [[]] * padded)
        fixed = sampler.rows
        outputs, replay = self._record(lambda: self._program(ids, steps, fixed_state, fixed, uses))
        return _Recorded(inputs=[ids, *fixed_state, *fixed], outputs=outputs, replay=replay)
