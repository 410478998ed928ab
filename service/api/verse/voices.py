"""Voice of a served model for a request: waits until it is made, as long as the client does."""

from flask import request

from service.api.jobs import Jobs
from service.client_connection import ClientConnection
from service.engine.failure import ClientGoneError
from service.error_answers import busy
from service.models.served_model import ServedModel
from service.timeouts import CLIENT_CHECK_S
from verse.composer.voice import Voice

MAX_WAITING = 16  # requests; each holds an HTTP thread


def voice_of_model(served: ServedModel, jobs: Jobs) -> Voice:
    """Voice of a model, which is made when the first request asks for it: some seconds.

    Raises ApiError where many wait for it already, ClientGoneError, and UnavailableError where the
    engine takes no requests any more.
    """
    client = ClientConnection(request.environ)
    if served.voice.num_waiting >= MAX_WAITING:
        raise busy(f"the words of {served.name} are being made ready; come back soon", "preparing")
    while (voice := served.voice.wait(CLIENT_CHECK_S)) is None:
        jobs.require_available()
        if client.is_closed:
            raise ClientGoneError
    return voice
