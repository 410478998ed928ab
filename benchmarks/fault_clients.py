"""Clients of every kind on one event loop, polite and not: what bench_faults.py sets on a service.

Each tells in a word what it saw. Raw HTTP, so that nothing is mended or retried on the way.
"""

import asyncio
import http.client
import json
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any, Literal

ContentType = Literal["text/plain", "text/event-stream", "application/json"]
TEXT: ContentType = "text/plain"
EVENTS: ContentType = "text/event-stream"
JSON: ContentType = "application/json"

HALF_HEAD = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\n"
HALF_BODY = HALF_HEAD + b"Content-Length: 100\r\n\r\n{"
LAST_CHUNK = b"\r\n0\r\n\r\n"
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, OSError)


def request_of(fields: dict[str, Any], accept: ContentType) -> bytes:
    """Build the bytes of one POST request with these fields."""
    body = json.dumps({"prompt": "The sea", "temperature": 0.8, **fields}).encode()
    head = HALF_HEAD + f"Accept: {accept}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + b"Connection: close\r\n\r\n" + body


def verdict(answer: bytes, accept: ContentType) -> str:
    """Judge in a word or two what a client was given."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        return "closed without an answer"
    status = head.split()[1].decode()
    if status != "200":
        return f"{status} {json.loads(body)['error']['code']}" if body else status
    if accept == JSON:
        return "whole" if b'"usage"' in body else "cut"
    if not body.endswith(LAST_CHUNK):
        return "cut"
    if accept == EVENTS and b"data: [DONE]" not in body[-40:]:
        return "ended in-band" if b'{"error":' in body[-400:] else "ended without a word"
    return "whole"


async def ask(port: int, fields: dict[str, Any], accept: ContentType = TEXT) -> str:
    """Send one request and read its answer to the end."""
    answer = b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return "refused by the kernel"
    try:
        writer.write(request_of(fields, accept))
        while data := await reader.read(65_536):
            answer += data
    except OSError:
        return "reset, cut" if answer else "reset"
    finally:
        writer.close()
    return verdict(answer, accept)


async def abandon(
    port: int, fields: dict[str, Any], accept: ContentType, after: asyncio.Event
) -> None:
    """Send one request, read what comes, and close the connection when `after` is set."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_of(fields, accept))
    reading = asyncio.create_task(_read_on(reader))
    await after.wait()
    reading.cancel()
    writer.close()


async def _read_on(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(65_536):
            pass


async def hold(port: int, sent: bytes) -> None:
    """Send a few bytes and nothing more; come again whenever the connection is closed."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(sent)
                await _read_on(reader)
            finally:
                writer.close()
        await asyncio.sleep(0.1)


async def sip(port: int, fields: dict[str, Any]) -> None:
    """Ask for much and read a byte a second."""
    while True:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        with suppress(OSError), sock:
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, request_of(fields, EVENTS))
            while await loop.sock_recv(sock, 1):
                await asyncio.sleep(1)
        await asyncio.sleep(0.1)


async def leave_rudely(port: int, fields: dict[str, Any], *, reset: bool) -> None:
    """Ask, read a little, then reset the connection or close one side of it; again and again."""
    while True:
        with suppress(*GONE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request_of(fields, EVENTS))
            await reader.read(1)
            if reset:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                writer.write_eof()
                await _read_on(reader)
            writer.close()
        await asyncio.sleep(0.2)


class Prober:
    """Asks /healthz on a port ten times a second, from a thread of its own, and notes how long."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._probe, daemon=True)
        self.seconds: list[float] = []
        self.failed = 0

    def __enter__(self) -> "Prober":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _probe(self) -> None:
        while not self._stopped.wait(0.1):
            started = time.perf_counter()
            if healthz(self._port) != 200:
                self.failed += 1
            self.seconds.append(time.perf_counter() - started)


def healthz(port: int, path: str = "/healthz") -> int:
    """Probe on a new connection; returns the status, 0 where there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
