"""One short torture of the page; `page_torture.py` is the long one."""

from typing import TYPE_CHECKING

import page_torture
from page_torture import kill_worker
from sheet import IN_A_BROWSER
from torture_state import Torture

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


class SharedService:
    """The module's server, of which only the process that writes is killed."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.url = server.url

    def kill(self) -> None:
        kill_worker(self.server)

    def restart(self) -> None:
        kill_worker(self.server)


def test_nothing_is_lost_whatever_is_done(browser: "Browser", server: "Server") -> None:
    actions = page_torture.actions_of(3, 40)
    assert page_torture.run(browser, SharedService(server), 3, actions) is None


def test_a_sheet_that_is_not_as_it_must_be_is_told(browser: "Browser", server: "Server") -> None:
    """The torture would see it: somebody adds a letter that the model does not know of."""

    def meddle(torture: Torture) -> None:
        torture.hand.insert("!")
        torture.hand.patience_s = 1

    actions = [*page_torture.actions_of(1, 2), (2, meddle)]
    fault = page_torture.run(browser, SharedService(server), 1, actions)
    assert fault is not None
    assert "after meddle" in fault
