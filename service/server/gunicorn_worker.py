"""gunicorn's threaded worker with a border: nobody can hold a thread by sending slowly, or nothing.

    waiting -> in a thread -> waiting (kept alive)      and from both: -> lingering -> closed

A connection waits at the poller, where the one main thread gathers its request; a thread gets it
when the request is whole, so 500 idle or half-sent ones cost 500 descriptors. Reading and answering
have deadlines in all, not for each byte. When there are too many connections, the one that has
waited longest for its client gives way. A worker that stops goes on accepting until its streams
have ended: the application refuses by itself then.

Knows nothing of the application. What gunicorn does in its threads is left as it is.
"""

import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ
from signal import SIGTERM, raise_signal
from threading import Barrier, Timer
from typing import Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    STOP_KEEPALIVE_LINGER,
    ThreadWorker,
)

from service.server.connection import (
    CONTINUE,
    WRITE_TIMEOUT_S,
    Connection,
    Reason,
    Refusal,
    crowded,
    head_too_long,
    too_slow,
    with_bounded_writes,
)
from service.server.request_framing import Incoming

LINGER_S = 2.0  # for a client to take its answer and close
LOOK_S = 0.25  # between looks at the deadlines
READ_AT_ONCE = 64 * 1024
ACCEPTED_AT_ONCE = 64
# Of requests that are not whole: each may hold so much, and more while all hold less than that.
OWN_SHARE = 64 * 1024
MAX_GATHERED = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may take: seconds, but for the body, which is in bytes."""

    read_head_s: float
    read_body_s: float
    answer_s: float
    drain_s: float
    max_body: int


class BorderWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """`app.limits` says how long and how much."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits: Limits = self.app.limits
        self.note_ended: Callable[[Reason], None] = lambda reason: None  # told of each refusal
        # All of this belongs to the main thread.
        self._waiting: dict[Connection, None] = {}  # for their clients, the longest first
        self._answering: dict[Connection, float] = {}  # in a thread, and since when
        self._gathered = 0  # bytes of all that wait
        self._next_look = 0.0

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Called by gunicorn: all threads there will be.

        The main thread would wait for each that it starts, and in a burst for hundreds.
        """
        pool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="http")
        all_are_there = Barrier(self.cfg.threads + 1)
        for _ in range(self.cfg.threads):
            pool.submit(all_are_there.wait)
        all_are_there.wait()
        return pool

    def load_wsgi(self) -> None:
        """Called by gunicorn: the application."""
        super().load_wsgi()
        self.wsgi = with_bounded_writes(self.app.wsgi())

    @property
    def num_connections(self) -> int:
        """How many are open."""
        count: int = self.nr_conns
        return count

    def run(self) -> None:
        """Serve until told to stop, and until what was begun by then has ended."""
        queue = self.method_queue
        self.poller.register(queue.fileno(), EVENT_READ, queue.run_callbacks)
        self.set_accept_enabled(True)
        try:
            while self.alive:
                self._turn()
                if not self.is_parent_alive():
                    raise_signal(SIGTERM)  # nobody else is left to send it
            self._drain()
        finally:  # SIGINT comes as SystemExit
            self._cut_soon()
        self.set_accept_enabled(False)
        for conn in list(self._waiting):
            self._close(conn)
        self.tpool.shutdown(wait=False)
        self.poller.close()
        for listener in self.sockets:
            listener.close()

    def _turn(self) -> None:
        self.notify()
        self.wait_for_and_dispatch_events(LOOK_S)
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self._end_overdue(now)

    def _drain(self) -> None:
        begun = time.monotonic()
        running = set(self._answering)
        expected = set(self._waiting)  # a request may be on its way
        for conn in expected:
            conn.deadline = min(conn.deadline, begun + STOP_KEEPALIVE_LINGER)
        while time.monotonic() < begun + self._limits.drain_s:
            running &= self._answering.keys()
            expected &= self._answering.keys() | self._waiting.keys()
            # Whoever connects meanwhile is refused, and prolongs nothing.
            if not running and not expected:
                return
            self._turn()
        self._cut_all()

    def _cut_soon(self) -> None:
        """The process waits for its threads, which must not wait for their clients."""
        timer = Timer(LINGER_S, self._cut_all)
        timer.daemon = True
        timer.start()

    def _cut_all(self) -> None:
        for conn in list(self._answering):
            conn.cut()

    def accept(self, listener: socket.socket) -> None:
        """Called by the poller: clients connect."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, client = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                if not self._make_room():
                    time.sleep(LOOK_S / 10)  # all are being answered; it waits in the backlog
                return
            self._admit(Connection(self.cfg, sock, client, listener.getsockname()))

    def _admit(self, conn: Connection) -> None:
        has_room = self.nr_conns < self.worker_connections or self._make_room()
        self.nr_conns += 1
        if has_room:
            self._await_request(conn, self._limits.read_head_s)
        else:
            self._refuse(conn, crowded())

    def _make_room(self) -> bool:
        if not self._waiting:
            return False
        self._close(next(iter(self._waiting)))
        self.note_ended("gave_way")
        return True

    def _await_request(self, conn: Connection, seconds: float) -> None:
        conn.incoming = Incoming(self._limits.max_body)
        self._wait(conn, seconds)
        if pipelined := conn.take_buffered():
            self._gather(conn, conn.incoming, pipelined)

    def _wait(self, conn: Connection, seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.deadline = time.monotonic() + seconds
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_readable, conn))
        self._waiting[conn] = None

    def _leave(self, conn: Connection) -> None:
        del self._waiting[conn]
        self._gathered -= conn.num_held
        self.poller.unregister(conn.sock)

    def _close(self, conn: Connection) -> None:
        self._leave(conn)
        self.nr_conns -= 1
        conn.close()

    def _on_readable(self, conn: Connection, sock: socket.socket) -> None:
        if conn not in self._waiting:
            return  # it gave way in this very turn
        try:
            received = sock.recv(READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            received = b""
        incoming = conn.incoming
        if received and incoming is not None:
            self._gather(conn, incoming, received)
        elif not received and incoming is not None and incoming.has_head:
            self._hand_over(conn)  # its side is closed: what is missing will be told
        elif not received:
            self._close(conn)

    def _gather(self, conn: Connection, incoming: Incoming, received: bytes) -> None:
        had, had_head = incoming.size, incoming.has_head
        incoming.add(received)
        self._gathered += incoming.size - had
        if incoming.is_enough:
            self._hand_over(conn)
        elif incoming.is_head_too_long:
            self._refuse(conn, head_too_long())
        elif incoming.size > OWN_SHARE and self._gathered > MAX_GATHERED:
            self._refuse(conn, crowded())
        elif incoming.has_head and not had_head:
            conn.deadline = time.monotonic() + self._limits.read_body_s
            if incoming.wants_continue:
                conn.say(CONTINUE)
        elif not had:
            conn.deadline = time.monotonic() + self._limits.read_head_s

    def _hand_over(self, conn: Connection) -> None:
        self._leave(conn)
        now = time.monotonic()
        conn.pass_on(now + self._limits.read_body_s)
        self._answering[conn] = now
        self.enqueue_req(conn)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Called by gunicorn in a thread: answer one request."""
        conn.sock.settimeout(WRITE_TIMEOUT_S)
        try:
            keeps: bool = super().handle_request(req, conn)
        except TimeoutError as error:  # gunicorn would log it with a traceback
            raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing") from error
        return keeps

    def finish_request(self, conn: Connection, future: Any) -> None:
        """Called on the main thread when a thread is done with a connection."""
        del self._answering[conn]
        if not future.cancelled() and future.exception() is None and future.result() is True:
            self._await_request(conn, self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER)
        else:
            self._linger(conn)

    def _refuse(self, conn: Connection, refusal: Refusal) -> None:
        self.note_ended(refusal.reason)
        if conn in self._waiting:
            self._leave(conn)
        conn.say(refusal.answer)
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Let the client take its answer: to close on unread bytes would reset the connection.

        gunicorn would wait for that on the main thread, for seconds.
        """
        conn.incoming = None
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._wait(conn, LINGER_S)
        except OSError:  # the client is gone
            self.nr_conns -= 1
            conn.close()

    def _end_overdue(self, now: float) -> None:
        for conn in [conn for conn in self._waiting if conn.deadline <= now]:
            incoming = conn.incoming
            if incoming is None or not incoming.size:
                self._close(conn)
            elif incoming.has_head:
                self._refuse(conn, too_slow("body", self._limits.read_body_s))
            else:
                self._refuse(conn, too_slow("head", self._limits.read_head_s))
        for conn, since in self._answering.items():
            if now - since > self._limits.answer_s:
                conn.cut()
