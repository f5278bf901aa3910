"""The front before the station's key server: real nginx with the configuration that is shipped, a real `tangd` behind it.

One line an attack, and what the front answers and writes down.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.front import NEEDS_FRONT, PATIENCE_SECONDS, Front, until
from vault.crypto import tang
from vault.crypto.tang import KeyServer, first_advertisement, prove, provision, recover
from vault.errors import VaultError

CONTEXT = ("vault", "workstation")

pytestmark = list(NEEDS_FRONT)


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except VaultError as error:
        return error.code
    return "answered"


def test_an_identity_unlocks_through_the_front_and_the_log_says_who(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    place = front.place()
    said = first_advertisement(place, front.station.thumbprint())
    binding, secret = provision(said.exchange_keys[0], *CONTEXT)
    assert recover(place, binding, *CONTEXT).reveal() == secret.reveal()
    assert abs((prove(place, binding) or 0) - time.time()) < PATIENCE_SECONDS, "a front tells its time"
    until(lambda: len(front.log()) == 3)
    assert [line[1:] for line in front.log()] == [
        ["CN=ws-07", "127.0.0.1", "which keys there are", "200"],
        ["CN=ws-07", "127.0.0.1", "unlock or proof", "200"],
        ["CN=ws-07", "127.0.0.1", "unlock or proof", "200"],
    ]


THUMBPRINT = "A" * 43
QUESTIONS: Sequence[tuple[str, str, str, str, int]] = [
    # attack, method, path, identity, status
    ("nobody", "GET", "/adv", "", 400),
    ("the front's own certificate as an identity", "GET", "/adv", "front", 400),
    ("another path", "GET", "/", "ws-07", 404),
    ("out of the key folder", "GET", "/adv/../../etc/passwd", "ws-07", 400),
    ("a coded way out of it", "GET", "/adv/%2e%2e/%2e%2e/keys", "ws-07", 400),
    ("a thumbprint that is none", "POST", "/rec/x", "ws-07", 404),
    ("an unlock by GET", "GET", f"/rec/{THUMBPRINT}", "ws-07", 403),
    ("writing what is read", "POST", "/adv", "ws-07", 403),
    ("a body of a megabyte", "POST", f"/rec/{THUMBPRINT}", "ws-07", 413),
]


@pytest.mark.parametrize(("method", "path", "name", "status"), [row[1:] for row in QUESTIONS], ids=[row[0] for row in QUESTIONS])
def test_a_question_that_is_not_a_workstations(front: Front, method: str, path: str, name: str, status: int) -> None:
    body = b"x" * (1 << 20) if status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE else b"{}" if method == "POST" else None
    before = front.station.requests
    assert front.ask(method, path, name, body) == status
    assert front.station.requests == before, "the key server was not asked"


def test_an_identity_of_another_authority(front: Front, tmp_path: Path) -> None:
    other = Front(tmp_path / "elsewhere", front.port, front.station)
    other.identities("authority")
    other.identities("workstation", "ws-07")
    other.identities("front", "127.0.0.1")
    (front.folder / "stranger.pem").write_bytes((other.folder / "ws-07.pem").read_bytes())
    assert front.ask("GET", "/adv", "stranger") == 400
    trusting_another = KeyServer(f"https://127.0.0.1:{front.port}", str(other.folder / "ws-07.pem"), str(other.folder / "authority.pem"))
    assert _outcome(lambda: first_advertisement(trusting_another, front.station.thumbprint())) == "premises.front-certificate"


WRITTEN: Sequence[tuple[str, str, str, int, str]] = [
    # how it is written, method, path, status, what the log says
    ("an unlock, a second slash", "POST", "//rec/{key}", 200, "unlock or proof"),
    ("an unlock, a coded letter", "POST", "/%72ec/{key}", 404, "unlock or proof"),  # the key server sees it as it was written
    ("the keys, a coded letter", "GET", "/%61dv", 404, "which keys there are"),
    ("a place file, a second slash", "PUT", f"//place/{'a' * 32}", 201, "place file"),
    ("a place file, a coded letter", "PUT", f"/%70lace/{'b' * 32}", 201, "place file"),
    ("a way round to a place file", "GET", f"/rec/../place/{'b' * 32}", 200, "place file"),
    ("none of them", "GET", "/x//rec/{key}", 404, "something else"),
]


def test_the_log_says_what_was_answered_however_it_is_written(front: Front) -> None:
    binding, _ = provision(first_advertisement(front.place(), front.station.thumbprint()).exchange_keys[0], *CONTEXT)
    bodies = {"GET": None, "PUT": b"x", "POST": msgspec.json.encode(binding.client_point)}
    said = [front.ask(method, path.format(key=binding.server_key.thumbprint), body=bodies[method]) for _, method, path, *_ in WRITTEN]
    until(lambda: len(front.log()) == len(WRITTEN) + 1)
    assert list(zip(said, (line[3] for line in front.log()[1:]), strict=True)) == [row[3:] for row in WRITTEN]


def test_a_front_of_another_name_is_not_believed(front: Front) -> None:
    place = front.place(host="localhost")
    assert _outcome(lambda: first_advertisement(place, front.station.thumbprint())) == "premises.front-certificate"
    assert front.station.requests == 0


def test_a_front_whose_certificate_ended_while_desks_are_open_is_told_from_a_network_that_is_gone(front: Front) -> None:
    place = front.place()
    binding, _ = provision(first_advertisement(place, front.station.thumbprint()).exchange_keys[0], *CONTEXT)
    said = (front.folder / "front.pem").read_bytes()
    signing = serialization.load_pem_private_key((front.folder / "authority.key").read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    now = x509.load_pem_x509_certificate(said)
    ended = x509.CertificateBuilder(now.issuer, now.subject, now.public_key(), now.serial_number, extensions=list(now.extensions))
    began = now.not_valid_before_utc - timedelta(days=400)
    signed = ended.not_valid_before(began).not_valid_after(began + timedelta(days=1)).sign(signing, hashes.SHA512())
    key = said[said.index(b"-----BEGIN PRIVATE KEY") :]
    (front.folder / "front.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key)
    front.reload()
    assert _outcome(lambda: prove(place, binding)) == "premises.front-certificate"


def test_a_front_that_is_slow_from_the_first_packet_on_ends_at_the_deadline_too(front: Front) -> None:
    """The deadline passes in the handshake, where there is nothing to hang up yet; then a letter of a header comes now and then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(front.folder / "front.pem")
    with socket.create_server(("127.0.0.1", 0), backlog=0) as slow:
        port = slow.getsockname()[1]

        def drip() -> None:
            slow.accept()[0].close()
            connection, _ = slow.accept()
            time.sleep(1.0)  # what is under test: each step within its own time, all of them beyond the deadline
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                secure.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while True:
                    secure.sendall(b"y")
                    time.sleep(0.1)

        with socket.create_connection(("127.0.0.1", port)):  # fills the backlog: the next one's first packet is dropped, and sent again
            place = KeyServer(f"https://127.0.0.1:{port}", str(front.folder / "ws-07.pem"), str(front.folder / "authority.pem"))
            said: list[str] = []
            ask = lambda: said.append(_outcome(lambda: tang.ask(place, "GET", "/adv", deadline_seconds=1.5)))  # noqa: E731
            asked = threading.Thread(target=ask, daemon=True)
            asked.start()
            time.sleep(0.3)  # less than the second after which the packet is sent again
            threading.Thread(target=drip, daemon=True).start()
            asked.join(PATIENCE_SECONDS)
    assert said == ["premises.unreachable"]


