"""Flask application of the service, made of the engine, registry and metrics it is given.

Starts nothing: threads, sockets and the engine belong to `service.server.service_process`.
"""

import math

from flask import Flask

from service.access.control import control_access
from service.api.error_handlers import register_error_handlers
from service.api.generate import generate_blueprint
from service.api.health import health_blueprint, why_not_ready
from service.api.inspect import inspect_blueprint
from service.api.jobs import Jobs
from service.api.models import models_blueprint
from service.api.openai.chat import chat_blueprint
from service.api.openai.completions import completions_blueprint
from service.api.score import score_blueprint
from service.api.tokenization import tokenization_blueprint
from service.api.verse.analyze import analyze_blueprint
from service.api.verse.form_list import form_list_blueprint
from service.api.verse.poems import poems_blueprint
from service.api.verse.rhymes import rhymes_blueprint
from service.client_connection import ClientConnection
from service.engine.engine import Engine
from service.models.registry import Registry
from service.observability.http_exchange import ExchangeMiddleware
from service.observability.metrics import Metrics
from service.observability.request_log import log_request
from service.observability.tracing import Tracing
from service.openapi.docs_routes import docs_blueprint
from service.request_ids import name_requests
from service.settings import Settings
from service.web.page import page_blueprint


def create_app(
    settings: Settings,
    engine: Engine,
    registry: Registry,
    metrics: Metrics,
    tracing: Tracing | None = None,
) -> Flask:
    """Application with all routes of the service, and access control as the settings ask."""
    app = _bare_app()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    _add_gauges(metrics, engine, registry)
    _record_exchanges(app, metrics, tracing)
    control_access(app, settings)
    jobs = Jobs(engine, metrics.engine, settings.replica)
    app.register_blueprint(generate_blueprint(settings, jobs, registry))
    app.register_blueprint(completions_blueprint(settings, jobs, registry))
    app.register_blueprint(chat_blueprint(settings, jobs, registry))
    app.register_blueprint(score_blueprint(settings, jobs, registry))
    app.register_blueprint(inspect_blueprint(settings, jobs, registry))
    app.register_blueprint(poems_blueprint(settings, jobs, registry))
    app.register_blueprint(analyze_blueprint(registry))
    app.register_blueprint(rhymes_blueprint(settings, jobs, registry))
    app.register_blueprint(form_list_blueprint())
    app.register_blueprint(tokenization_blueprint(settings, registry))
    app.register_blueprint(models_blueprint(settings, registry))
    app.register_blueprint(health_blueprint(engine, registry, metrics.exposition))
    app.register_blueprint(docs_blueprint(settings))
    app.register_blueprint(page_blueprint())
    return app


def create_ops_app(engine: Engine, registry: Registry, metrics: Metrics) -> Flask:
    """Application with health and metrics alone, for the ops listener; requests are not logged."""
    app = _bare_app()
    app.register_blueprint(health_blueprint(engine, registry, metrics.exposition))
    return app


def _bare_app() -> Flask:
    app = Flask("service", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask types only the base class
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a redirect would lose the body
    register_error_handlers(app)
    name_requests(app)
    return app


def _record_exchanges(app: Flask, metrics: Metrics, tracing: Tracing | None) -> None:
    # The span first: the log line tells its trace.
    on_end = [metrics.http.ended, log_request]
    exchanges = ExchangeMiddleware(
        app,
        on_end if tracing is None else [tracing.ended, *on_end],
        has_client_gone=lambda environ: ClientConnection(environ).is_closed,
    )
    metrics.add_gauge(
        "http_requests_in_flight", "Answers under way", lambda: exchanges.num_in_flight
    )


def _add_gauges(metrics: Metrics, engine: Engine, registry: Registry) -> None:
    metrics.add_gauge("slots", "Texts that can be written at once", lambda: engine.load.num_slots)
    metrics.add_gauge("slots_used", "Slots in use", lambda: engine.load.num_used)
    metrics.add_gauge(
        "streams_running", "Requests that hold slots", lambda: engine.load.num_running
    )
    metrics.add_gauge("requests_waiting", "Requests in the queue", lambda: engine.load.num_waiting)
    metrics.add_gauge("models_loaded", "Models on offer", lambda: len(registry.catalogue.models))
    metrics.add_gauge(
        "stores_failing",
        "Stores of checkpoints of which not everything could be fetched",
        lambda: sum(store.trouble is not None for store in registry.stores),
    )
    metrics.add_gauge(
        "ready",
        "Whether a request sent now would be written",
        lambda: why_not_ready(engine, registry.catalogue) is None,
    )
    metrics.add_gauge(
        "engine_tick_age_seconds",
        "Since the engine last began a round of work",
        lambda: age if (age := engine.since_tick_s) is not None else math.nan,
    )
