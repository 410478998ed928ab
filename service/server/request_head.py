"""Request head as gunicorn's parser reads it: how its body is framed, or why it is refused.

gunicorn's reading is the only one of a head. What it takes and we do not is refused here too:
transfer codings beside chunked, which nobody would undo, and hosts that are missing or are none.
"""

import re
from dataclasses import dataclass
from typing import Any

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]

from model.errors import shortened

MAX_REQUEST_LINE = 4094  # bytes; gunicorn is set to this and the next two
MAX_HEADERS = 100
MAX_HEADER = 8190  # bytes of one, name and value
MAX_SHOWN = 200  # characters of gunicorn's words, which repeat what the client has sent
TLS_HANDSHAKE = 0x16  # the first byte of what a TLS client sends
_NOWHERE = ("", 0)  # the client's address: gunicorn is set to believe none
# RFC 9110, section 7.2, and RFC 3986: a name or an address, and a port.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.v]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]*)?")


class MalformedRequestError(Exception):
    """Raised when what was received cannot become a request: status, code and message to send."""

    def __init__(self, message: str, status: int = 400, code: str = "malformed_request") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """Framing of a request's body: its length in bytes, None where it comes in chunks."""

    body_length: int | None
    expects_continue: bool  # the client waits for 100 Continue before it sends the body


def read_request_line(config: Any, line: bytes) -> None:
    """Read a request line, whole or not, as gunicorn does, which is set by `config`.

    Raises MalformedRequestError where no request can begin with it.
    """
    if line[0] == TLS_HANDSHAKE:
        raise MalformedRequestError("this port speaks HTTP without TLS; use http://, not https://")
    _parsed(config, line + b"\r\n\r\n")


def read_request_head(config: Any, head: bytes) -> RequestHead:
    """Read a whole head as gunicorn does, set by `config`. Raises MalformedRequestError."""
    request = _parsed(config, head)
    _require_host(request)
    expectations = _values(request, "EXPECT")
    return RequestHead(
        body_length=_body_length(request),
        expects_continue=bool(expectations) and request.version >= (1, 1),
    )


def _parsed(config: Any, head: bytes) -> Any:
    try:
        return next(http.get_parser(config, [head], _NOWHERE))
    except errors.LimitRequestLine as error:
        message = f"the request line is longer than {MAX_REQUEST_LINE} bytes"
        raise MalformedRequestError(message, 414, "request_line_too_long") from error
    except errors.LimitRequestHeaders as error:
        message = f"at most {MAX_HEADERS} headers of at most {MAX_HEADER} bytes each are taken"
        raise MalformedRequestError(message, 431, "head_too_long") from error
    except errors.UnsupportedTransferCoding as error:
        raise _unsupported_coding(error.hdr) from error
    except errors.ExpectationFailed as error:
        message = f"Expect can be nothing but 100-continue, got {shortened(error.expect)}"
        raise MalformedRequestError(message, 417, "expectation_failed") from error
    except Exception as error:  # whatever it is: on the main thread it would end the process
        message = f"this is no HTTP/1.1 request: {str(error)[:MAX_SHOWN]}"
        raise MalformedRequestError(message) from error


def _require_host(request: Any) -> None:
    hosts = _values(request, "HOST")  # gunicorn takes no more than one
    if not hosts and request.version >= (1, 1):
        raise MalformedRequestError("a request of HTTP/1.1 must have the header Host")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise MalformedRequestError(
            f"the header Host is no name and port, got {shortened(hosts[0])}"
        )


def _body_length(request: Any) -> int | None:
    """Length of the body; gunicorn has refused a length that is none, or is there twice."""
    codings = _values(request, "TRANSFER-ENCODING")
    if not codings:
        return sum(int(length) for length in _values(request, "CONTENT-LENGTH"))
    if [coding.lower() for coding in codings] != ["chunked"]:
        raise _unsupported_coding(", ".join(codings))
    return None


def _unsupported_coding(codings: str) -> MalformedRequestError:
    return MalformedRequestError(
        f"Transfer-Encoding can be nothing but chunked, got {shortened(codings)}",
        501,
        "unsupported_transfer_encoding",
    )


def _values(request: Any, name: str) -> list[str]:
    return [value for header, value in request.headers if header == name]
