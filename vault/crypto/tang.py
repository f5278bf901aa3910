"""The premises secret: the McCallum-Relyea exchange with a Tang key server, and no cryptography beyond it.

The exchange (source: the Tang README, "Security considerations" and "Binding"; key format RFC 7517, thumbprint RFC 7638, signature
RFC 7515 ES512; curve P-521, FIPS 186-4). G is the base point, s the server's private key, S = s*G its public key:

- provision: draw c, keep C = c*G, secret = KDF(c*S), forget c. Nothing is sent.
- recover: draw e, send X = C + e*G, receive Y = s*X, secret = KDF(Y - e*S). The server learns neither C nor the secret.
- prove: draw e, send X = e*G, receive Y; the server holds s exactly if Y = e*S. No stored secret takes part.

Rules of this module:

- An advertisement is believed only if every signing key in it signed it, and at least one pinned signing key did. Pins are whole keys:
  after a rotation the old key is no longer in the advertisement, and a thumbprint verifies nothing.
- Keys of another kind than P-521, which a `tangd` serves as well if they lie in its folder, are passed over: nothing is pinned or bound to.
- Every point that arrives is checked to be on the curve and not the identity, by the library's own constructor.
- `recover` cannot tell a wrong answer from a right one: the sealed value behind it can. `prove` can.
- One attempt, one deadline for all of it, at most 64 KiB read, HTTP status 200 and no other: no redirect, no proxy, no retry. `ask` is the
  one way to a key server and its front.
- A front's answer says what time it is there. It is a fact for a report, and nothing here depends on it.

Measured (loopback, 2 shared cores): a P-521 multiplication 0.3 ms; a recovery is one request, 8-13 ms with tangd started per request.
Thread: any; blocks the caller up to the deadline.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import http.client
import json
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]  # documented there, not re-exported by its stubs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto.sealing import bind
from vault.errors import RefusedError, TamperError, UnavailableError
from vault.secret import Secret

DEADLINE_SECONDS: Final = 2.0
LARGEST_ANSWER_BYTES: Final = 64 * 1024

_CURVE: Final = "P-521"
_COORDINATE_BYTES: Final = 66
# FIPS 186-4, D.1.2.5: the order of the curve and its base point.
_ORDER: Final = int(
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    16,
)
_BASE_X: Final = int(
    "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
    16,
)
_BASE_Y: Final = int(
    "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
    16,
)
_ES512: Final = "ES512"
_EXCHANGE: Final = "ECMR"
_SECRET_BYTES: Final = 32
_KDF_LABEL: Final = "casevault premises secret 1"
_SCHEMES: Final = {"http": 80, "https": 443}
_DATE: Final = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")  # RFC 9110, 5.6.7
_HOST: Final = re.compile(rb"[!-~]+")
_THUMBPRINT: Final = re.compile(r"[0-9A-Za-z_-]+")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_T = TypeVar("_T")


class Jwk(msgspec.Struct, frozen=True):
    """A public key as RFC 7517 writes it. Coordinates of a P-521 key are 66 bytes in base64url without padding."""

    kty: str
    crv: str = ""  # one that is on no curve has none of these
    x: str = ""
    y: str = ""
    alg: str = ""
    key_ops: tuple[str, ...] = ()

    @property
    def thumbprint(self) -> str:
        """RFC 7638 with SHA-256; SHA-1 thumbprints are not spoken here."""
        body = json.dumps({"crv": self.crv, "kty": self.kty, "x": self.x, "y": self.y}, separators=(",", ":"))
        return _b64(hashlib.sha256(body.encode()).digest())

    @property
    def signs(self) -> bool:
        """Whether it signs advertisements."""
        return "verify" in self.key_ops

    @property
    def exchanges(self) -> bool:
        """Whether it takes part in the exchange."""
        return "deriveKey" in self.key_ops and self.alg == _EXCHANGE


@dataclass(frozen=True, slots=True)
class KeyServer:
    """Where a key server is asked.

    Args:
        url: ``http://host:port`` or ``https://host:port``, with no path.
        certificate: for the front: PEM file of this workstation's client certificate and key; empty for none.
        authority: PEM file of who signs the front's certificate; with https, nothing else is trusted.

    Raises:
        RefusedError: premises.address.
    """

    url: str
    certificate: str = ""
    authority: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        _place(self.url)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    content: bytes  # at most LARGEST_ANSWER_BYTES
    date: str  # its header, empty where it has none


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a key server says of itself, verified."""

    signing_keys: tuple[Jwk, ...]
    exchange_keys: tuple[Jwk, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """One provisioning. Not secret: worth nothing without the server."""

    server_key: Jwk
    client_point: Jwk


def fetch_advertisement(server: KeyServer, pinned: Sequence[Jwk]) -> Advertisement:
    """Ask a server which keys it has, and believe it only under a pinned signing key.

    Args:
        server: where.
        pinned: whole signing keys; at least one.

    Raises:
        UnavailableError: premises.unreachable, premises.refused, premises.malformed.
        TamperError: premises.not-pinned, no pinned key signed it; premises.unsigned-key, a signing key in it did not sign it.
    """
    missing: Exception = TamperError("premises.not-pinned")
    for key in pinned:
        try:
            # By thumbprint: after a rotation only this asks for the new keys signed by the old one.
            return verify_advertisement(_request(server, f"/adv/{key.thumbprint}"), pinned)
        except UnavailableError as error:
            if error.code != "premises.refused":
                raise
            missing = error  # the server forgot this key; another pinned one may be known to it
    raise missing


def first_advertisement(server: KeyServer, thumbprint: str) -> Advertisement:
    """Ask a server never met, trusting one of its signing keys by a thumbprint that came another way (`tang-show-keys`, read aloud).

    Raises:
        as `fetch_advertisement`.
    """
    answer = _request(server, f"/adv/{thumbprint}" if _THUMBPRINT.fullmatch(thumbprint) else "/adv")
    named = tuple(key for key in _signed_keys(answer)[0] if key.signs and key.thumbprint == thumbprint)
    return verify_advertisement(answer, named)


def verify_advertisement(answer: bytes, pinned: Sequence[Jwk]) -> Advertisement:
    """Check an advertisement's signatures. Raises as `fetch_advertisement`, never for the network."""
    keys, signed, signatures = _signed_keys(answer)
    signing = tuple(key for key in keys if key.signs)
    if not any(_signed_by(key, signed, signatures) for key in pinned):
        raise TamperError("premises.not-pinned")
    if not signing or not all(_signed_by(key, signed, signatures) for key in signing):
        raise TamperError("premises.unsigned-key")
    exchange = tuple(key for key in keys if key.exchanges)
    for key in exchange:
        _point(key)
    if not exchange:
        raise UnavailableError("premises.malformed")
    return Advertisement(signing, exchange)


def provision(key: Jwk, *context: str) -> tuple[Binding, Secret]:
    """Bind to an exchange key of a verified advertisement; give what to keep and the secret (32 bytes). Nothing is sent.

    Args:
        key: from `Advertisement.exchange_keys`.
        context: what the secret is for; `recover` needs the same.
    """
    scalar = _scalar()
    client_point = _base() * scalar
    return Binding(key, _jwk(client_point)), _secret(_point(key) * scalar, key, context)


def recover(server: KeyServer, binding: Binding, *context: str) -> Secret:
    """Have the server answer for a binding. Whether it answered with the right key shows when the secret is used.

    Raises:
        UnavailableError: premises.unreachable, premises.refused (it does not have the key, or does not let us in), premises.malformed.
    """
    server_point, blind = _point(binding.server_key), _scalar()
    answer, _ = _exchange(server, binding, _point(binding.client_point) + _base() * blind)
    shared = answer + -(server_point * blind)
    if shared.is_point_at_infinity():
        raise UnavailableError("premises.malformed")
    return _secret(shared, binding.server_key, context)


def prove(server: KeyServer, binding: Binding) -> int | None:
    """Have the server prove that it holds the key of a binding; nothing that is stored takes part.

    Returns:
        the time there, in UTC seconds, as the answer's header says it: a front does, `tangd` by itself does not. Over http nobody vouches
        for it, and over https who signed the front's certificate.

    Raises:
        UnavailableError: as `recover`; TamperError: premises.wrong-answer, somebody answers there who does not hold the key.
    """
    blind = _scalar()
    answer, date = _exchange(server, binding, _base() * blind)
    if answer != _point(binding.server_key) * blind:
        raise TamperError("premises.wrong-answer")
    return _seconds(date)


def ask(
    server: KeyServer,
    method: str,
    path: str,
    body: bytes | None = None,
    content_type: str = "application/octet-stream",
    accepted: Sequence[int] = (http.HTTPStatus.OK,),
    deadline_seconds: float | None = None,
) -> Answer:
    """One request within the deadline. `http.client` follows no redirect and reads no proxy from the environment.

    Args:
        server: where; over https only who has a certificate of its authority is spoken to.
        method: of HTTP.
        path: below the server's address.
        body: at most a few KiB; None for none.
        content_type: of the body.
        accepted: the statuses that are an answer.
        deadline_seconds: for all of it, DEADLINE_SECONDS unless said.

    Raises:
        UnavailableError: premises.unreachable, premises.refused (another status), premises.malformed (over 64 KiB), premises.certificate,
            premises.front-certificate (nobody of its authority, of another name, or not valid now by this clock).
    """
    allowed_seconds = DEADLINE_SECONDS if deadline_seconds is None else deadline_seconds
    connection, deadline = _connection(server, allowed_seconds), time.monotonic() + allowed_seconds
    connected: list[socket.socket] = []  # a connection forgets its socket once the answer's headers are read

    def hang_up() -> None:
        """End it in the middle: the socket's own time-out begins anew with every byte of a slow server."""
        for one in (connection.sock, *connected):
            with suppress(OSError, AttributeError):
                one.shutdown(socket.SHUT_RDWR)

    too_late = threading.Timer(allowed_seconds, hang_up)
    too_late.daemon = True
    too_late.start()
    try:
        connection.connect()
        connected.append(connection.sock)
        if time.monotonic() >= deadline:  # there was nothing to hang up yet: no socket while it connects, not this one in the handshake
            raise TimeoutError
        connection.request(method, path, body, {"Content-Type": content_type} if body is not None else {})
        with connection.getresponse() as answer:
            if answer.status not in accepted:
                raise UnavailableError("premises.refused", status=answer.status)
            said = Answer(answer.status, _read_most(answer, LARGEST_ANSWER_BYTES + 1), answer.getheader("Date", ""))
    except ssl.SSLCertVerificationError as error:
        raise UnavailableError("premises.front-certificate") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError("premises.unreachable") from error
    finally:
        too_late.cancel()
        connection.close()
    if time.monotonic() >= deadline:
        raise UnavailableError("premises.unreachable")
    if len(said.content) > LARGEST_ANSWER_BYTES:
        raise UnavailableError("premises.malformed")
    return said


# ---- the advertisement -------------------------------------------------------------------------------------------------------------


class _KeySet(msgspec.Struct, frozen=True):
    keys: tuple[Jwk, ...]


class _Signature(msgspec.Struct, frozen=True):
    protected: str
    signature: str


class _Jws(msgspec.Struct, frozen=True):
    payload: str
    signatures: tuple[_Signature, ...] = ()
    protected: str = ""  # one signature alone is written flat (RFC 7515, 7.2.2)
    signature: str = ""


class _Protected(msgspec.Struct, frozen=True):
    alg: str


def _signed_keys(answer: bytes) -> tuple[tuple[Jwk, ...], str, tuple[_Signature, ...]]:
    jws = _decoded(answer, _Jws)
    keys = tuple(key for key in _decoded(_bytes(jws.payload), _KeySet).keys if _is_ours(key))
    return keys, jws.payload, jws.signatures or (_Signature(jws.protected, jws.signature),)


def _signed_by(key: Jwk, payload: str, signatures: Sequence[_Signature]) -> bool:
    point = _point(key)
    public = ec.EllipticCurvePublicNumbers(int(point.x), int(point.y), ec.SECP521R1()).public_key()
    for one in signatures:
        raw = _bytes(one.signature)
        if len(raw) != 2 * _COORDINATE_BYTES or _decoded(_bytes(one.protected), _Protected).alg != _ES512:
            continue
        halves = int.from_bytes(raw[:_COORDINATE_BYTES], "big"), int.from_bytes(raw[_COORDINATE_BYTES:], "big")
        try:
            public.verify(utils.encode_dss_signature(*halves), f"{one.protected}.{payload}".encode(), ec.ECDSA(hashes.SHA512()))
        except InvalidSignature:
            continue
        return True
    return False


# ---- points ------------------------------------------------------------------------------------------------------------------------


def _base() -> EccPoint:
    return EccPoint(_BASE_X, _BASE_Y, _CURVE)


def _scalar() -> int:
    return secrets.randbelow(_ORDER - 1) + 1


def _is_ours(key: Jwk) -> bool:
    return key.kty == "EC" and key.crv == _CURVE


def _point(key: Jwk) -> EccPoint:
    if not _is_ours(key):
        raise UnavailableError("premises.malformed")
    x, y = _bytes(key.x), _bytes(key.y)
    if len(x) != _COORDINATE_BYTES or len(y) != _COORDINATE_BYTES:
        raise UnavailableError("premises.malformed")
    try:
        point = EccPoint(int.from_bytes(x, "big"), int.from_bytes(y, "big"), _CURVE)
    except ValueError as error:  # not on the curve
        raise UnavailableError("premises.malformed") from error
    if point.is_point_at_infinity():
        raise UnavailableError("premises.malformed")
    return point


def _jwk(point: EccPoint) -> Jwk:
    x, y = (_b64(int(one).to_bytes(_COORDINATE_BYTES, "big")) for one in (point.x, point.y))
    return Jwk("EC", _CURVE, x, y, _EXCHANGE, ("deriveKey",))


def _secret(point: EccPoint, server_key: Jwk, context: Sequence[str]) -> Secret:
    shared = int(point.x).to_bytes(_COORDINATE_BYTES, "big")
    info = bind(_KDF_LABEL, server_key.thumbprint, *context)
    return Secret(HKDF(hashes.SHA256(), _SECRET_BYTES, None, info).derive(shared))


# ---- the wire ----------------------------------------------------------------------------------------------------------------------


def _exchange(server: KeyServer, binding: Binding, sent: EccPoint) -> tuple[EccPoint, str]:
    """(the server's point, the date of its answer)."""
    body = msgspec.json.encode(_jwk(sent))
    said = _answer(server, f"/rec/{binding.server_key.thumbprint}", body)
    return _point(_decoded(said.content, Jwk)), said.date


def _request(server: KeyServer, path: str, body: bytes | None = None) -> bytes:
    """One request within the deadline."""
    return _answer(server, path, body).content


def _answer(server: KeyServer, path: str, body: bytes | None) -> Answer:
    return ask(server, "GET" if body is None else "POST", path, body, "application/jwk+json")


def _read_most(answer: http.client.HTTPResponse, most_bytes: int) -> bytes:
    """Read so much and no more. WORKAROUND: of a chunk of a negative size `read` takes whatever comes, however much; `read1` a buffer."""
    content = bytearray()
    while len(content) < most_bytes and (piece := answer.read1(most_bytes - len(content))):
        content += piece
    return bytes(content)


def _seconds(date: str) -> int | None:
    found = _DATE.fullmatch(date)
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[number]) for number in (1, 3, 4, 5, 6))
    try:
        at = datetime.datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return None
    return int(at.timestamp())


