"""Start of the service: settings are read, ports are taken, and gunicorn takes over.

What a user can mend is raised before anything else is loaded: by gunicorn's worker it would be
told late, and several times.
"""

import socket
from contextlib import closing

from service.access.api_keys import ApiKeys
from service.server.gunicorn_app import GunicornApplication
from service.settings import Settings, read_settings, variable_name


class PortTakenError(Exception):
    """Raised when a port of the service cannot be listened on; the message names the setting."""


def listen(settings: Settings, field: str) -> socket.socket:
    """Listening socket on the host and the port of the setting `field`. Raises PortTakenError."""
    port: int = getattr(settings, field)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, port), family=family, backlog=64)
    except OSError as error:
        where = f"{settings.host} port {port}"
        raise PortTakenError(
            f"{variable_name(field)}: cannot listen on {where}: {error.strerror}"
        ) from error


def serve() -> None:
    """Serve until told to stop. Raises SettingsError and PortTakenError."""
    settings = read_settings()
    ApiKeys.of(settings)  # the worker reads them again; here what is wrong is one line
    listen(settings, "port").close()  # gunicorn would try five times and tell a long story
    with closing(listen(settings, "ops_port")) as ops_socket:
        GunicornApplication(settings, ops_socket).run()
