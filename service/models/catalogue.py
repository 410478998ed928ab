"""Catalogue: the models on offer at one moment, which of them is the default, what is yet to come.

Never changed: `service.models.registry` makes another when something comes or goes. Who asks one
catalogue twice gets answers that agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.models.served_model import ServedModel


class ModelNotFoundError(Exception):
    """Raised where no model of the name that was asked for is on offer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NoModelError(Exception):
    """Raised where no model at all is on offer."""


class ModelLoadingError(Exception):
    """Raised where the model that was asked for may come: checkpoints are still being loaded."""


@dataclass(frozen=True, slots=True)
class Default:
    """Default model: the name of the model of requests that name none, and why it is that."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Models on offer by name, and the names of those that are found and not yet loaded.

    Before the first scan `is_complete` is False: then no name is known to be missing, and the
    default is only known where the settings name it (`chosen_default`). No model becomes the
    default by coming last: what was trained to try something out is nobody's wish. `shipped` are
    the names of those that come with the service, the preferred one first.
    """

    served: Mapping[str, ServedModel] = field(default_factory=dict)
    loading: frozenset[str] = frozenset()
    is_complete: bool = False
    chosen_default: str | None = None
    shipped: tuple[str, ...] = ()

    @property
    def models(self) -> list[ServedModel]:
        """Models on offer, sorted by name."""
        return [model for _, model in sorted(self.served.items())]

    @property
    def default(self) -> Default | None:
        """Model of requests that name none; None where there is none, or none yet."""
        if self.chosen_default is not None:
            return Default(self.chosen_default, "STROPHE_DEFAULT_MODEL names it")
        if not self.is_complete or not self.served:
            return None
        if len(self.served) == 1:
            return Default(next(iter(self.served)), "it is the only model")
        for name in self.shipped:
            if name in self.served:
                return Default(name, "it has the name of the first model that ships")
        return Default(min(self.served), "it is the first by name")

    @property
    def default_name(self) -> str | None:
        """Name of the default model; None where there is none, or none yet."""
        return None if self.default is None else self.default.name

    @property
    def trouble(self) -> str | None:
        """Reason why requests are refused for want of a model; None where there is one."""
        if not self.is_complete or (not self.served and self.loading):
            return "models are still loading"
        return None if self.served else "no model is loaded"

    def find(self, name: str | None) -> ServedModel:
        """Find the model of this name, or the default one.

        Raises ModelLoadingError, ModelNotFoundError or NoModelError.
        """
        wanted = name if name is not None else self.default_name
        if wanted is not None and wanted in self.served:
            return self.served[wanted]
        if not self.is_complete or wanted in self.loading or (wanted is None and self.loading):
            raise ModelLoadingError
        if wanted is None or (name is None and not self.served):
            raise NoModelError
        raise ModelNotFoundError(wanted)
