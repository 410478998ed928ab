"""What people write first: the loops that ours are measured beside, in the same run.

Plain `nn.LSTM`, fp32, nothing tuned; the shapes are whatever the measured side has.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainLanguageModel(nn.Module):
    """Embedding, `nn.LSTM`, output layer."""

    def __init__(self, vocab_size: int, embedding: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding)
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True)
        self.output = nn.Linear(hidden, vocab_size)

    def forward(self, tokens: Tensor, state: object) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Logits (B, T, V) and the state after the last token."""
        x, (hidden, cell) = self.lstm(self.embedding(tokens), state)
        return self.output(x), (hidden, cell)


class PlainTrainer:
    """The plain training loop: forward, cross-entropy, backward, clip, AdamW."""

    def __init__(self, model: PlainLanguageModel, batches: "list[tuple[Tensor, Tensor]]") -> None:
        self._model = model
        self._batches = batches
        self._state: tuple[Tensor, Tensor] | None = None
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        self._next = 0

    def step(self) -> None:
        """One weight update."""
        inputs, targets = self._batches[self._next % len(self._batches)]
        self._next += 1
        logits, state = self._model(inputs, self._state)
        self._state = (state[0].detach(), state[1].detach())
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
