"""Version of the installed package, for metrics, spans and the OpenAPI document."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Version of the package `strophe`, or `source` where it is not installed."""
    try:
        return version("strophe")
    except PackageNotFoundError:
        return "source"
