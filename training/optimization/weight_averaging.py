"""Weight averaging: a moving average of the weights, which is validated and kept in their place.

Late in training the weights circle around a better point than any that they stop at; the mean of
the last of them is nearer to it (Polyak & Juditsky 1992; exponentially weighted as in Tarvainen &
Valpola 2017). Training goes on from the weights; the average is validated, sampled from and saved.
Knows nothing of runs and files.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from model.network import Network


class MovingAverage:
    """Moving average of a network's weights over about the last 1 / (1 - decay) updates.

    A `decay` of 1 gives the mean of all (Polyak & Juditsky 1992). `since` is the number of the
    update that it began after; None while it waits for `begin` and stands for the weights.
    """

    def __init__(self, network: Network, decay: float, *, waits: bool = False) -> None:
        """Start the average at the weights; a `decay` of 0 is none and stands for the weights."""
        self._weights = dict(network.named_parameters())
        self._decay = decay
        self.since = None if waits else 0
        self.averages: dict[str, Tensor] = {}
        if decay > 0:
            self.averages = {name: w.detach().clone() for name, w in self._weights.items()}

    @torch.no_grad()
    def begin(self, step: int) -> bool:
        """Begin to average after update `step` (triggered averaging); True if that is new.

        As in Melis et al. 2020 the moment is when validation has stopped gaining; Merity et al.
        2018 (NT-ASGD) look for the same with a rule that fires a little earlier.
        """
        if not self.averages or self.since is not None:
            return False
        self.since = step
        for name, average in self.averages.items():
            average.copy_(self._weights[name])
        return True

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights after update number `step`, counted from 1, into the average."""
        if not self.averages or self.since is None:
            return
        taken = step - self.since
        # Early on a short memory: the first weights are far from where training goes.
        short = (1 + taken) / (10 + taken)
        decay = min(self._decay, short) if self._decay < 1 else (taken - 1) / taken
        weights: list[Tensor] = list(self._weights.values())
        torch._foreach_lerp_(list(self.averages.values()), weights, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the network in place of its weights while the block runs."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore averages that were saved. Raises ValueError when they are not of this network."""
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        if shapes != {name: average.shape for name, average in self.averages.items()}:
            raise ValueError("the averages are not those of this network")
        for name, average in self.averages.items():
            average.copy_(tensors[name])

    @torch.no_grad()
    def _exchange(self) -> None:
        if self.since is None:
            return
        # Values, not storage: cuDNN wants the weights of a layer where it has put them.
        for name, average in self.averages.items():
            held = average.clone()
            average.copy_(self._weights[name])
            self._weights[name].copy_(held)
