"""Submission: a checked body becomes a job of the engine: the model is found, limits are held.

Knows nothing of responses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from model.count_in_words import counted
from model.decoding.generation import Generation
from model.decoding.resumption import FIELD
from model.errors import ParameterError
from model.layer_inspection import InspectedLayer
from model.parameters import MAX_SEED, SamplingParams
from model.tokenizer import EncodedPrompt
from service.api.jobs import Job, Jobs
from service.api.resuming import Received
from service.client_connection import ClientConnection
from service.engine.composition import Composition
from service.engine.outbox import Outbox, max_pending
from service.engine.request import Request
from service.error_answers import bad_request, busy
from service.models.catalogue import ModelLoadingError, ModelNotFoundError, NoModelError
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.observability.http_exchange import attach_job
from service.request_ids import new_id
from service.settings import Settings

MAX_SCORED = 500_000  # log probabilities of one job: 6 MB, and some 25 MB as JSON
MAX_HELD = 500_000  # those of texts that are answered in one piece: some 100 MB until they are


def find_model(registry: Registry, name: str | None) -> ServedModel:
    """Find the model that a request names, or the default one. Raises ApiError."""
    try:
        return registry.catalogue.find(name)
    except ModelNotFoundError as error:
        raise bad_request(
            f"the model {error.name!r} does not exist; GET /v1/models lists those that do",
            param="model",
            code="model_not_found",
            status=404,
        ) from error
    except ModelLoadingError as error:
        raise busy("models are still loading; come back in a moment", "loading") from error
    except NoModelError as error:
        raise busy("no model is loaded", "no_model") from error


def sampling_within_limits(
    settings: Settings,
    body: SamplingParams,
    *,
    num_texts: int,
    num_prompts: int = 1,
    is_streamed: bool,
    length_field: str = "max_tokens",
    **replaced: object,
) -> SamplingParams:
    """Sampling fields of a body, seeded and within the settings; `replaced` ones have this value.

    `num_texts` is of each prompt. The default of max_tokens, unlike a wish, gives way to the
    service's cap. `length_field` is what the body calls it, for its errors. Raises ParameterError.
    """
    if "max_tokens" in body.model_fields_set and body.max_tokens > settings.max_tokens:
        raise ParameterError(length_field, f"must be at most {settings.max_tokens} here")
    _require_can_run(settings, num_texts, num_prompts)
    fields = {name: getattr(body, name) for name in SamplingParams.model_fields}
    fields["max_tokens"] = min(body.max_tokens, settings.max_tokens)
    params = SamplingParams.model_construct(**{**fields, **replaced}).with_seed()
    if not is_streamed:
        _require_can_be_held(params, num_prompts * num_texts, length_field)
    return params


def _require_can_run(settings: Settings, num_texts: int, num_prompts: int) -> None:
    """Refuse more texts or prompts than can ever run or wait. Raises ParameterError."""
    if num_texts > settings.max_streams:
        raise ParameterError("n", f"must be at most {settings.max_streams} here")
    # More would be refused as by a full service, however often they came back.
    most = settings.max_streams // max(1, num_texts) + settings.max_queue
    if num_prompts > most:
        raise ParameterError("prompt", f"has {num_prompts} prompts, at most {most} can run or wait")


def require_can_go_on(settings: Settings, num_texts: int) -> None:
    """Refuse more texts that go on, each a request of its own, than can ever run or wait.

    Raises ParameterError.
    """
    most = settings.max_streams + settings.max_queue
    if num_texts > most:
        raise ParameterError(
            FIELD, f"is of {num_texts} texts, at most {most} can go on at once here"
        )


def _require_can_be_held(params: SamplingParams, num_texts: int, length_field: str) -> None:
    """Bound the log probabilities of an answer in one piece, which is held to its end.

    A stream needs no such bound: what waits for its reader has one.
    """
    if params.logprobs is None:
        return
    most = MAX_HELD // (num_texts * (1 + params.logprobs))
    if params.max_tokens > most:
        raise ParameterError(
            length_field,
            f"must be at most {most} with these log probabilities and {counted(num_texts, 'text')} "
            "in one piece; a stream may have more",
        )


def start_job(
    jobs: Jobs,
    served: ServedModel,
    prompts: Sequence[EncodedPrompt],
    params: SamplingParams,
    *,
    id_prefix: str,
    num_texts: int,
    bias: Mapping[int, float] | None = None,
    prompt_logprobs: int | None = None,
    inspected_layer: InspectedLayer | None = None,
    received: Sequence[Received | None] = (),
) -> Job:
    """Start the job of the current HTTP request, known to the request's log line and span.

    `num_texts` texts are generated for each prompt. With `prompt_logprobs` the prompts are scored,
    with so many alternatives at each place; with `inspected_layer` as well, that layer is looked
    into meanwhile. `received` says what the client has of each text, if it has any. Raises
    ParameterError for what the vocabulary cannot honour, SaturatedError and
    UnavailableError. Whoever starts a job must end it.
    """
    job_id = new_id(id_prefix, jobs.replica)
    requests = engine_requests(
        job_id,
        served,
        prompts,
        params,
        num_texts=num_texts,
        bias=bias,
        prompt_logprobs=prompt_logprobs,
        inspected_layer=inspected_layer,
        received=received,
    )
    return _started(jobs, served, job_id, requests)


def start_composition(
    jobs: Jobs,
    served: ServedModel,
    composition: Composition[Any],
    opening: EncodedPrompt,
    *,
    id_prefix: str,
) -> Job:
    """Start a composition, which reads `opening` first, as the job of the current HTTP request.

    Raises SaturatedError and UnavailableError. Whoever starts a job must end it.
    """
    job_id = new_id(id_prefix, jobs.replica)
    composed = Request(
        request_id=job_id,
        model=served.name,
        runner=served.runner,
        prompt=opening,
        generations=(),
        composition=composition,
    )
    return _started(jobs, served, job_id, [composed])


def _started(jobs: Jobs, served: ServedModel, job_id: str, requests: Sequence[Request]) -> Job:
    client = ClientConnection(request.environ)
    job = jobs.start(job_id, requests, client, fingerprint=served.fingerprint)
    attach_job(request.environ, job)
    return job


def engine_requests(
    job_id: str,
    served: ServedModel,
    prompts: Sequence[EncodedPrompt],
    params: SamplingParams,
    *,
    num_texts: int,
    bias: Mapping[int, float] | None = None,
    prompt_logprobs: int | None = None,
    inspected_layer: InspectedLayer | None = None,
    received: Sequence[Received | None] = (),
) -> list[Request]:
    """Engine requests of a job, one a prompt, of `num_texts` texts each; all share an outbox.

    `params` has its seed. Text i of each prompt has seed + i, so that a prompt among others gets
    the texts that it gets alone. Texts that go on with what was received are fed more than their
    prompt, each something else: then each has a request of its own.
    """
    if prompt_logprobs is not None:
        _require_scorable(prompts, prompt_logprobs)
    alone = [[index] for index in range(num_texts)]
    groups: Sequence[Sequence[int]] = alone if any(received) else [range(num_texts)]
    parts = [(prompt, group) for prompt in prompts for group in groups]  # one a request
    outbox = Outbox(len(parts), max_pending=max_pending(len(prompts) * num_texts))
    had = iter(received)
    return [
        Request(
            request_id=job_id,
            model=served.name,
            runner=served.runner,
            prompt=prompt,
            generations=[
                _generation(served, prompt, _seed_after(params, index), bias, next(had, None))
                for index in group
            ],
            outbox=outbox,
            first_index=number * len(group),
            prompt_logprobs=prompt_logprobs,
            inspected_layer=inspected_layer,
        )
        for number, (prompt, group) in enumerate(parts)
    ]


def _generation(
    served: ServedModel,
    prompt: EncodedPrompt,
    params: SamplingParams,
    bias: Mapping[int, float] | None,
    received: Received | None,
) -> Generation:
    resumption = None if received is None else received.resumption(served, params)
    return Generation(served.runner.tokenizer, prompt, params, bias, resumption)


def _require_scorable(prompts: Sequence[EncodedPrompt], alternatives: int) -> None:
    places = sum(len(prompt.ids) - 1 for prompt in prompts)
    if places * (1 + alternatives) > MAX_SCORED:
        most = max(0, MAX_SCORED // places - 1)
        raise ParameterError(
            "logprobs",
            f"must be at most {most} for {counted(places, 'token')}"
            if places <= MAX_SCORED
            else f"cannot be had of {counted(places, 'token')}, at most {MAX_SCORED} are scored",
        )


def _seed_after(params: SamplingParams, index: int) -> SamplingParams:
    """Parameters of text `index` of a prompt: the seed is so much later, and wraps at 2**63."""
    seed = params.seed if params.seed is not None else 0
    return params.model_copy(update={"seed": (seed + index) % (MAX_SEED + 1)})
