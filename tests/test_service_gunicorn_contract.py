"""Contract with gunicorn: each of its names and signatures that the service uses, mostly private.

An upgrade that renames or changes one fails here, by its name. The first test holds the table
complete: what our worker and connection take from gunicorn's classes is read from their source.
"""

import ast
import inspect
import socket
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.http.body import CHUNK_EXT_RE  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.http.wsgi import default_environ  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    PollableMethodQueue,
    TConn,
    ThreadWorker,
)

from service.server.connection import BufferedUnreader, Connection
from service.server.gunicorn_app import APP_LOAD_ERROR, GunicornApplication, gunicorn_settings
from service.server.gunicorn_worker import RequestBufferingWorker
from service.settings import Settings

OVERRIDDEN = {
    (ThreadWorker, "get_thread_pool"): ["self"],
    (ThreadWorker, "load_wsgi"): ["self"],
    (ThreadWorker, "run"): ["self"],
    (ThreadWorker, "accept"): ["self", "listener"],
    (ThreadWorker, "handle_request"): ["self", "req", "conn"],
    (ThreadWorker, "finish_request"): ["self", "conn", "fs"],
    (ThreadWorker, "handle_error"): ["self", "req", "client", "addr", "exc"],
    (TConn, "__init__"): ["self", "cfg", "sock", "client", "server"],
    (SocketUnreader, "chunk"): ["self", "size_hint"],
    (BaseApplication, "load_config"): ["self"],
    (BaseApplication, "load"): ["self"],
}
CALLED = {
    (ThreadWorker, "__init__"): ["self", "args", "kwargs"],
    (ThreadWorker, "notify"): ["self"],
    (ThreadWorker, "enqueue_req"): ["self", "conn"],
    (ThreadWorker, "set_accept_enabled"): ["self", "enabled"],
    (ThreadWorker, "wait_for_and_dispatch_events"): ["self", "timeout"],
    (ThreadWorker, "is_parent_alive"): ["self"],
    (ThreadWorker, "handle_exit"): ["self", "sig", "frame"],  # as the handler of SIGTERM
    (PollableMethodQueue, "fileno"): ["self"],
    (PollableMethodQueue, "run_callbacks"): ["self", "_fileobj", "max_callbacks"],
    (TConn, "close"): ["self", "graceful"],
    (SocketUnreader, "__init__"): ["self", "sock", "max_chunk"],
    (SocketUnreader, "unread"): ["self", "data"],
    (SocketUnreader, "take_buffered"): ["self"],
    (BaseApplication, "wsgi"): ["self"],
    (BaseApplication, "run"): ["self"],
}
# Set by gunicorn on its objects; `wsgi` by `load_wsgi`.
WORKER_ATTRIBUTES = {
    "alive",
    "app",
    "cfg",
    "method_queue",
    "nr_conns",
    "poller",
    "sockets",
    "tpool",
    "worker_connections",
    "wsgi",
}
CONNECTION_ATTRIBUTES = {"cfg", "client", "data_ready", "parser", "sock"}


class App:
    """Application of gunicorn, as far as a worker asks it for anything before `run`."""

    limits = None


