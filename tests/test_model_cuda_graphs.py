"""CUDA graphs: how many recordings do for all kinds of call, with a recorder for the CPU."""

import torch
from decoders import record_on_cpu

from model.config import ModelConfig
from model.decoding.cuda_graphs import MAX_GRAPHS, CudaGraphLoop
from model.decoding.decode_loop import TorchLoop
from model.decoding.decoder import decoder_of
from model.decoding.sampling_state import SamplingState
from model.network import Network
from model.parameters import SamplingParams


def test_few_recordings_do_for_all_kinds_of_call_and_not_without_end() -> None:
    recordings = []

    def record(run, device):  # type: ignore[no-untyped-def]
        recordings.append(run)
        return record_on_cpu(run, device)

    config = ModelConfig(vocab_size=30, hidden_size=32, num_layers=1)
    decoder = decoder_of(Network(config).initialise().eval(), "fp32")
    loop = CudaGraphLoop(TorchLoop(decoder.backend), 4, record)

    def call(rows: int, steps: int, **fields: object) -> None:
        sampling = SamplingState(30)
        params = SamplingParams.checked(seed=1, **fields)
        sampling.join([params] * rows, [{}] * rows, [[]] * rows)
        ids = torch.zeros(rows, dtype=torch.int64)
        with torch.inference_mode():
            outputs = loop(ids, steps, decoder.zero_state(rows), sampling.rows, sampling.uses)
        assert outputs.ids.shape == (steps, rows)

    for rows, steps in ((1, 2), (4, 1), (3, 4)):
        call(rows, steps)
    assert len(recordings) == 1  # one step, four rows
    for rows, steps in ((1, 8), (4, 16), (5, 1), (8, 2)):
        call(rows, steps)
    assert len(recordings) == 3  # and eight steps; and eight rows
    for fields in ({"top_k": 3}, {"temperature": 0}, {"min_p": 0.1, "frequency_penalty": 1.0}):
        call(1, 1, **fields)
    assert len(recordings) == 4  # and all that is not plain
    for blocks in range(2, 2 + MAX_GRAPHS):
        call(4 * blocks, 1)
    before = len(recordings)
    call(1, 1)  # long unused, and forgotten
    assert len(recordings) == before + 1
