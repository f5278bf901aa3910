"""A key server that takes the question and never answers, or whose name is never resolved: what is lost is told in time all the same."""

from __future__ import annotations

import queue
import socket
import threading
from pathlib import Path

import msgspec
import pytest

from tests.tang import TangServer
from vault import premises
from vault.crypto.premises import PremisesLock, PremisesServer, make_lock
from vault.crypto.tang import KeyServer, first_advertisement
from vault.domain.identity import VaultId, WorkstationId
from vault.platform import SystemClock
from vault.premises import Lease


@pytest.fixture
def lock(tmp_path: Path) -> PremisesLock:
    """A workstation's lock; its key server is not there any more."""
    key_room = TangServer(tmp_path / "key-room")
    place = KeyServer(key_room.url)
    said = first_advertisement(place, key_room.thumbprint())
    made, _ = make_lock(1, [PremisesServer("room", place, said.signing_keys, said.exchange_keys[0])], VaultId("v"), WorkstationId("w"))
    key_room.close()
    return made


def asked_at(lock: PremisesLock, url: str) -> PremisesLock:
    [member] = lock.members
    return msgspec.structs.replace(lock, members=(msgspec.structs.replace(member, url=url),))


def test_the_lease_ends_in_the_middle_of_a_proof(lock: PremisesLock) -> None:
    told: list[str] = []
    over = threading.Event()

    def ended() -> None:
        told.append("over")
        over.set()

    with socket.create_server(("127.0.0.1", 0)) as silent:  # its backlog takes the question
        silent_lock = asked_at(lock, f"http://127.0.0.1:{silent.getsockname()[1]}")
        lease = Lease(lambda: silent_lock, SystemClock(), 0, 1.0, lambda lost: told.append(f"lost {lost}"), ended)
        lease.start()
        assert over.wait(30)
    assert told == ["over"], "the proof's deadline came first"


def test_a_name_that_nobody_resolves_is_not_waited_for(lock: PremisesLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver asks for half a minute where its own servers are behind the cable that was cut."""
    resolving, lost, over = threading.Event(), threading.Event(), threading.Event()

    def resolve(*_arguments: object, **_options: object) -> None:
        resolving.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    named = asked_at(lock, "http://key-room.station.example:80")
    lease = Lease(lambda: named, SystemClock(), 0, 4.0, lambda _lost: lost.set(), over.set)
    lease.start()
    try:
        assert lost.wait(30), "the page is still to be seen"
        assert over.wait(30), "the lease waits for the resolver"
    finally:
        lease.stop()
        resolving.set()


def test_a_page_is_covered_while_the_leases_thread_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no memory is left, whoever starts the thread that asks waits for it for good."""
    monkeypatch.setattr(premises, "_SLICE_SECONDS", 0.05)
    told: queue.SimpleQueue[bool] = queue.SimpleQueue()
    hanging, over = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.wait(60)

    lease = Lease(hang, SystemClock(), 0, 3600, told.put, over.set)
    lease.start()
    try:
        assert told.get(timeout=30), "the page is still to be seen"
        assert lease.lost
        hanging.set()
        assert not told.get(timeout=30), "it goes on, and the page comes back"
    finally:
        hanging.set()
        lease.stop()
    assert not over.is_set()
