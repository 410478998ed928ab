"""Decode loop: where TorchScript cannot compile it, it runs as plain Python, and says so."""

import pytest

from model.config import ModelConfig
from model.decoding.decode_loop import BackendLoop, compiled
from model.decoding.decoder import decoder_of
from model.network import Network


def test_a_loop_that_cannot_be_compiled_runs_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Here because the source of its backend lies in no file."""
    network = Network(ModelConfig(vocab_size=30, hidden_size=32)).initialise().eval()
    decoder = decoder_of(network, "fp32")
    made = {"Base": type(decoder.backend)}
    exec("class Made(Base):\n  def forward(self, ids, state):\n    return None", made)
    decoder.backend.__class__ = made["Made"]
    loop = BackendLoop(decoder.backend)
    assert compiled(loop) is loop
    assert "TorchScript requires source access" in caplog.text
