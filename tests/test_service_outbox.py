"""Outbox: what its reader is given of a request's texts, and when."""

import threading
import time

import pytest

from model.decoding.generation import Piece, TokenLogprob
from service.engine.failure import Failure, RequestFailedError
from service.engine.outbox import Delta, FlushInterval, Outbox, OutboxFullError, max_pending


def test_the_first_piece_comes_at_once() -> None:
    outbox = Outbox(flush_interval=FlushInterval(60))
    outbox.put(0, Piece(text="a"))
    assert outbox.take(0) == [Delta(index=0, text="a", num_tokens=1)]


def test_later_pieces_wait_for_the_interval_and_come_as_one() -> None:
    outbox = Outbox(flush_interval=FlushInterval(0.05))
    outbox.put(0, Piece(text="a"))
    outbox.take(0)
    outbox.put(0, Piece(text="b"))
    assert outbox.take(0) == []
    outbox.put(0, Piece(text="c"))
    assert outbox.take(1) == [Delta(index=0, text="bc", num_tokens=2)]


@pytest.mark.parametrize(("readers", "interval_s"), [(0, 0.03), (60, 0.03), (256, 0.128)])
def test_many_readers_get_coarser_pieces(readers: int, interval_s: float) -> None:
    flush_interval = FlushInterval()
    flush_interval.num_readers = readers
    assert flush_interval.seconds == pytest.approx(interval_s)


def test_the_last_piece_comes_at_once() -> None:
    outbox = Outbox(flush_interval=FlushInterval(60))
    outbox.put(0, Piece(text="a"))
    outbox.take(0)
    outbox.put(0, Piece(text="b", finish_reason="stop", stop_reason="."))
    expected = Delta(index=0, text="b", num_tokens=1, finish_reason="stop", stop_reason=".")
    assert outbox.take(0) == [expected]


def test_a_sleeping_reader_is_woken_by_the_first_piece() -> None:
    outbox = Outbox()
    threading.Timer(0.05, outbox.put, (0, Piece(text="a"))).start()
    start = time.monotonic()
    assert outbox.take(10)
    assert time.monotonic() - start < 5


def test_texts_of_one_request_come_apart() -> None:
    outbox = Outbox()
    outbox.put(1, Piece(text="x"))
    outbox.put(0, Piece(text="a"))
    assert [(delta.index, delta.text) for delta in outbox.take(0)] == [(0, "a"), (1, "x")]


def test_nothing_comes_when_the_time_is_over() -> None:
    assert Outbox().take(0.01) == []


def test_a_failure_is_told_after_the_text_before_it() -> None:
    outbox = Outbox(flush_interval=FlushInterval(60))
    outbox.put(0, Piece(text="a"))
    outbox.close(Failure.NOT_FINITE)
    assert [delta.text for delta in outbox.take(0)] == ["a"]
    with pytest.raises(RequestFailedError):
        outbox.take(0)


def test_it_is_done_when_closed_and_empty() -> None:
    outbox = Outbox()
    outbox.put(0, Piece(text="a", finish_reason="stop"))
    outbox.close()
    assert not outbox.is_done
    outbox.take(0)
    assert outbox.is_done


def test_what_waits_for_a_slow_reader_is_bounded() -> None:
    outbox = Outbox(max_pending=3)
    for _ in range(3):
        outbox.put(0, Piece(text="a"))
    with pytest.raises(OutboxFullError):
        outbox.put(0, Piece(text="a"))


def test_alternatives_count_towards_the_bound() -> None:
    entry = TokenLogprob(token_id=2, token="a", logprob=-1.0, top=(("b", -2.0),) * 5)
    with pytest.raises(OutboxFullError):
        Outbox(max_pending=6).put(0, Piece(text="a", logprobs=(entry,)))


def test_many_texts_may_gather_what_a_few_calls_of_the_engine_add() -> None:
    texts, of_one_call = 256, 16 * 22  # the most steps, each with the most alternatives
    assert max_pending(texts) >= 2 * texts * of_one_call
    assert max_pending(1) == max_pending(2) > 2 * of_one_call
