"""`POST /v1/generate`: a prompt goes in, text comes out, in the form that Accept asks for."""

from collections.abc import Callable

from flask import Blueprint, Response, g, request

from model.errors import ParameterError
from model.generation import Generation
from model.parameters import MAX_SEED, SamplingParams
from service import answers
from service.answers import Job
from service.body import json_object
from service.client import Client
from service.engine.engine import Engine
from service.engine.failure import SaturatedError, UnavailableError
from service.engine.request import Request
from service.errors import bad_request, busy
from service.metrics import Metrics
from service.registry import ModelNotFoundError, NoModelError, Registry, Served
from service.schemas import GenerateRequest
from service.settings import Settings

# The first is the default, and what */* gets.
FORMS: dict[str, Callable[[Job], Response]] = {
    "text/plain": answers.plain_text,
    "text/event-stream": answers.events,
    "application/json": answers.whole,
}


def generate_blueprint(
    settings: Settings, engine: Engine, registry: Registry, metrics: Metrics
) -> Blueprint:
    """The route and what it needs."""
    blueprint = Blueprint("generate", __name__)

    @blueprint.post("/v1/generate")
    def generate() -> Response:
        form = chosen_form()
        wanted = GenerateRequest.from_json(json_object(request))
        require_form_fits(wanted, form)
        served = find_model(registry, wanted.model)
        job = prepared(wanted, served, settings, engine, metrics)
        submit(job, metrics)
        try:
            return FORMS[form](job)
        except BaseException:
            engine.cancel(job.request)
            raise

    return blueprint


def chosen_form() -> str:
    """The content type to answer with."""
    if not request.accept_mimetypes:
        return next(iter(FORMS))
    form = request.accept_mimetypes.best_match(FORMS)
    if form is None:
        raise bad_request(
            f"the answer can be one of {', '.join(FORMS)}", status=406, code="not_acceptable"
        )
    return form


def require_form_fits(wanted: GenerateRequest, form: str) -> None:
    """Plain text has no place for a second text, nor for numbers."""
    if form != "text/plain":
        return
    for field, is_asked in (("n", wanted.n > 1), ("logprobs", wanted.logprobs is not None)):
        if is_asked:
            raise ParameterError(
                field, "needs Accept: text/event-stream or application/json, not text/plain"
            )


def find_model(registry: Registry, name: str | None) -> Served:
    """The model that a request names, or the default one."""
    try:
        return registry.find(name)
    except ModelNotFoundError as error:
        raise bad_request(
            f"the model {error.name!r} does not exist; GET /v1/models lists those that do",
            param="model",
            code="model_not_found",
            status=404,
        ) from error
    except NoModelError as error:
        raise busy("no model is loaded", "no_model") from error


def prepared(
    wanted: GenerateRequest, served: Served, settings: Settings, engine: Engine, metrics: Metrics
) -> Job:
    """The request as the engine wants it, once all limits are checked."""
    require_within_limits(wanted, settings)
    params = within_cap(wanted, settings).sampling()
    seed = params.seed if params.seed is not None else 0
    prompt = served.runner.tokenizer.encode_prompt(wanted.prompt)
    generations = [
        Generation(served.runner.tokenizer, prompt, with_seed(params, seed + index))
        for index in range(wanted.n)
    ]
    return Job(
        request=Request(
            request_id=g.generation_id, runner=served.runner, prompt=prompt, generations=generations
        ),
        engine=engine,
        client=Client(request.environ),
        model=served.name,
        seed=seed,
        echo=wanted.prompt if wanted.echo else "",
        handed_over=metrics.engine.handed_over,
    )


def require_within_limits(wanted: GenerateRequest, settings: Settings) -> None:
    """What this service's settings allow, beyond the bounds of the fields."""
    if len(wanted.prompt) > settings.max_prompt:
        raise bad_request(
            f"prompt: has {len(wanted.prompt)} characters, at most {settings.max_prompt} are taken",
            param="prompt",
            code="prompt_too_long",
            status=413,
        )
    if "max_tokens" in wanted.model_fields_set and wanted.max_tokens > settings.max_tokens:
        raise ParameterError("max_tokens", f"must be at most {settings.max_tokens} here")
    if wanted.n > settings.max_streams:
        raise ParameterError("n", f"must be at most {settings.max_streams} here")


def within_cap(wanted: GenerateRequest, settings: Settings) -> GenerateRequest:
    """The default of max_tokens, unlike a wish, gives way to the service's cap."""
    if wanted.max_tokens <= settings.max_tokens:
        return wanted
    return wanted.model_copy(update={"max_tokens": settings.max_tokens})


def with_seed(params: SamplingParams, seed: int) -> SamplingParams:
    """The same parameters with another seed, which wraps at 2**63."""
    return params.model_copy(update={"seed": seed % (MAX_SEED + 1)})


def submit(job: Job, metrics: Metrics) -> None:
    """Hand it to the engine, or say that there is no room."""
    try:
        job.engine.submit(job.request)
    except (SaturatedError, UnavailableError):
        metrics.engine.rejected()
        raise
    g.generation = job.request  # for the request's log line
