"""A passphrase crosses the pipe as a text, and leaves nothing behind but a frame that its sender overwrites."""

from __future__ import annotations

import queue
import socket
import threading

import pytest

from ui import bridge
from vault.errors import DefectError
from vault.secret import Secret, secret_of
from vault.services import wire
from vault.services.founding import Founding
from vault.services.session import Session
from vault.services.views import Founder


@pytest.mark.parametrize("passphrase", ["", "four grey lamps", "vier graue Lämpchen, の 🐎", "x" * 255, "y" * 256, "ä" * 2_048])
def test_a_secret_arrives_as_the_text_it_is(passphrase: str) -> None:
    frame = wire.call_frame(7, Session.sign_in, ("2001", Secret(passphrase.encode()), "123456"))
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    call_id, name, arguments = wire.decode_call(bytes(frame[4:]))
    assert (call_id, name) == (7, "Session.sign_in")
    assert wire.signature(Session.sign_in).arguments.decode(arguments) == ("2001", passphrase, "123456")


def test_a_founders_secret_arrives_too() -> None:
    founders = [Founder(badge, "Ada", Secret(b"four grey lamps")) for badge in ("1", "2", "3")]
    _, _, arguments = wire.decode_call(bytes(wire.call_frame(1, Founding.found, ("Northgate", *founders))[4:]))
    station, *arrived = wire.signature(Founding.found).arguments.decode(arguments)
    assert (station, arrived) == ("Northgate", [Founder(badge, "Ada", "four grey lamps") for badge in ("1", "2", "3")])


def test_a_secret_is_wiped_and_the_frame_still_has_it_once() -> None:
    secret = Secret(b"four grey lamps")
    frame = wire.call_frame(1, Session.unlock, (secret,))
    secret.wipe()
    assert not any(secret.lend())
    assert frame.count(b"four grey lamps") == 1


def test_nothing_packed_on_the_way_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[bytearray] = []
    pack = wire._packed_text

    def noted(secret: Secret) -> bytearray:
        packed.append(pack(secret))
        return packed[-1]

    monkeypatch.setattr(wire, "_packed_text", noted)
    wire.call_frame(1, Session.unlock, (Secret(b"four grey lamps"),))
    with pytest.raises(TypeError):
        wire.call_frame(1, Session.unlock, (Secret(b"four grey lamps"), object()))
    assert len(packed) == 2
    assert not any(b"".join(packed))


def test_the_longest_call_with_passphrases_in_it_does_not_outgrow_its_frame() -> None:
    most = 2_048 * 4
    founders = [Founder("1" * 20, "é" * 120, Secret(b"x" * most)) for _ in range(3)]
    assert len(wire.call_frame(1, Founding.found, ("é" * 80, *founders))) < wire._CALL_ROOM_BYTES


def test_a_frame_too_long_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FRAME_MAX_BYTES", 64)
    with pytest.raises(DefectError, match=r"wire\.frame-too-long"):
        wire.call_frame(1, Session.lock, ("x" * 64,))


def test_a_frame_is_overwritten_once_it_was_sent() -> None:
    ours, theirs = socket.socketpair()
    outgoing: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
    frame = bytearray(b"four grey lamps")
    writer = threading.Thread(target=bridge._write, args=(ours, outgoing))
    writer.start()
    outgoing.put(frame)
    outgoing.put(None)
    writer.join()
    assert theirs.recv(100) == b"four grey lamps"
    assert not any(frame)
    ours.close()
    theirs.close()


def test_a_frame_that_nobody_takes_is_overwritten() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    outgoing: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
    frames = [bytearray(b"four grey lamps") for _ in range(2)]
    for frame in frames:
        outgoing.put(frame)
    bridge._write(ours, outgoing)
    bridge._discard(outgoing)
    assert not any(b"".join(frames))
    ours.close()


def test_a_passphrase_is_handed_on_as_a_secret_of_its_own() -> None:
    typed = Secret(b"four grey lamps")
    own = secret_of(typed)
    typed.wipe()
    assert own == Secret(b"four grey lamps") == secret_of("four grey lamps")
    assert "grey" not in repr(own)
