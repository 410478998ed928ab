"""gunicorn application: the limit of open files, raised as far as the system allows."""

import resource

import pytest

from service.server.gunicorn_app import MACOS_OPEN_FILES, raise_open_files_limit


@pytest.mark.parametrize(
    ("soft", "hard", "most", "count", "becomes"),
    [
        (256, 4096, 4096, 1256, 1256),
        (256, 1024, 1024, 1256, 1024),
        (2048, 4096, 4096, 1256, 2048),
        (256, resource.RLIM_INFINITY, 1_000_000, 20_000, 20_000),
        (256, resource.RLIM_INFINITY, MACOS_OPEN_FILES, 20_000, MACOS_OPEN_FILES),  # macOS
    ],
)
def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(
    monkeypatch: pytest.MonkeyPatch, *, soft: int, hard: int, most: int, count: int, becomes: int
) -> None:
    limits = [soft, hard]

    def set_limits(which: int, wanted: tuple[int, int]) -> None:
        assert which == resource.RLIMIT_NOFILE
        if wanted[0] > most:
            raise ValueError("current limit exceeds maximum limit")
        limits[:] = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda _which: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", set_limits)
    raise_open_files_limit(count)
    assert limits == [becomes, hard]
