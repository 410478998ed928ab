"""OpenTelemetry spans: one for each job, made of recorded times once its response has ended.

So a span covers the whole stream and costs the engine nothing. The only module that imports
OpenTelemetry; sampling, batches, limits and the collector are its own variables' business.
Attributes are named by OpenTelemetry's conventions for generative AI where these have a name.
No prompt and no text is told.
"""

import threading
import time
from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from service.observability.http_exchange import HttpExchange, ObservedJob
from service.observability.job_timings import JobTimings
from service.timeouts import SPAN_FLUSH_S
from service.version import installed_version

_CHAT_ROUTE = "/v1/chat/completions"

Attributes = dict[str, AttributeValue]


class Spans:
    """Exporter of spans over OTLP; implements `service.observability.tracing.Tracing`."""

    def __init__(self) -> None:
        # At exit it would wait for the collector for half a minute: `stop` is called instead.
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("strophe", installed_version())
        self._is_draining = False

    def ended(self, exchange: HttpExchange) -> None:
        """Make and queue the span of the exchange's job, if it had one."""
        if (job := exchange.job) is None:
            return
        to_wall = _wall_clock()
        span = self._tracer.start_span(
            f"{_operation(exchange)} {job.model}",
            context=_parent(exchange.environ),
            kind=SpanKind.SERVER,
            attributes={**_of_request(exchange, job), **_of_answer(exchange, job)},
            start_time=to_wall(exchange.started_at),
        )
        _add_events(span, JobTimings.of(job.requests), to_wall)
        if (error := _error_type(exchange, job)) is not None:
            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR, error))
        end = exchange.ended_at if exchange.ended_at is not None else time.monotonic()
        span.end(to_wall(end))
        exchange.trace_id = format_trace_id(span.get_span_context().trace_id)
        if self._is_draining:
            threading.Thread(target=self._provider.force_flush, name="spans", daemon=True).start()

    def begin_drain(self) -> None:
        """Send each span at once from now on: the process may be killed before `stop` is called."""
        self._is_draining = True

    def stop(self) -> None:
        """Send the spans that are left, unless the collector takes longer than SPAN_FLUSH_S."""
        stopping = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        stopping.start()
        stopping.join(SPAN_FLUSH_S)


def _resource() -> Resource:
    """Resource attributes of the service; the OTEL_ variables may name it otherwise."""
    own = Resource({SERVICE_NAME: "strophe", SERVICE_VERSION: installed_version()})
    given = Resource.create()
    is_named = not str(given.attributes.get(SERVICE_NAME)).startswith("unknown_service")
    return own.merge(given) if is_named else given.merge(own)


def _wall_clock() -> Callable[[float], int]:
    """Conversion of monotonic seconds to nanoseconds since 1970, one offset for a whole span."""
    offset = time.time_ns() - time.monotonic_ns()
    return lambda monotonic_s: offset + int(monotonic_s * 1e9)


def _parent(environ: Mapping[str, object]) -> Context:
    """Trace context of the client's `traceparent` header; empty where that is not valid."""
    names = ("traceparent", "tracestate")
    carrier = {name: str(environ.get(f"HTTP_{name.upper()}", "")) for name in names}
    return TraceContextTextMapPropagator().extract(carrier, context=Context())


def _operation(exchange: HttpExchange) -> str:
    """Name of the operation by the conventions: a chat, or the completion of a text."""
    return "chat" if exchange.route == _CHAT_ROUTE else "text_completion"


def _of_request(exchange: HttpExchange, job: ObservedJob) -> Attributes:
    attributes: dict[str, AttributeValue | None] = {
        "http.request.method": exchange.method,
        "http.route": exchange.route,
        "gen_ai.operation.name": _operation(exchange),
        "gen_ai.provider.name": "strophe",
        "gen_ai.request.model": job.model,
        "gen_ai.request.choice.count": len(job.generations) or int(_seed_of_poem(job) is not None),
        **_of_sampling(job),
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _of_sampling(job: ObservedJob) -> dict[str, AttributeValue | None]:
    """Sampling parameters as attributes; none where a text was scored and none written."""
    if not job.generations:
        return {"gen_ai.request.seed": _seed_of_poem(job)}
    params = job.generations[0].params
    return {
        "gen_ai.request.temperature": params.temperature,
        "gen_ai.request.top_p": params.top_p,
        "gen_ai.request.top_k": params.top_k,
        "gen_ai.request.frequency_penalty": params.frequency_penalty,
        "gen_ai.request.presence_penalty": params.presence_penalty,
        "gen_ai.request.max_tokens": params.max_tokens,
        "gen_ai.request.seed": params.seed,
    }


def _seed_of_poem(job: ObservedJob) -> int | None:
    """Seed of the poem that a job composes; None where it composes none."""
    composition = job.requests[0].composition
    return None if composition is None else composition.seed


def _of_answer(exchange: HttpExchange, job: ObservedJob) -> Attributes:
    attributes: Attributes = {
        "http.response.status_code": exchange.status,
        "gen_ai.response.id": job.job_id,
        "gen_ai.response.model": job.model,
        "gen_ai.response.finish_reasons": [
            generation.finish_reason or job.outcome for generation in job.generations
        ]
        or [job.outcome] * int(_seed_of_poem(job) is not None),
        "gen_ai.usage.input_tokens": job.num_prompt_tokens,
        "gen_ai.usage.output_tokens": job.num_tokens,
        "gen_ai.usage.cache_read.input_tokens": sum(r.num_cached_tokens for r in job.requests),
    }
    timings = JobTimings.of(job.requests)
    if (waited := timings.since_submission(timings.first_piece_at)) is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = waited
    return attributes


def _add_events(span: Span, timings: JobTimings, to_wall: Callable[[float], int]) -> None:
    times = {
        "queued": timings.submitted_at,
        "began": timings.began_at,
        "first_token": timings.first_piece_at,
        "written": timings.ended_at,
    }
    for name, at in times.items():
        if at is not None:
            span.add_event(name, timestamp=to_wall(at))


def _error_type(exchange: HttpExchange, job: ObservedJob) -> str | None:
    """Value of `error.type`: why a job did not end well; None when it did."""
    if job.failure is not None:
        return job.failure.name.lower()
    if exchange.is_abandoned:
        return "client_disconnected"
    return "cancelled" if job.outcome == "cancelled" else None
