"""The Flask application, made of what it is given.

Starts nothing: threads, sockets and the engine belong to `service.worker`.
"""

from flask import Flask, Response, g

from service.engine.engine import Engine
from service.errors import register_error_handlers
from service.jobs import Jobs, new_id
from service.logs import log_requests
from service.metrics import Metrics
from service.registry import Registry
from service.routes.generate import generate_blueprint
from service.routes.health import health_blueprint
from service.routes.models import models_blueprint
from service.routes.score import score_blueprint
from service.settings import Settings


def create_app(settings: Settings, engine: Engine, registry: Registry, metrics: Metrics) -> Flask:
    """The whole surface of the service."""
    app = _bare_app()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    _watch_gauges(metrics, engine, registry)
    log_requests(app)
    jobs = Jobs(engine, metrics)
    app.register_blueprint(generate_blueprint(settings, jobs, registry))
    app.register_blueprint(score_blueprint(settings, jobs, registry))
    app.register_blueprint(models_blueprint(registry))
    app.register_blueprint(health_blueprint(engine, registry, metrics))
    return app


def create_ops_app(engine: Engine, registry: Registry, metrics: Metrics) -> Flask:
    """Health and metrics alone, for the small listener; its requests are not logged."""
    app = _bare_app()
    app.register_blueprint(health_blueprint(engine, registry, metrics))
    return app


def _bare_app() -> Flask:
    app = Flask("service", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask types only the base class
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a redirect would lose the body
    register_error_handlers(app)

    @app.before_request
    def name_request() -> None:
        g.request_id = new_id("req")

    @app.after_request
    def tell_name(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        return response

    return app


def _watch_gauges(metrics: Metrics, engine: Engine, registry: Registry) -> None:
    metrics.watch("slots", "Texts that can be written at once", lambda: engine.load.num_slots)
    metrics.watch("slots_used", "Slots in use", lambda: engine.load.num_used)
    metrics.watch("streams_running", "Requests that hold slots", lambda: engine.load.num_running)
    metrics.watch("requests_waiting", "Requests in the queue", lambda: engine.load.num_waiting)
    metrics.watch("models_loaded", "Models on offer", lambda: len(registry.served))
