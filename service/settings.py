"""Settings of the service: environment variables STROPHE_*, read once, checked, frozen.

Every field is one variable, with its default, its bounds and its meaning; the documents and
the error messages are made of these. Knows nothing of what uses them.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import limits
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from model import pretrained
from model.errors import ModelError, ParameterError
from model.parameters import BackendName
from model.usable_cores import usable_cores
from service.compose_variables import COMPOSE_VARIABLES
from service.setting_types import (
    Device,
    LowerCase,
    Origins,
    Places,
    Rates,
    RateStorage,
    Replica,
    ShippedNames,
)

PREFIX = "STROPHE_"
MAX_DEFAULT_THREADS = 4  # one step is small products: more cores wait for one another


class SettingsError(ModelError):
    """Raised when an environment variable is unknown or invalid; the message names it."""


def default_threads() -> int:
    """Default count of compute threads: the usable cores but one, which HTTP threads need."""
    return max(1, min(usable_cores() - 1, MAX_DEFAULT_THREADS))


class Settings(BaseSettings):
    """Settings of one service process: every field is one environment variable, with bounds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65_535, description="port of the service")
    ops_port: int = Field(
        8001, ge=1, le=65_535, description="port of /healthz, /readyz and /metrics by themselves"
    )
    checkpoints: Places = Field(
        ("checkpoints",),
        description="folders of checkpoints, or stores: s3://, gs://, hf://, file://, with commas "
        "between them; each checkpoint is served by its name, beside those that ship",
    )
    cache: Path | None = Field(
        None,
        description="folder that keeps kernels compiled for this CPU, and checkpoints from stores; "
        "unset: strophe/ in the user's cache folder",
    )
    shipped: ShippedNames = Field(
        pretrained.NAMES,
        description="models to serve of those that ship, with commas between them, the default "
        "first; none serves none of them",
    )
    default_model: str | None = Field(
        None,
        description="model of requests that name none; unset: the only one, "
        "else the one that has the name of the first that ships, else the first by name",
    )
    replica: Replica | None = Field(
        None,
        description="name of this service among several behind one address; ids of generations "
        "hold it",
    )
    device: Device = Field(
        "auto",
        description="where to compute: auto, cpu, cuda or cuda:N",
    )
    path: BackendName = Field(
        "auto",
        description="arithmetic of the steps: auto takes int8 where it can be had, else fp32",
    )
    threads: int = Field(
        default_factory=default_threads,
        ge=1,
        le=1024,
        description="cores that one step may use; unset: one less than there are, "
        f"at least 1 and at most {MAX_DEFAULT_THREADS}",
    )
    max_streams: int = Field(
        32, ge=1, le=4096, description="texts that are written at the same time"
    )
    max_queue: int = Field(
        64, ge=0, le=4096, description="requests that may wait for their turn; more get 503"
    )
    max_prompt: int = Field(
        100_000, ge=1, le=10_000_000, description="characters of the longest prompt"
    )
    max_prompt_seconds: float = Field(
        30.0,
        ge=0.1,
        le=86_400,
        description="seconds of computing that the longest prompt may take by itself; what a model "
        "reads in that time was measured when it was loaded",
    )
    max_tokens: int = Field(
        100_000, ge=1, le=1_000_000, description="the highest max_tokens that may be asked for"
    )
    max_inspect: int = Field(
        4000,
        ge=1,
        le=20_000,
        description="characters of the longest text that is looked into, and its tokens",
    )
    cached_prompts: int = Field(
        256, ge=0, le=65_536, description="states after prompts that are kept, for each model"
    )
    max_body: int = Field(
        2 * 1024 * 1024, ge=1024, le=1024**3, description="bytes of the largest request body"
    )
    read_head: float = Field(
        10.0, ge=0.1, le=3600, description="seconds in which a request's head must have come"
    )
    read_body: float = Field(
        30.0, ge=0.1, le=3600, description="seconds in which its body must have come after that"
    )
    max_seconds: float = Field(
        3600.0,
        ge=0.1,
        le=86_400,
        description="seconds after which a request is ended, its time in the queue included",
    )
    poll: float = Field(
        2.0, ge=0.05, le=3600, description="seconds between looks at the checkpoint folders"
    )
    drain: float = Field(
        30.0, ge=1, le=3600, description="seconds that running streams get after SIGTERM"
    )
    api_keys: SecretStr | None = Field(
        None, description="keys that may call, with commas between them; unset: everyone may"
    )
    api_keys_file: Path | None = Field(
        None, description="file of such keys, one a line; a change is taken up at once"
    )
    rate_limit: Rates | None = Field(
        None,
        max_length=200,
        description="texts that one client may ask for, such as 60/minute;1000/hour",
    )
    rate_limit_storage: RateStorage = Field(
        SecretStr("memory://"),
        description="where they are counted: memory:// or redis://HOST:PORT/NUMBER, which "
        "several processes can share",
    )
    max_streams_per_client: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="texts that one client may have at once, those that wait included",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=16,
        description="proxies in front, whose X-Forwarded-For tells the client's address",
    )
    cors_origins: Origins = Field(
        (),
        description="origins of web pages that may call, with commas between them; * is every one",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = Field(
        "info", description="the least important lines to log"
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.ops_port == self.port:
            raise ValueError(f"must differ from {PREFIX}PORT, both are {self.port}")
        return self

    @property
    def longest_inspected(self) -> int:
        """Largest number of characters of a text that /v1/inspect takes."""
        return min(self.max_inspect, self.max_prompt)

    @property
    def most_texts(self) -> int:
        """Largest number of texts that one request may ask for: what every limit lets through."""
        rates = [] if self.rate_limit is None else limits.parse_many(self.rate_limit)
        held = [] if self.max_streams_per_client is None else [self.max_streams_per_client]
        return min([self.max_streams, *held, *(rate.amount for rate in rates)])

    @property
    def http_threads(self) -> int:
        """Number of HTTP threads: one for each request that may run or wait, and spare ones.

        Those refuse the rest, and write to slow clients what was written for them long ago.
        """
        return self.max_streams + self.max_queue + 160

    @property
    def max_connections(self) -> int:
        """Largest number of open connections; those without a thread cost little."""
        return max(1000, 4 * self.http_threads)


def variable_name(field: str) -> str:
    """Name of the environment variable of a settings field."""
    return PREFIX + field.upper()


def read_settings() -> Settings:
    """Read the settings from the environment. Raises SettingsError, one line with the variable."""
    known = {variable_name(field) for field in Settings.model_fields}
    ours = {name for name in os.environ if name.upper().startswith(PREFIX)}
    if unknown := sorted(ours - known - COMPOSE_VARIABLES):
        raise SettingsError(f"{unknown[0]}: no such setting; there are {', '.join(sorted(known))}")
    try:
        return Settings()
    except ValidationError as error:
        problem = ParameterError.from_validation(error)
        name = variable_name(problem.field) if problem.field else PREFIX + "OPS_PORT"
        raise SettingsError(f"{name}: {problem.problem}") from error