def _connection(server: KeyServer, timeout_seconds: float) -> http.client.HTTPConnection:
    made = _unconnected(server, timeout_seconds)
    made._create_connection = _connect  # type: ignore[attr-defined]  # noqa: SLF001 -- WORKAROUND: it has no other door
    return made


def _connect(address: tuple[str, int], timeout_seconds: float, _source: object = None) -> socket.socket:
    """Connect to the first address of a name that answers; one that swallows every packet leaves the others their share of the time."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    deadline, failure = time.monotonic() + timeout_seconds, OSError()
    for number, (family, kind, protocol, _, where) in enumerate(found):
        try:
            made = socket.socket(family, kind, protocol)
        except OSError as error:  # a name has addresses of a family that this machine does not speak
            failure = error
            continue
        try:
            made.settimeout(max(0.001, (deadline - time.monotonic()) / (len(found) - number)))
            made.connect(where)
            made.settimeout(timeout_seconds)
        except OSError as error:
            made.close()
            failure = error
        else:
            return made
    raise failure


def _unconnected(server: KeyServer, timeout_seconds: float) -> http.client.HTTPConnection:
    scheme, host, port = _place(server.url)
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    try:
        if not all(Path(one).is_file() for one in (server.authority, server.certificate) if one):
            raise UnavailableError("premises.certificate")  # a pipe in its place would be waited for
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cafile=server.authority)
        if server.certificate:
            context.load_cert_chain(server.certificate, password="")  # one that wants a passphrase is refused: nobody is asked for it
    except (OSError, ssl.SSLError) as error:
        raise UnavailableError("premises.certificate") from error
    return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)


def _place(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna")  # a point too many is told here, not by whoever looks the name up
    except ValueError as error:
        raise RefusedError("premises.address") from error
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in _SCHEMES or not parts.hostname or not plain or not _HOST.fullmatch(host):
        raise RefusedError("premises.address")
    return parts.scheme, parts.hostname, port or _SCHEMES[parts.scheme]


def _decoded(content: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnavailableError("premises.malformed") from error


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnavailableError("premises.malformed") from error
