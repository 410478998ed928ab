"""Which path a network and a machine get, and that the fast one is near enough to the plain one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from decoders import decoder_by, record_on_cpu

from model import checkpoint as checkpoints
from model.config import ModelConfig
from model.decoding.backends.int8_linear import LEVELS, Int8Linear, exact_levels
from model.decoding.cuda_graphs import MAX_GRAPHS, GraphedProgram
from model.decoding.decode_loop import Program, compiled
from model.decoding.decoder import MAX_TABLE_BYTES, decoder_of, why_not_int8
from model.decoding.sampling_state import Sampler
from model.errors import ParameterError
from model.network import Network
from model.parameters import SamplingParams

ROOT = Path(__file__).parent.parent

needs_int8 = pytest.mark.skipif(exact_levels() == 0, reason="no exact integer products here")


def network_of(**fields: object) -> Network:
    config = ModelConfig.model_validate({"vocab_size": 30, "hidden_size": 32, **fields})
    return Network(config).initialise().eval()


@needs_int8
def test_an_lstm_on_a_cpu_goes_the_fast_path_unless_told_otherwise() -> None:
    network = network_of()
    assert decoder_of(network).path_name == decoder_of(network, "int8").path_name == "int8"
    assert decoder_of(network, "fp32").path_name == "fp32"


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells_go_the_plain_path_and_int8_is_refused(cell: str) -> None:
    network = network_of(cell=cell)
    assert decoder_of(network).path_name == "fp32"
    with pytest.raises(ParameterError, match=f"this network is {cell} "):
        decoder_of(network, "int8")


def test_a_vocabulary_too_large_for_the_table_goes_the_plain_path() -> None:
    with torch.device("meta"):
        too_many = MAX_TABLE_BYTES // (4 * 32 * 4) + 1
        config = ModelConfig(vocab_size=too_many, embedding_size=8, hidden_size=32)
        network = Network(config)
    network.embedding.weight = torch.nn.Parameter(torch.empty(0))  # on the CPU
    assert "too large" in str(why_not_int8(network))


@pytest.mark.parametrize("size", [torch.inf, torch.nan, 3e38])
@pytest.mark.parametrize("weight", ["embedding.weight", "layers.1.weight_hh_l0", "output.bias"])
def test_weights_that_may_overflow_go_the_plain_path_where_a_row_can_fail_alone(
    weight: str, size: float
) -> None:
    network = network_of()
    dict(network.named_parameters())[weight].data[:2] = size
    assert "overflow" in str(why_not_int8(network))


@pytest.mark.parametrize(("isa", "levels"), [("AVX2", 63), ("SSE41", 63)])
def test_a_cpu_whose_products_would_saturate_gets_smaller_weights(isa: str, levels: int) -> None:
    """oneDNN can be told to take a lesser CPU's way. What it then gives is tried, not assumed."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import model.decoding.backends.int8_linear as i; print(i.exact_levels())",
        ],
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": isa, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(told.stdout) == levels


@needs_int8
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 16, 17, 33, 64, 100])
def test_an_integer_product_is_exact_whatever_the_rows_and_threads(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    weight = torch.randint(-LEVELS[1], LEVELS[1] + 1, (96, 80), generator=generator)
    weight[:, 0] = LEVELS[1]  # so that every row's scale is 1
    hidden = torch.randint(0, 256, (rows, 80), dtype=torch.uint8, generator=generator)
    linear = Int8Linear(weight.float(), torch.zeros(96), LEVELS[1])
    expected = (hidden.long() - 128) @ weight.t()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        assert torch.equal((linear(hidden) * 127).round().long(), expected)


@needs_int8
@pytest.mark.parametrize("shape", [(64, 16), (64, 128), (32, 100), (512, 103), (96, 2048)], ids=str)
def test_no_bit_of_an_integer_product_tells_how_many_rows_there_were(
    shape: tuple[int, int],
) -> None:
    """With AMX, oneDNN has other code for one row than for many, and other code by width."""
    inputs, outputs = shape
    generator = torch.Generator().manual_seed(inputs)
    linear = Int8Linear(
        torch.randn(outputs, inputs, generator=generator),
        torch.randn(outputs, generator=generator),
        exact_levels(),
    )
    hidden = torch.randint(0, 256, (66, inputs), dtype=torch.uint8, generator=generator)
    every = linear(hidden)
    for rows in (1, 2, 3, 4, 8, 15, 16, 17, 32, 33, 64):
        assert torch.equal(linear(hidden[:rows]), every[:rows])


@needs_int8
@pytest.mark.parametrize("shape", [(1, 24, 16), (2, 32, 32), (3, 17, 50)], ids=str)
def test_the_logits_of_the_fast_path_are_near_those_of_the_network(
    shape: tuple[int, int, int],
) -> None:
    layers, embedding, hidden = shape
    torch.manual_seed(1)
    network = network_of(num_layers=layers, embedding_size=embedding, hidden_size=hidden)
    path, state = decoder_of(network, "int8").path, network.zero_state(3)
    ids = torch.randint(0, 30, (40, 3))
    fast, errors, sizes = path.zero_state(3), [], []
    with torch.inference_mode():
        for step in ids:
            expected, state = network.step(step, state)
            errors.append(path(step, fast) - expected)
            sizes.append(expected)
    assert torch.stack(errors).norm() < 0.06 * torch.stack(sizes).norm()


@needs_int8
def test_a_row_of_weights_that_is_all_zero_gives_its_bias() -> None:
    linear = Int8Linear(torch.zeros(4, 8), torch.arange(4.0), LEVELS[0])
    hidden = torch.full((2, 8), 255, dtype=torch.uint8)
    assert linear(hidden).tolist() == [[0.0, 1.0, 2.0, 3.0]] * 2


def test_few_recordings_do_for_all_kinds_of_call_and_not_without_end() -> None:
    recordings = []

    def record(run, device):  # type: ignore[no-untyped-def]
        recordings.append(run)
        return record_on_cpu(run, device)

    decoder = decoder_of(network_of(num_layers=1), "fp32")
    program = GraphedProgram(Program(decoder.path).eval(), 4, record)

    def call(rows: int, steps: int, **fields: object) -> None:
        sampler = Sampler(30)
        params = SamplingParams.checked(seed=1, **fields)
        sampler.join([params] * rows, [{}] * rows, [[]] * rows)
        ids = torch.zeros(rows, dtype=torch.int64)
        with torch.inference_mode():
            outputs = program(ids, steps, decoder.zero_state(rows), sampler.rows, sampler.uses)
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


def test_a_program_that_cannot_be_compiled_runs_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Here because the source of its path lies in no file."""
    decoder = decoder_of(network_of(), "fp32")
    made = {"Path": type(decoder.path)}
    exec("class Path(Path):\n  def forward(self, ids, state):\n    return None", made)
    decoder.path.__class__ = made["Path"]
    program = Program(decoder.path)
    assert compiled(program) is program
    assert "TorchScript requires source access" in caplog.text


@pytest.mark.gpu
def test_auto_takes_graphs_on_a_gpu(tiny_checkpoint: Path) -> None:
    decoder = decoder_by("cuda", checkpoints.load(tiny_checkpoint).network)
    assert isinstance(decoder.program, GraphedProgram)