def test_without_an_identity_nothing_is_unlocked(front: Front) -> None:
    assert _outcome(lambda: first_advertisement(front.place(""), front.station.thumbprint())) == "premises.refused"
    assert front.station.requests == 0
    until(lambda: [line[1:] for line in front.log()] == [["", "127.0.0.1", "which keys there are", "400"]])


def test_a_revoked_identity_is_refused_and_the_others_are_not(front: Front) -> None:
    front.identities("workstation", "ws-08")
    assert front.ask("GET", "/adv") == 200
    front.identities("revoke", "ws-07")
    front.reload()
    assert front.ask("GET", "/adv") == 400
    assert front.ask("GET", "/adv", "ws-08") == 200
    assert [line.split()[0] for line in front.identities("list").splitlines() if line.endswith("revoked")] == ["ws-07"]


def test_guessing_is_slowed_to_the_pace_of_a_desk(front: Front) -> None:
    statuses = [front.ask("GET", "/adv") for _ in range(60)]
    assert statuses.count(429) >= 20, "a second of asking does not get through"
    assert statuses[:10] == [200] * 10, "and a desk that opens does"


def test_one_live_session_an_identity(front: Front) -> None:
    with front.connected() as first:
        # The head is complete and the body is not: the request lives.
        first.sendall(f"POST /rec/{THUMBPRINT} HTTP/1.1\r\nHost: front\r\nContent-Length: 2\r\n\r\n".encode())
        until(lambda: front.ask("GET", "/adv") == 429)
        first.sendall(b"{}")
        assert first.recv(64)
    until(lambda: front.ask("GET", "/adv") == 200)


def test_a_key_server_that_is_gone_is_said_so(front: Front) -> None:
    binding, _ = provision(first_advertisement(front.place(), front.station.thumbprint()).exchange_keys[0], *CONTEXT)
    front.station.close()
    assert _outcome(lambda: recover(front.place(), binding, *CONTEXT)) == "premises.refused"
    until(lambda: front.log()[-1][-1] == "502")


def test_a_slow_caller_holds_nothing_up(front: Front) -> None:
    with front.connected() as slow:
        slow.sendall(b"GET /adv HTTP/1.1\r\n")  # and no more
        ended = threading.Event()
        threading.Thread(target=lambda: (slow.recv(64), ended.set()), daemon=True).start()
        front.identities("workstation", "ws-08")
        assert front.ask("GET", "/adv", "ws-08") == 200
        assert ended.wait(PATIENCE_SECONDS), "the front hangs up"
    assert tang.DEADLINE_SECONDS < PATIENCE_SECONDS
