"""Setup of access control: trusted proxies, CORS, API keys, concurrency and rate limits.
A request meets them in this order.
"""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from service.access.api_key_guard import require_keys
from service.access.api_keys import ApiKeys
from service.access.concurrency import limit_concurrency
from service.access.cors import allow_origins
from service.access.rate_limits import limit_rates
from service.settings import Settings


def control_access(app: Flask, settings: Settings) -> None:
    """Set up what the settings ask for. Raises SettingsError when the keys cannot be read."""
    if settings.trusted_proxies:
        trust_proxies(app, settings.trusted_proxies)
    # Before the keys: a browser sends none with its preflights.
    if settings.cors_origins:
        allow_origins(app, settings.cors_origins)
    if (keys := ApiKeys.of(settings)) is not None:
        require_keys(app, keys)
    # Before the rate: what does not fit now is not counted.
    if settings.max_streams_per_client is not None:
        limit_concurrency(app, settings.max_streams_per_client)
    if settings.rate_limit is not None:
        limit_rates(app, settings.rate_limit, settings.rate_limit_storage.get_secret_value())


def trust_proxies(app: Flask, count: int) -> None:
    """Take the client's address from X-Forwarded-For, as `count` proxies in front wrote it."""
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app, x_for=count, x_proto=0, x_host=0, x_port=0, x_prefix=0
    )
