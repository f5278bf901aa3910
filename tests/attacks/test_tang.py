"""The key server and who might pretend to be one: real `tangd`, and a server that says whatever an attacker wants.

The attacker owns the network: every address, every answer, everything that was ever sent. What they do not own is the server's private key.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import pty
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tang import TangServer
from vault.crypto import tang
from vault.crypto.tang import Jwk, KeyServer, fetch_advertisement, first_advertisement, prove, provision, recover, verify_advertisement
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.secret import Secret

CONTEXT = ("vault", "workstation")


@pytest.fixture
def station(tmp_path: Path) -> Iterator[TangServer]:
    server = TangServer(tmp_path / "tang")
    yield server
    server.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[TangServer]:
    """A Tang server like ours, with keys of its own: what stands on the attacker's desk."""
    server = TangServer(tmp_path / "other")
    yield server
    server.close()


def outcome(attack: Callable[[], object]) -> str:
    try:
        value = attack()
    except VaultError as refusal:
        return f"{type(refusal).__name__} {refusal.code}"
    return f"took {value!r}"


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers with what the test says. `tell(path, body)` gives the whole answer's bytes, or acts on the connection itself."""

    tell: Callable[[Liar, bytes], None]

    def do_GET(self) -> None:
        type(self).tell(self, b"")

    def do_POST(self) -> None:
        type(self).tell(self, self.rfile.read(int(self.headers["Content-Length"])))

    def say(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def liar() -> Iterator[Callable[[Callable[[Liar, bytes], None]], KeyServer]]:
    servers = []

    def make(tell: Callable[[Liar, bytes], None]) -> KeyServer:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (Liar,), {"tell": tell}))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return KeyServer(f"http://127.0.0.1:{server.server_port}")

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


MakeLiar = Callable[[Callable[[Liar, bytes], None]], KeyServer]


def met(server: TangServer) -> tuple[KeyServer, tuple[Jwk, ...], tang.Binding, Secret]:
    """Meet a server for the first time, as an administrator does, and bind to it."""
    place = KeyServer(server.url)
    said = first_advertisement(place, server.thumbprint())
    binding, secret = provision(said.exchange_keys[0], *CONTEXT)
    return place, said.signing_keys, binding, secret


# ---- the exchange with a real server -----------------------------------------------------------------------------------------------


def test_what_was_provisioned_is_recovered_and_nothing_was_sent_for_it(station: TangServer) -> None:
    place = KeyServer(station.url)
    said = first_advertisement(place, station.thumbprint())
    asked = station.requests
    binding, secret = provision(said.exchange_keys[0], *CONTEXT)
    assert station.requests == asked
    for _ in range(3):
        assert recover(place, binding, *CONTEXT).reveal() == secret.reveal()
    assert len(secret) == 32
    assert station.shown_thumbprint() == station.thumbprint()
    prove(place, binding)
    again, another = provision(said.exchange_keys[0], *CONTEXT)
    assert again.client_point != binding.client_point
    assert another.reveal() != secret.reveal()
    assert recover(place, binding, "vault", "another workstation").reveal() != secret.reveal()


def test_keys_rotate_without_founding_anew(station: TangServer) -> None:
    place, pinned, binding, secret = met(station)
    station.rotate()
    assert recover(place, binding, *CONTEXT).reveal() == secret.reveal(), "hidden keys still answer"
    said = fetch_advertisement(place, pinned)
    assert not {key.thumbprint for key in said.signing_keys} & {key.thumbprint for key in pinned}
    rebound, new = provision(said.exchange_keys[0], *CONTEXT)
    station.forget_old_keys()
    assert outcome(lambda: recover(place, binding, *CONTEXT)) == "UnavailableError premises.refused"
    assert recover(place, rebound, *CONTEXT).reveal() == new.reveal()
    assert fetch_advertisement(place, said.signing_keys) == said
    assert outcome(lambda: fetch_advertisement(place, pinned)) == "UnavailableError premises.refused"


FOREIGN_KEYS: list[dict[str, str | list[str]]] = [
    # what else somebody made with `jose` in the real server's folder
    {"alg": "ES256"},
    {"alg": "ES384"},
    {"alg": "RS256"},
    {"alg": "ECMR", "kty": "EC", "crv": "P-256", "key_ops": ["deriveKey"]},
]


