"""Baselines: the plain loops that people write first, measured beside ours in the same run.

Plain `nn.LSTM`, fp32, nothing tuned; the shapes are whatever the measured side has.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network import Network


class PlainLanguageModel(nn.Module):
    """Plain model: embedding, `nn.LSTM`, output layer."""

    def __init__(self, vocab_size: int, embedding: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding)
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True)
        self.output = nn.Linear(hidden, vocab_size)

    def forward(self, tokens: Tensor, state: object) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Logits (B, T, V) and the state after the last token."""
        x, (hidden, cell) = self.lstm(self.embedding(tokens), state)
        return self.output(x), (hidden, cell)


class PlainGenerator:
    """Plain sampling loop: one call of the model a character, `torch.multinomial`."""

    def __init__(self, model: PlainLanguageModel, rows: int = 1, temperature: float = 0.8) -> None:
        self._model = model.eval()
        self._temperature = temperature
        self._ids = torch.ones(rows, 1, dtype=torch.int64, device=model.output.weight.device)
        self._state: tuple[Tensor, Tensor] | None = None

    @torch.inference_mode()
    def step(self) -> list[int]:
        """Sample the next id of each row."""
        logits, self._state = self._model(self._ids, self._state)
        probs = torch.softmax(logits[:, -1] / self._temperature, dim=-1)
        self._ids = torch.multinomial(probs, 1)
        ids: list[int] = self._ids.flatten().tolist()
        return ids


def plain_copy(network: Network) -> PlainLanguageModel:
    """Plain model with the weights of a network."""
    config = network.config
    plain = PlainLanguageModel(
        config.vocab_size, config.embedding_size, config.hidden_size, config.num_layers
    )
    weights = {
        "embedding.weight": network.embedding.weight,
        "output.weight": network.output.weight,
        "output.bias": network.output.bias,
    }
    for index, layer in enumerate(network.layers):
        for name, weight in layer.named_parameters():
            weights[f"lstm.{name.replace('_l0', f'_l{index}')}"] = weight
    plain.load_state_dict(weights)
    return plain.to(network.device)


class PlainTrainer:
    """Plain training loop: forward, cross-entropy, backward, clip, AdamW."""

    def __init__(self, model: PlainLanguageModel, batches: "list[tuple[Tensor, Tensor]]") -> None:
        self._model = model
        self._batches = batches
        self._state: tuple[Tensor, Tensor] | None = None
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        self._next = 0

    def step(self) -> None:
        """Update the weights once, by one batch."""
        inputs, targets = self._batches[self._next % len(self._batches)]
        self._next += 1
        logits, state = self._model(inputs, self._state)
        self._state = (state[0].detach(), state[1].detach())
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
