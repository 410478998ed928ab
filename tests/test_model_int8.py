"""Int8 backend: exact products on every CPU, and logits near those of the network in float32."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model.config import ModelConfig
from model.decoding.backends.int8_linear import LEVELS, Int8Linear, exact_levels
from model.decoding.decoder import decoder_of
from model.network import Network

ROOT = Path(__file__).parent.parent

needs_int8 = pytest.mark.skipif(exact_levels() == 0, reason="no exact integer products here")


def network_of(**fields: object) -> Network:
    config = ModelConfig.model_validate({"vocab_size": 30, "hidden_size": 32, **fields})
    return Network(config).initialise().eval()


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
def test_the_logits_of_the_int8_backend_are_near_those_of_the_network(
    shape: tuple[int, int, int],
) -> None:
    layers, embedding, hidden = shape
    torch.manual_seed(1)
    network = network_of(num_layers=layers, embedding_size=embedding, hidden_size=hidden)
    backend, state = decoder_of(network, "int8").backend, network.zero_state(3)
    ids = torch.randint(0, 30, (40, 3))
    fast, errors, sizes = backend.zero_state(3), [], []
    with torch.inference_mode():
        for step in ids:
            expected, state = network.step(step, state)
            errors.append(backend(step, fast) - expected)
            sizes.append(expected)
    assert torch.stack(errors).norm() < 0.06 * torch.stack(sizes).norm()


@needs_int8
def test_a_row_of_weights_that_is_all_zero_gives_its_bias() -> None:
    linear = Int8Linear(torch.zeros(4, 8), torch.arange(4.0), LEVELS[0])
    hidden = torch.full((2, 8), 255, dtype=torch.uint8)
    assert linear(hidden).tolist() == [[0.0, 1.0, 2.0, 3.0]] * 2