@pytest.mark.parametrize("kind", FOREIGN_KEYS, ids=[f"{one['alg']} {one.get('crv', '')}".strip() for one in FOREIGN_KEYS])
def test_a_server_with_a_key_of_another_kind_besides_is_bound_and_rotated_by_its_own(
    station: TangServer, kind: dict[str, str | list[str]]
) -> None:
    place, pinned, _, _ = met(station)
    own = fetch_advertisement(place, pinned)
    subprocess.run(["jose", "jwk", "gen", "-i", json.dumps(kind), "-o", station.keys / "besides.jwk"], check=True, capture_output=True)
    served = json.loads(tang._bytes(json.loads(tang._request(place, "/adv"))["payload"]))["keys"]
    assert len(served) == 3, "it is in what the server says"
    assert fetch_advertisement(place, pinned) == own, "and nothing is pinned or bound to it"
    _, _, binding, secret = met(station)
    assert recover(place, binding, *CONTEXT).reveal() == secret.reveal()


def test_a_server_whose_keys_are_all_of_another_kind_is_nobodys(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    for kind in FOREIGN_KEYS:
        subprocess.run(["jose", "jwk", "gen", "-i", json.dumps(kind), "-o", keys / f"{len(list(keys.iterdir()))}.jwk"], check=True)
    told = subprocess.run(["jose", "jwk", "thp", "-a", "S256", "-i", keys / "0.jwk"], check=True, capture_output=True, text=True).stdout
    server = TangServer(keys)
    assert outcome(lambda: first_advertisement(KeyServer(server.url), told.strip())) == "TamperError premises.not-pinned"
    server.close()


def test_proxies_of_the_environment_are_not_asked(station: TangServer, monkeypatch: pytest.MonkeyPatch) -> None:
    place, _, binding, secret = met(station)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert recover(place, binding, *CONTEXT).reveal() == secret.reveal()


# ---- another server ----------------------------------------------------------------------------------------------------------------


def test_another_real_server_in_its_place(station: TangServer, other: TangServer) -> None:
    _, pinned, binding, secret = met(station)
    elsewhere = KeyServer(other.url)
    assert outcome(lambda: fetch_advertisement(elsewhere, pinned)) == "UnavailableError premises.refused"
    assert outcome(lambda: recover(elsewhere, binding, *CONTEXT)) == "UnavailableError premises.refused"
    assert outcome(lambda: prove(elsewhere, binding)) == "UnavailableError premises.refused"
    assert outcome(lambda: first_advertisement(elsewhere, station.thumbprint())) == "UnavailableError premises.refused"
    assert outcome(lambda: first_advertisement(KeyServer(station.url), other.thumbprint())) == "UnavailableError premises.refused"
    swapped = replace(binding, server_key=met(other)[2].server_key)
    assert recover(elsewhere, swapped, *CONTEXT).reveal() != secret.reveal()


def _key(body: bytes) -> dict[str, str]:
    key: dict[str, str] = json.loads(body)
    return key


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(66, "big")).rstrip(b"=").decode()


def _base_point() -> dict[str, str]:
    return {"kty": "EC", "crv": "P-521", "x": _number(tang._BASE_X), "y": _number(tang._BASE_Y)}


def _mirrored(body: bytes) -> dict[str, str]:
    prime = 2**521 - 1
    key = _key(body)
    return {**key, "y": _number(prime - int.from_bytes(base64.urlsafe_b64decode(key["y"] + "=" * (-len(key["y"]) % 4)), "big"))}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _drip(liar: Liar, _body: bytes) -> None:
    liar.send_response(200)
    liar.end_headers()
    try:
        for _ in range(200):
            liar.wfile.write(b" ")
            liar.wfile.flush()
            time.sleep(0.05)  # what is under test: a byte now and then is no answer
    except OSError:
        return


def _drip_headers(liar: Liar, _body: bytes) -> None:
    try:
        liar.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(200):
            liar.wfile.write(b"X-%d: y\r\n" % number)
            liar.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return


def _silent(liar: Liar, _body: bytes) -> None:
    liar.connection.recv(1)


def _redirect(liar: Liar, _body: bytes) -> None:
    liar.send_response(307)
    liar.send_header("Location", f"http://127.0.0.1:{liar.server.server_port}{liar.path}")  # type: ignore[attr-defined]
    liar.send_header("Content-Length", "0")
    liar.end_headers()


def _endless(liar: Liar, _body: bytes) -> None:
    liar.send_response(200)
    liar.end_headers()
    try:
        while True:
            liar.wfile.write(b" " * 65536)
    except OSError:
        return


def _endless_chunk(liar: Liar, _body: bytes) -> None:
    """Of a chunk of a negative size `http.client` reads whatever comes, until the time is over."""
    liar.send_response(200)
    liar.send_header("Transfer-Encoding", "chunked")
    liar.end_headers()
    try:
        liar.wfile.write(b"-1\r\n")
        while True:
            liar.wfile.write(b" " * 65536)
    except OSError:
        return