@pytest.fixture
def worker() -> Iterator[Any]:
    made = ThreadWorker(1, 1, [], App(), 30, Config(), None)
    made.method_queue.init()
    yield made
    made.method_queue.close()
    made.tmp.close()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The service's end of a connection, and the client's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def names_of_self(of: type) -> set[str]:
    """The attributes of `self` in the source of a class, and the methods it overrides."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(of)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    } | set(vars(of))


def table_of(of: type) -> set[str]:
    return {name for owner, name in (*OVERRIDDEN, *CALLED) if owner is of}


@pytest.mark.parametrize(
    ("ours", "theirs", "attributes"),
    [
        (RequestBufferingWorker, ThreadWorker, WORKER_ATTRIBUTES),
        (Connection, TConn, CONNECTION_ATTRIBUTES),
        (BufferedUnreader, SocketUnreader, {"sock"}),
        (GunicornApplication, BaseApplication, {"cfg"}),
    ],
)
def test_the_table_names_all_that_is_taken_from_gunicorns_classes(
    ours: type, theirs: type, attributes: set[str]
) -> None:
    source = textwrap.dedent(inspect.getsource(theirs))
    of_theirs = set(dir(theirs)) | {
        node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)
    }
    of_theirs |= {"app", "cfg", "sockets", "alive"}  # of the worker's base
    taken = {name for name in names_of_self(ours) & of_theirs if not name.startswith("__")}
    assert taken <= table_of(theirs) | attributes


@pytest.mark.parametrize(
    ("of", "name", "parameters"), [(*key, names) for key, names in (OVERRIDDEN | CALLED).items()]
)
def test_a_method_has_the_parameters_that_we_know(
    of: type, name: str, parameters: list[str]
) -> None:
    assert list(inspect.signature(getattr(of, name)).parameters) == parameters


def test_a_worker_has_the_attributes_that_we_use(worker: Any) -> None:
    assert {name for name in WORKER_ATTRIBUTES - {"wsgi"} if not hasattr(worker, name)} == set()
    assert "self.wsgi = " in inspect.getsource(ThreadWorker.load_wsgi)
    assert (worker.alive, worker.nr_conns) == (True, 0)


def test_a_request_goes_from_the_queue_to_a_thread_and_back_to_the_main_thread(
    worker: Any,
) -> None:
    finished: list[tuple[Any, Any]] = []
    worker.handle = lambda conn: conn
    worker.finish_request = lambda conn, future: finished.append((conn, future.result()))
    with ThreadPoolExecutor(1) as worker.tpool:
        worker.enqueue_req("conn")
    worker.method_queue.run_callbacks(None)
    assert finished == [("conn", "conn")]


def test_handle_asks_handle_request_for_each_request_of_a_connection() -> None:
    assert "self.handle_request(req, conn)" in inspect.getsource(ThreadWorker.handle)


def test_sigterm_ends_the_loop_by_a_handler_that_is_there_before_the_application(
    worker: Any,
) -> None:
    """Ours, set when the worker has its application, calls gunicorn's."""
    assert "SIGTERM, self.handle_exit" in inspect.getsource(Worker.init_signals)
    init = inspect.getsource(Worker.init_process)
    steps = ["self.init_signals()", "self.load_wsgi()", "post_worker_init(self)", "self.run()"]
    places = [init.index(step) for step in steps]
    assert places == sorted(places)
    worker.handle_exit(15, None)
    assert not worker.alive


def test_sigint_calls_worker_int_and_leaves_the_loop_as_systemexit() -> None:
    assert "SIGINT, self.handle_quit" in inspect.getsource(Worker.init_signals)
    quit_ = inspect.getsource(Worker.handle_quit)
    assert quit_.index("worker_int(self)") < quit_.index("sys.exit(0)")


def test_a_connection_with_a_parser_keeps_it_when_a_thread_takes_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """So TLS and HTTP/2, which gunicorn would set up here, are passed over."""
    conn = TConn(Config(), ends[0], ("", 0), ("", 0))
    conn.parser = parser = object()
    conn.data_ready = True
    assert conn.wait_for_data(0)
    conn.init()
    assert conn.parser is parser
    assert not conn.is_http2


