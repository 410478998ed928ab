"""Sampler of trials (TPE): which values a trial tries, whichever process runs it.

Knows nothing of training.
"""

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial


class NumberedSampler(BaseSampler):
    """Tree-structured Parzen estimator (TPE, Bergstra et al. 2011), seeded anew for each trial.

    What a trial tries depends on the seed, its number and the trials before it: processes that
    share a study never draw the same, and one that goes on draws what it would have drawn.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = TPESampler(seed=0)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the trial's own stream of random numbers."""
        words = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)
        self._tpe = TPESampler(seed=int(words[0]))

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """List the fields that are drawn together."""
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw values of the fields that are drawn together."""
        return self._tpe.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> object:
        """Draw the value of a field on its own, as for all in the first trials."""
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)
