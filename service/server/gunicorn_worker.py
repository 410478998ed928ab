"""gunicorn's threaded worker with request buffering: no slow or idle client holds a thread.

    waiting -> in a thread -> waiting (kept alive)      and from both: -> lingering -> closed

A connection waits at the poller, where the one main thread buffers its request; a thread gets it
when the request is whole, so 500 idle or half-sent ones cost 500 descriptors. Reading and answering
have deadlines in all, not for each byte. When there are too many connections, the one that has
waited longest for its client gives way. A worker that stops goes on accepting until its streams
have ended: the application refuses by itself then. docs/server.md draws all of it.

Knows nothing of the application. What gunicorn does in its threads is left as it is. Most of its
names that are used here are no public interface: a contract test names each of them.
"""

import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from signal import SIGTERM, raise_signal
from threading import Barrier, Timer
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from service.server.connection import (
    CONTINUE,
    Connection,
    ConnectionLimits,
    EndReason,
    Refusal,
    crowded,
    head_too_long,
    log_malformed,
    malformed,
    request_timeout,
    with_bounded_writes,
)
from service.server.request_framing import RequestBuffer
from service.timeouts import (
    ACCEPT_RETRY_S,
    DEADLINE_CHECK_S,
    DRAIN_KEEP_ALIVE_S,
    LINGER_S,
    WRITE_TIMEOUT_S,
)

MAX_RECEIVE = 64 * 1024
MAX_ACCEPTS = 64  # in a row, before other connections have their turn
# Of requests that are not whole: each may buffer so much, and more while all buffer less than that.
GUARANTEED_BUFFER = 64 * 1024
MAX_BUFFERED = 64 * 1024 * 1024


class RequestBufferingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threaded gunicorn worker that buffers requests and enforces `app.limits`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits: ConnectionLimits = self.app.limits
        self.on_connection_ended: Callable[[EndReason], None] = lambda reason: None
        # All of this belongs to the main thread.
        self._waiting: dict[Connection, None] = {}  # for their clients, the longest first
        self._answering: dict[Connection, float] = {}  # in a thread, and since when
        self._num_buffered = 0  # bytes of all that wait
        self._next_check = 0.0

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Thread pool with all its threads started, for gunicorn.

        The main thread would wait for each that it starts, and in a burst for hundreds.
        """
        pool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="http")
        all_are_there = Barrier(self.cfg.threads + 1)
        for _ in range(self.cfg.threads):
            pool.submit(all_are_there.wait)
        all_are_there.wait()
        return pool

    def load_wsgi(self) -> None:
        """Load the application, for gunicorn, and bound its writes."""
        super().load_wsgi()
        self.wsgi = with_bounded_writes(self.app.wsgi())

    @property
    def num_connections(self) -> int:
        """Number of open connections."""
        return int(self.nr_conns)

    def run(self) -> None:
        """Serve until told to stop, and until what was begun by then has ended."""
        queue = self.method_queue
        self.poller.register(queue.fileno(), EVENT_READ, queue.run_callbacks)
        self.set_accept_enabled(True)
        try:
            while self.alive:
                self._run_once()
                if not self.is_parent_alive():
                    raise_signal(SIGTERM)  # nobody else is left to send it
            self._drain()
        finally:  # SIGINT comes as SystemExit
            self._abort_answers_soon()
        self.set_accept_enabled(False)
        for conn in list(self._waiting):
            self._close(conn)
        self.tpool.shutdown(wait=False)
        self.poller.close()
        for listener in self.sockets:
            listener.close()

    def _run_once(self) -> None:
        """One iteration of the event loop: heartbeat, events, deadlines."""
        self.notify()
        self.wait_for_and_dispatch_events(DEADLINE_CHECK_S)
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + DEADLINE_CHECK_S
            self._enforce_deadlines(now)

    def _drain(self) -> None:
        begun = time.monotonic()
        running = set(self._answering)
        expected = set(self._waiting)  # a request may be on its way
        for conn in expected:
            conn.deadline = min(conn.deadline, begun + DRAIN_KEEP_ALIVE_S)
        while time.monotonic() < begun + self._limits.drain_s:
            running &= self._answering.keys()
            expected &= self._answering.keys() | self._waiting.keys()
            # Whoever connects meanwhile is refused, and prolongs nothing.
            if not running and not expected:
                return
            self._run_once()
        self._abort_answers()

    def _abort_answers_soon(self) -> None:
        """Abort answers soon: the process waits for its threads, and they must not for clients."""
        timer = Timer(LINGER_S, self._abort_answers)
        timer.daemon = True
        timer.start()

    def _abort_answers(self) -> None:
        for conn in list(self._answering):
            conn.abort()

    def accept(self, listener: socket.socket) -> None:
        """Accept waiting clients, when the poller says that there are some."""
        for _ in range(MAX_ACCEPTS):
            try:
                sock, client = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                if not self._evict_longest_waiting():
                    time.sleep(ACCEPT_RETRY_S)  # all are being answered; it waits in the backlog
                return
            self._admit(Connection(self.cfg, sock, client, listener.getsockname()))

    def _admit(self, conn: Connection) -> None:
        has_room = self.nr_conns < self.worker_connections or self._evict_longest_waiting()
        self.nr_conns += 1
        if has_room:
            self._await_request(conn, self._limits.read_head_s)
        else:
            self._refuse(conn, crowded())

    def _evict_longest_waiting(self) -> bool:
        """Close the connection that has waited longest for its client; False where none waits."""
        if not self._waiting:
            return False
        self._close(next(iter(self._waiting)))
        self.on_connection_ended("gave_way")
        return True

    def _await_request(self, conn: Connection, seconds: float) -> None:
        buffer = conn.begin_request(self._limits.max_body)
        self._watch(conn, seconds)
        if pipelined := conn.take_pipelined():
            self._buffer(conn, buffer, pipelined)

    def _watch(self, conn: Connection, seconds: float) -> None:
        """Watch a connection for what its client sends, with a deadline `seconds` from now."""
        conn.sock.setblocking(False)
        conn.deadline = time.monotonic() + seconds
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_readable, conn))
        self._waiting[conn] = None

    def _unwatch(self, conn: Connection) -> None:
        del self._waiting[conn]
        self._num_buffered -= conn.num_buffered
        self.poller.unregister(conn.sock)

    def _close(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.close()

    def _on_readable(self, conn: Connection, sock: socket.socket) -> None:
        if conn not in self._waiting:
            return  # it gave way in this very iteration
        try:
            received = sock.recv(MAX_RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            received = b""
        buffer = conn.request_buffer
        if received and buffer is not None:
            self._buffer(conn, buffer, received)
        elif not received and buffer is not None and buffer.has_head:
            self._dispatch(conn)  # its side is closed: the answer will tell what is missing
        elif not received:
            self._close(conn)

    def _buffer(self, conn: Connection, buffer: RequestBuffer, received: bytes) -> None:
        """Keep what was received; dispatch or refuse the request, or set its next deadline."""
        had, had_head = buffer.num_bytes, buffer.has_head
        buffer.feed(received)
        self._num_buffered += buffer.num_bytes - had
        if buffer.problem is not None:
            log_malformed(conn.client, buffer.problem)
            self._refuse(conn, malformed(buffer.problem))
        elif buffer.is_ready:
            self._dispatch(conn)
        elif buffer.is_head_too_long:
            self._refuse(conn, head_too_long())
        elif buffer.num_bytes > GUARANTEED_BUFFER and self._num_buffered > MAX_BUFFERED:
            self._refuse(conn, crowded())
        elif buffer.has_head and not had_head:
            conn.deadline = time.monotonic() + self._limits.read_body_s
            if buffer.expects_continue:
                conn.send_nowait(CONTINUE)
        elif not had:
            conn.deadline = time.monotonic() + self._limits.read_head_s

    def _dispatch(self, conn: Connection) -> None:
        """Hand the connection to a thread, which parses and answers the request."""
        self._unwatch(conn)
        conn.feed_parser()
        self._answering[conn] = time.monotonic()
        self.enqueue_req(conn)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer one request in a thread; returns whether the connection is kept alive."""
        conn.sock.settimeout(WRITE_TIMEOUT_S)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError as error:  # gunicorn would log it with a traceback
            raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing") from error

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer 500 for gunicorn, but no request twice: what it left of its body may be broken."""
        if req is None or not req.body.failed:
            super().handle_error(req, client, addr, exc)

    def finish_request(self, conn: Connection, future: Any) -> None:
        """Take a connection back from its thread, on the main thread; keep it alive or end it."""
        del self._answering[conn]
        if not future.cancelled() and future.exception() is None and future.result() is True:
            self._await_request(conn, self.cfg.keepalive if self.alive else DRAIN_KEEP_ALIVE_S)
        else:
            self._linger(conn)

    def _refuse(self, conn: Connection, refusal: Refusal) -> None:
        self.on_connection_ended(refusal.reason)
        if conn in self._waiting:
            self._unwatch(conn)
        conn.send_nowait(refusal.response)
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Half-close a connection and wait for its client: to close on unread bytes would reset it.

        gunicorn would wait for that on the main thread, for seconds.
        """
        conn.request_buffer = None
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._watch(conn, LINGER_S)
        except OSError:  # the client is gone
            self.nr_conns -= 1
            conn.close()

    def _enforce_deadlines(self, now: float) -> None:
        """End connections that wait, and abort answers that take, longer than they may."""
        for conn in [conn for conn in self._waiting if conn.deadline <= now]:
            buffer = conn.request_buffer
            if buffer is None or not buffer.num_bytes:
                self._close(conn)
            elif buffer.has_head:
                self._refuse(conn, request_timeout("body", self._limits.read_body_s))
            else:
                self._refuse(conn, request_timeout("head", self._limits.read_head_s))
        for conn, since in self._answering.items():
            if now - since > self._limits.answer_s:
                conn.abort()