def test_the_parser_reads_what_was_given_back_and_no_more(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    parser = http.get_parser(Config(), ours, ("127.0.0.1", 1))
    parser.unreader = BufferedUnreader(ours)
    head = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
    parser.unreader.unread(head + b"{}  GET")
    theirs.sendall(b" /")
    request = next(parser)
    assert (request.method, request.path) == ("POST", "/v1/generate")
    assert request.body.read() == b"{}  "
    assert parser.unreader.take_buffered() == b"GET"


def test_a_body_that_is_cut_is_known_to_have_failed_and_ends_its_connection(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    parser = http.get_parser(Config(), ours, ("127.0.0.1", 1))
    parser.unreader = BufferedUnreader(ours)
    parser.unreader.unread(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{")
    theirs.sendall(b"}  ")
    request = next(parser)
    assert not parser.finish_body(deadline=time.monotonic() + 10)
    assert request.body.failed


def test_the_parser_tells_a_head_in_the_words_that_we_read() -> None:
    """Names in capitals, values without spaces around them, a version to compare."""
    head = b"POST / HTTP/1.1\r\nhost:  x\r\nTransfer-Encoding: Chunked \r\n\r\n"
    request = next(http.get_parser(Config(), [head], ("", 0)))
    assert request.headers == [("HOST", "x"), ("TRANSFER-ENCODING", "Chunked")]
    assert request.version == (1, 1)


@pytest.mark.parametrize(
    ("header", "error", "attribute"),
    [
        (b"Expect: 5", errors.ExpectationFailed, "expect"),
        (b"Transfer-Encoding: 5", errors.UnsupportedTransferCoding, "hdr"),
        (b"X: " + b"y" * 9000, errors.LimitRequestHeaders, "msg"),
    ],
)
def test_the_parser_refuses_by_errors_that_we_tell_apart(
    header: bytes, error: type[Exception], attribute: str
) -> None:
    with pytest.raises(error) as caught:
        next(http.get_parser(Config(), [b"GET / HTTP/1.1\r\n" + header + b"\r\n\r\n"], ("", 0)))
    assert hasattr(caught.value, attribute)


@pytest.mark.parametrize(("extension", "is_one"), [(b"", True), (b" ;a=b", True), (b" ", False)])
def test_the_grammar_of_chunk_extensions_is_gunicorns(extension: bytes, is_one: bool) -> None:
    assert (CHUNK_EXT_RE.fullmatch(extension) is not None) is is_one


def test_broken_chunks_raise_what_the_api_takes_for_the_clients_fault() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = next(http.get_parser(Config(), [head + b"zz\r\n{}\r\n"], ("127.0.0.1", 1)))
    with pytest.raises(ParseException):
        request.body.read()


def test_the_environment_of_a_request_has_the_clients_socket() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    request = next(http.get_parser(Config(), [head], ("127.0.0.1", 1)))
    assert default_environ(request, "the socket", Config())["gunicorn.socket"] == "the socket"


def test_every_setting_and_hook_that_we_set_is_one_of_gunicorn() -> None:
    known = set(Config().settings)
    hooks = {"pre_fork", "child_exit", "post_worker_init", "worker_int", "worker_exit"}
    assert set(gunicorn_settings(Settings())) | hooks <= known


def test_gunicorn_takes_our_worker_and_hooks() -> None:
    with socket.socket() as ops_socket:
        app = GunicornApplication(Settings(), ops_socket)
    assert app.cfg.worker_class is RequestBufferingWorker
    assert app.cfg.threads == Settings().http_threads


def test_a_worker_is_prepared_before_the_fork_and_told_of_when_it_is_gone() -> None:
    """And a refusal to prepare it ends the master with a code of ours."""
    spawn = inspect.getsource(Arbiter.spawn_worker)
    assert 0 < spawn.index("self.cfg.pre_fork(self, worker)") < spawn.index("os.fork()")
    assert "self.cfg.child_exit(self, worker)" in inspect.getsource(Arbiter.reap_workers)
    assert "except HaltServer as inst" in inspect.getsource(Arbiter.run)
    assert HaltServer(None, exit_status=5).exit_status == 5


def test_the_exit_code_of_a_worker_that_cannot_start_ends_the_master() -> None:
    assert Arbiter.APP_LOAD_ERROR == APP_LOAD_ERROR
