"""Permits of a client's texts: so many, given back once, and handed over without a gap."""

import threading

from waiting import wait_until

from service.access.concurrency import ConcurrencyLimiter


def test_each_client_has_its_own_permits() -> None:
    limiter = ConcurrencyLimiter(1, wait_s=0)
    permit = limiter.acquire("a")
    assert permit is not None
    assert limiter.acquire("a") is None
    assert limiter.acquire("b") is not None
    for _ in range(2):  # the second time says nothing new
        limiter.release(permit)
    assert limiter.acquire("a") is not None
    assert limiter.acquire("a") is None


def test_who_comes_back_before_the_permit_is_free_gets_it() -> None:
    limiter = ConcurrencyLimiter(1, wait_s=30)
    for _ in range(20):
        permit = limiter.acquire("a")
        assert permit is not None
        threading.Timer(0.001, limiter.release, [permit]).start()


def test_only_as_many_wait_as_can_get_in() -> None:
    """Threads are not there to be held by refusals: who hammers is refused at once."""
    limiter = ConcurrencyLimiter(1, wait_s=30)
    permit = limiter.acquire("a")
    assert permit is not None
    got_in: list[object] = []
    waiting = threading.Thread(target=lambda: got_in.append(limiter.acquire("a")))
    waiting.start()
    wait_until(lambda: limiter._num_waiting["a"] > 0)
    assert [limiter.acquire("a") for _ in range(100)] == [None] * 100
    limiter.release(permit)
    waiting.join(timeout=30)
    assert len(got_in) == 1
    assert got_in[0] is not None


def test_a_limiter_remembers_no_client_that_holds_no_permit() -> None:
    limiter = ConcurrencyLimiter(2, wait_s=0)
    permits = [limiter.acquire(f"client {number % 500}") for number in range(1000)]
    assert limiter.acquire("client 7") is None
    for permit in permits:
        assert permit is not None
        limiter.release(permit)
    assert (limiter._held, limiter._num_waiting) == ({}, {})


def test_a_request_needs_room_for_all_its_texts() -> None:
    limiter = ConcurrencyLimiter(4, wait_s=0)
    permit = limiter.acquire("a", 3)
    assert permit is not None
    assert limiter.acquire("a", 2) is None
    assert limiter.num_free("a") == 1
    assert limiter.acquire("a", 1) is not None
    limiter.release(permit)
    assert limiter.num_free("a") == 3
    assert limiter.acquire("a", 3) is not None
