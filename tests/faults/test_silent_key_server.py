"""A key server that takes the question and never answers: the lease's end does not wait for the answer's deadline."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import msgspec

from tests.tang import TangServer
from vault.crypto.premises import PremisesServer, make_lock
from vault.crypto.tang import KeyServer, first_advertisement
from vault.domain.identity import VaultId, WorkstationId
from vault.platform import SystemClock
from vault.premises import Lease


def test_the_lease_ends_in_the_middle_of_a_proof(tmp_path: Path) -> None:
    key_room = TangServer(tmp_path / "key-room")
    place = KeyServer(key_room.url)
    said = first_advertisement(place, key_room.thumbprint())
    lock, _ = make_lock(1, [PremisesServer("room", place, said.signing_keys, said.exchange_keys[0])], VaultId("v"), WorkstationId("w"))
    key_room.close()
    told: list[str] = []
    over = threading.Event()

    def ended() -> None:
        told.append("over")
        over.set()

    with socket.create_server(("127.0.0.1", 0)) as silent:  # its backlog takes the question
        [member] = lock.members
        lock = msgspec.structs.replace(lock, members=(msgspec.structs.replace(member, url=f"http://127.0.0.1:{silent.getsockname()[1]}"),))
        lease = Lease(lambda: lock, SystemClock(), 0, 1.0, lambda lost: told.append(f"lost {lost}"), ended)
        lease.start()
        assert over.wait(30)
    assert told == ["over"], "the proof's deadline came first"