def _truncated(liar: Liar, body: bytes) -> None:
    liar.send_response(200)
    liar.send_header("Content-Length", "4000")
    liar.end_headers()
    liar.wfile.write(body[:50])


MALFORMED, UNREACHABLE, REFUSED = ("UnavailableError premises." + code for code in ("malformed", "unreachable", "refused"))
ANSWERS: list[tuple[str, Callable[[Liar, bytes], None], str, str]] = [
    # who answers how to the exchange -> what the proof says, what recovery says ("another secret": none of the right one)
    ("sends back what came", lambda o, b: o.say(b), "TamperError premises.wrong-answer", "another secret"),
    ("answers with the base point", lambda o, b: o.say(_json(_base_point())), "TamperError premises.wrong-answer", "another secret"),
    ("answers with the mirrored point", lambda o, b: o.say(_json(_mirrored(b))), "TamperError premises.wrong-answer", "another secret"),
    ("a point that is not on the curve", lambda o, b: o.say(_json({**_key(b), "y": _number(5)})), MALFORMED, MALFORMED),
    ("the identity", lambda o, b: o.say(_json({**_key(b), "x": _number(0), "y": _number(0)})), MALFORMED, MALFORMED),
    ("another curve", lambda o, b: o.say(_json({**_key(b), "crv": "P-256"})), MALFORMED, MALFORMED),
    ("another kind of key", lambda o, b: o.say(_json({**_key(b), "kty": "OKP"})), MALFORMED, MALFORMED),
    ("a coordinate too short", lambda o, b: o.say(_json({**_key(b), "x": "AQ"})), MALFORMED, MALFORMED),
    ("a coordinate too long", lambda o, b: o.say(_json({**_key(b), "x": "AA" + _key(b)["x"]})), MALFORMED, MALFORMED),
    ("a coordinate that is no base64url", lambda o, b: o.say(_json({**_key(b), "x": "+/=="})), MALFORMED, MALFORMED),
    ("a coordinate that is a number", lambda o, b: o.say(_json({**_key(b), "x": 5})), MALFORMED, MALFORMED),
    ("no point", lambda o, b: o.say(b"{}"), MALFORMED, MALFORMED),
    ("no JSON", lambda o, b: o.say(b"\xff\xfe"), MALFORMED, MALFORMED),
    ("deep JSON", lambda o, b: o.say(b"[" * 60_000), MALFORMED, MALFORMED),
    ("nothing", lambda o, b: o.say(b""), MALFORMED, MALFORMED),
    ("more than 64 KiB", lambda o, b: o.say(b + b" " * 65536), MALFORMED, MALFORMED),
    ("an endless answer", _endless, MALFORMED, MALFORMED),
    ("an endless chunk", _endless_chunk, MALFORMED, MALFORMED),
    ("half an answer", _truncated, MALFORMED, MALFORMED),
    ("a byte now and then", _drip, UNREACHABLE, UNREACHABLE),
    ("a header now and then", _drip_headers, UNREACHABLE, UNREACHABLE),
    ("silence", _silent, UNREACHABLE, UNREACHABLE),
    ("a redirect", _redirect, REFUSED, REFUSED),
    ("not found", lambda o, b: o.say(b, 404), REFUSED, REFUSED),
    ("an error with a right body", lambda o, b: o.say(b, 500), REFUSED, REFUSED),
    ("another success", lambda o, b: o.say(b, 201), REFUSED, REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("tell", "proof", "recovery"), [one[1:] for one in ANSWERS], ids=[one[0] for one in ANSWERS])
def test_lies_in_the_exchange(station: TangServer, liar: MakeLiar, tell: Callable[[Liar, bytes], None], proof: str, recovery: str) -> None:
    _, _, binding, secret = met(station)
    place = liar(tell)
    started = time.monotonic()
    assert outcome(lambda: prove(place, binding)) == proof
    if recovery == "another secret":
        assert recover(place, binding, *CONTEXT).reveal() != secret.reveal()
    else:
        assert outcome(lambda: recover(place, binding, *CONTEXT)) == recovery
    assert time.monotonic() - started < 8, "two requests, each within its deadline, on a loaded machine"


def test_a_recorded_answer_is_worth_nothing_later(station: TangServer, liar: MakeLiar) -> None:
    place, _, binding, secret = met(station)
    heard: list[bytes] = []

    def relay(o: Liar, body: bytes) -> None:
        heard.append(tang._request(place, o.path, body))
        o.say(heard[-1])

    relayed = liar(relay)
    assert recover(relayed, binding, *CONTEXT).reveal() == secret.reveal(), "LIMIT: a relay that stands in the station is not told by this"
    prove(relayed, binding)
    replaying = liar(lambda o, _body: o.say(heard[0]))
    assert recover(replaying, binding, *CONTEXT).reveal() != secret.reveal()
    assert outcome(lambda: prove(replaying, binding)) == "TamperError premises.wrong-answer"


#: the date of an answer · what it is taken for, in UTC seconds
DATES: list[tuple[str, int | None]] = [
    ("Thu, 01 Jan 1970 00:00:10 GMT", 10),
    ("Sun, 22 Nov 2026 12:50:59 GMT", 1_795_351_859),
    ("Sun, 22 Nov 2026 12:50:59 +0000", None),
    ("Sunday, 22-Nov-26 12:50:59 GMT", None),
    ("Sun, 32 Nov 2026 12:50:59 GMT", None),
    ("Sun, 22 Nev 2026 12:50:59 GMT", None),
    ("Sun, 22 Nov 0000 12:50:59 GMT", None),
    ("9" * 1000, None),
    ("", None),
]


@pytest.mark.parametrize(("date", "seconds"), DATES)
def test_the_time_there_is_a_fact_or_none_and_changes_nothing(station: TangServer, liar: MakeLiar, date: str, seconds: int | None) -> None:
    place, _, binding, secret = met(station)
    assert prove(place, binding) is None, "tangd by itself does not tell"

    def relay(o: Liar, body: bytes) -> None:
        o.date_time_string = lambda timestamp=None: date  # type: ignore[method-assign]
        o.say(tang._request(place, o.path, body))

    dated = liar(relay)
    assert prove(dated, binding) == seconds
    assert recover(dated, binding, *CONTEXT).reveal() == secret.reveal()


# ---- advertisements ----------------------------------------------------------------------------------------------------------------


def _payload(keys: list[dict[str, object]]) -> str:
    return base64.urlsafe_b64encode(_json({"keys": keys})).rstrip(b"=").decode()


def _keys_of(said: dict[str, object]) -> list[dict[str, object]]:
    payload = str(said["payload"])
    keys: list[dict[str, object]] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["keys"]
    return keys


def _protected(said: dict[str, object], alg: str) -> dict[str, object]:
    told = base64.urlsafe_b64encode(_json({"alg": alg})).rstrip(b"=").decode()
    return {**said, "signatures": [{"protected": told, "signature": str(said["signature"])}]} if "signature" in said else said


ADVERTISEMENTS: list[tuple[str, Callable[[dict[str, object], dict[str, object]], dict[str, object]], str]] = [
    # what is done to (ours, theirs) -> what becomes of it under our pin
    ("nothing", lambda ours, _: ours, "took"),
    ("another server's, whole", lambda _, theirs: theirs, "TamperError premises.not-pinned"),
    ("another server's keys under our signature", lambda o, t: {**o, "payload": t["payload"]}, "TamperError premises.not-pinned"),
    ("a key taken out", lambda o, _: {**o, "payload": _payload(_keys_of(o)[:1])}, "TamperError premises.not-pinned"),
    (
        "a key of theirs added",
        lambda o, t: {**o, "payload": _payload([*_keys_of(o), *_keys_of(t)])},
        "TamperError premises.not-pinned",
    ),
    ("the algorithm none", lambda o, _: _protected(o, "none"), "TamperError premises.not-pinned"),
    ("another algorithm", lambda o, _: _protected(o, "ES256"), "TamperError premises.not-pinned"),
    ("no signature", lambda o, _: {"payload": o["payload"]}, "TamperError premises.not-pinned"),
    ("a short signature", lambda o, _: {**o, "signature": "AAAA"}, "TamperError premises.not-pinned"),
    ("a signature of zeros", lambda o, _: {**o, "signature": "A" * 176}, "TamperError premises.not-pinned"),
    ("no keys", lambda o, _: {**o, "payload": _payload([])}, "TamperError premises.not-pinned"),
    ("no payload", lambda o, _: {"signature": o["signature"]}, "UnavailableError premises.malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [one[1:] for one in ADVERTISEMENTS], ids=[one[0] for one in ADVERTISEMENTS])
def test_lies_in_the_advertisement(
    station: TangServer,
    other: TangServer,
    liar: MakeLiar,
    change: Callable[[dict[str, object], dict[str, object]], dict[str, object]],
    expected: str,
) -> None:
    place, pinned, _, _ = met(station)
    ours = json.loads(tang._request(place, "/adv"))
    theirs = json.loads(tang._request(KeyServer(other.url), "/adv"))
    told = liar(lambda o, _body: o.say(_json(change(ours, theirs))))
    assert outcome(lambda: fetch_advertisement(told, pinned)).startswith(expected)


def test_a_new_signing_key_that_did_not_sign_is_refused(station: TangServer, other: TangServer) -> None:
    """The advertisement of a server whose owner pins ours beside theirs: signed by a pinned key, and carrying a key that signed nothing."""
    place, pinned, _, _ = met(station)
    their_keys = met(other)[1]
    signed_by_ours = tang._request(place, "/adv")
    assert verify_advertisement(signed_by_ours, (*pinned, *their_keys)).signing_keys == pinned
    station.rotate()
    both = tang._request(place, f"/adv/{pinned[0].thumbprint}")  # new keys, signed by the old one and the new one
    assert not set(verify_advertisement(both, pinned).signing_keys) & set(pinned)
    said = json.loads(both)
    old_only = [one for one in said["signatures"] if tang._signed_by(pinned[0], said["payload"], [tang._Signature(**one)])]
    with pytest.raises(TamperError, match=r"^premises\.unsigned-key"):
        verify_advertisement(_json({"payload": said["payload"], "signatures": old_only}), pinned)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:80",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "http://",
        "http://host/path",
        "http://a@b/",
        "http://host:99999",
        "http://h?x=1",
        "http://keys..station.example",
        "http://keys station.example",
        "http://.",
        "http://" + "k" * 64 + ".example",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match=r"^premises\.address"):
        KeyServer(url)


@pytest.mark.parametrize("thumbprint", ["", "é" * 43, "a/../b", "a b"])
def test_what_is_no_thumbprint_is_nobodys(station: TangServer, thumbprint: str) -> None:
    assert outcome(lambda: first_advertisement(KeyServer(station.url), thumbprint)) == "TamperError premises.not-pinned"


SEALED_KEY = """
import sys
from vault.crypto import tang
from vault.errors import UnavailableError

try:
    tang.ask(tang.KeyServer("https://127.0.0.1:9", *sys.argv[1:]), "GET", "/adv")
except UnavailableError as error:
    print(error.code)
"""


def test_a_certificate_whose_key_wants_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    """The library asks at the terminal, past every deadline."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-passout", "pass:sealed", "-subj", "/CN=ws-07"]
    subprocess.run(["openssl", "req", "-x509", *kind, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.write_text(key.read_text() + certificate.read_text())
    terminal, end = pty.openpty()
    try:
        command = [sys.executable, "-c", SEALED_KEY, str(key), str(certificate)]
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        done = subprocess.run(command, stdin=end, capture_output=True, env=environment, start_new_session=True, timeout=30, check=False)
    finally:
        os.close(terminal)
        os.close(end)
    assert (done.stdout.decode().strip(), done.stderr.decode()) == ("premises.certificate", "")


def test_a_pipe_in_the_place_of_a_certificate_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", SEALED_KEY, "", str(pipe)], capture_output=True, env=environment, timeout=30, check=True, text=True
    )
    assert done.stdout.strip() == "premises.certificate"


def test_an_address_that_swallows_every_packet_leaves_the_others_of_the_name_their_time(
    station: TangServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, binding, secret = met(station)
    with socket.create_server(("127.0.0.2", station.port), backlog=0) as swallows, socket.create_connection(swallows.getsockname()):
        # Its backlog is full: what comes now is dropped.
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, station.port)) for one in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kind: addresses)
        named = KeyServer(place.url.replace("127.0.0.1", "keys.station.example"))
        assert recover(named, binding, *CONTEXT).reveal() == secret.reveal()


def test_an_address_of_a_family_that_the_machine_does_not_speak_leaves_the_others_of_the_name(
    station: TangServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, binding, secret = met(station)
    spoken = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", station.port))
    unspoken = (socket.AF_UNSPEC, *spoken[1:])  # as IPv6 where it is switched off: no socket can be made
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kind: [unspoken, spoken])
    named = KeyServer(place.url.replace("127.0.0.1", "keys.station.example"))
    assert recover(named, binding, *CONTEXT).reveal() == secret.reveal()


def test_nobody_there_is_told_at_once(station: TangServer) -> None:
    _, _, binding, _ = met(station)
    started = time.monotonic()
    with pytest.raises(UnavailableError, match=r"^premises\.unreachable"):
        recover(KeyServer("http://127.0.0.1:9"), binding, *CONTEXT)
    assert time.monotonic() - started < tang.DEADLINE_SECONDS
