"""Command `python -m service`: reads the settings, takes the ports, hands over to gunicorn.

A setting that is wrong ends the start with one line and exit code 2, a port that is taken with
one line and exit code 1.
"""

import socket
import sys
from contextlib import closing

from model.terminal_text import terminal_line
from service.access.api_keys import ApiKeys
from service.server.gunicorn_app import GunicornApplication
from service.settings import Settings, SettingsError, read_settings, variable_name


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


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    try:
        settings = read_settings()
        ApiKeys.of(settings)  # the worker reads them again; here what is wrong is one line
        listen(settings, "port").close()  # gunicorn would try five times and tell a long story
        ops_socket = listen(settings, "ops_port")
    except SettingsError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    except PortTakenError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 1
    with closing(ops_socket):
        GunicornApplication(settings, ops_socket).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
