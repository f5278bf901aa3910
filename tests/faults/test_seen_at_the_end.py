"""What is seen while the vault process locks, and what it could not commit until then: in a report, or sealed for the next opening."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import OFFICER
from tests.station import Station, spooling
from vault.domain.breach import Signal, SignalKind
from vault.errors import UnavailableError
from vault.runtime import Server
from vault.services.breach import Breaches
from vault.services.events import BreachRecorded
from vault.services.page_memory import PageMemory
from vault.watching import Watching

FOREIGN = (("process", "cp"), ("pid", 4711))


@pytest.fixture
def server(station: Station, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A vault process's server in this process, over an opened vault; its loop has ended, as at a lock."""
    monkeypatch.setattr(Server, "_end_within", lambda _self, _seconds: None)  # it would end the tests' process
    station.sign_in(OFFICER)
    mine, theirs = socket.socketpair()
    pages = PageMemory.create()
    made = Server(station.directory, theirs, pages)
    made._spooling = spooling(station)
    made._vault = station.vault
    made._watching = Watching(station.directory, station.clock, made._observed, lambda _reason: None, made._publish)
    made._lanes.end()
    yield made
    pages.close()
    for one in (mine, theirs):
        one.close()


def seen(station: Station) -> Signal:
    return Signal(SignalKind.STORE_OPENED, station.clock.now_us(), FOREIGN)


def told(station: Station) -> list[SignalKind]:
    return [one.notice.kind for one in station.events if isinstance(one, BreachRecorded)]


def reopened(station: Station) -> None:
    """The next opening, which takes in what waits."""
    station._vault = None
    station.events.clear()
    spooling(station).take(station.vault)


def test_what_a_sensor_sees_after_the_last_call_is_in_a_report_and_witnessed(station: Station, server: Server) -> None:
    server._observed(seen(station))
    server._close()
    assert told(station) == [SignalKind.STORE_OPENED]
    reopened(station)
    assert told(station) == [], "it does not wait a second time, and the end of the trail is the one that was witnessed"
    station.close()


def test_what_could_not_be_committed_before_the_lock_waits_for_the_next_opening(
    station: Station, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise UnavailableError("storage.full")

    with monkeypatch.context() as patched:
        patched.setattr(Breaches, "record", full)
        server._observed(seen(station))
        server._record_seen()
        assert server._seen.waits
        server._close()
    assert told(station) == []
    reopened(station)
    assert told(station) == [SignalKind.STORE_OPENED]
    station.close()


def test_the_end_of_the_lease_is_told_though_the_control_thread_never_comes_to_it(station: Station, server: Server) -> None:
    server._premises_over()
    server._seal_left()  # before the process is ended by force
    reopened(station)
    assert told(station) == [SignalKind.PREMISES_LOST]
    station.close()
