"""Places for a client's requests: so many, given back once, and handed over without a gap."""

import threading
import time

from service.access.concurrency import Crowd


def test_each_client_has_its_own_places() -> None:
    crowd = Crowd(1, hand_over_s=0)
    place = crowd.enter("a")
    assert place is not None
    assert crowd.enter("a") is None
    assert crowd.enter("b") is not None
    for _ in range(2):  # the second time says nothing new
        crowd.leave(place)
    assert crowd.enter("a") is not None
    assert crowd.enter("a") is None


def test_who_comes_back_before_the_place_is_free_gets_it() -> None:
    crowd = Crowd(1, hand_over_s=30)
    for _ in range(20):
        place = crowd.enter("a")
        assert place is not None
        threading.Timer(0.001, crowd.leave, [place]).start()


def test_only_as_many_wait_as_can_get_in() -> None:
    """Threads are not there to be held by refusals: who hammers is refused at once."""
    crowd = Crowd(1, hand_over_s=30)
    place = crowd.enter("a")
    assert place is not None
    got_in: list[object] = []
    waiting = threading.Thread(target=lambda: got_in.append(crowd.enter("a")))
    waiting.start()
    while not crowd._at_the_door["a"]:
        time.sleep(0.001)
    assert [crowd.enter("a") for _ in range(100)] == [None] * 100
    crowd.leave(place)
    waiting.join(timeout=30)
    assert len(got_in) == 1
    assert got_in[0] is not None


def test_a_crowd_remembers_nobody_who_has_left() -> None:
    crowd = Crowd(2, hand_over_s=0)
    places = [crowd.enter(f"client {number % 500}") for number in range(1000)]
    assert crowd.enter("client 7") is None
    for place in places:
        assert place is not None
        crowd.leave(place)
    assert (crowd._inside, crowd._at_the_door) == ({}, {})
