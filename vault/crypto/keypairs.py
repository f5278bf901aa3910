"""Key pairs of people, units and workstations: one hybrid key to seal to, one key to sign with.

Rules of this module:

- Sealing to a public key is HPKE (RFC 9180, base mode) with the hybrid KEM ML-KEM-768 + X25519, HKDF-SHA256 and AES-256-GCM: it stays
  confidential as long as one of the two stays unbroken. Sealed bytes start with suite and version.
- HPKE base mode does not say who sealed. Whoever acts on what was opened (a grant, a spool record) verifies a signature as well.
- A signature covers a context and a message, length-prefixed: one made for a grant is worth nothing as a custody act.
- Public keys and signatures are the plain encodings of their standards (ML-KEM-768 key + X25519 key, 1216 bytes; Ed25519 key, 32 bytes;
  Ed25519 signature, 64 bytes, RFC 8032). A later suite has other lengths.
- Keys are parsed once: a `KeyPair` holds parsed private keys, and the last public keys used stay parsed.

Measured (2 shared cores at 2.5 GHz, OpenSSL 4.0.3, noisy): open 0.19 ms at the median and 0.14 ms at best, of which 0.13 ms and 0.11 ms
are the two primitives themselves; seal 0.24 ms; sign 0.08 ms; verify 0.23 ms (medians). The design's 0.08 ms is not reached here. LIMIT:
two threads open no faster than one, so 10,000 case keys cost about 2 s: open a grant when its case is shown, not all at sign-in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from vault.crypto.sealing import bind
from vault.errors import DefectError, TamperError
from vault.secret import Secret

_SUITE_1: Final = 1  # ML-KEM-768 + X25519, HKDF-SHA256, AES-256-GCM, Ed25519
_VERSION: Final = 1
_HEAD: Final = bytes((_SUITE_1, _VERSION))
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

_MLKEM_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1184
_X25519_BYTES: Final = 32
_ED25519_BYTES: Final = 32
_KEM_PUBLIC_BYTES: Final = _MLKEM_PUBLIC_BYTES + _X25519_BYTES
_PRIVATE_BYTES: Final = len(_HEAD) + _MLKEM_SEED_BYTES + _X25519_BYTES + _ED25519_BYTES
_PUBLIC_KEYS_REMEMBERED: Final = 512


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The public half: what a directory entry vouches for."""

    kem: bytes  # 1216 bytes, to seal to
    sign: bytes  # 32 bytes, to verify with


class KeyPair:
    """A private key to open and one to sign, parsed and ready. Never printed, pickled or compared. Thread: any."""

    __slots__ = ("_kem", "_mlkem", "_sign", "_x25519", "public")

    def __init__(self, mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey, sign: Ed25519PrivateKey) -> None:
        self._mlkem: Final = mlkem
        self._x25519: Final = x25519
        self._sign: Final = sign
        self._kem: Final = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public: Final = PublicKeys(
            kem=mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw(),
            sign=sign.public_key().public_bytes_raw(),
        )

    @classmethod
    def from_private(cls, private: Secret) -> KeyPair:
        """Parse what `export_private` gave.

        Raises:
            TamperError: keypair.malformed.
        """
        value = private.reveal()
        if len(value) != _PRIVATE_BYTES or value[: len(_HEAD)] != _HEAD:
            raise TamperError("keypair.malformed")
        x25519_start = len(_HEAD) + _MLKEM_SEED_BYTES
        sign_start = x25519_start + _X25519_BYTES
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(value[len(_HEAD) : x25519_start]),
            X25519PrivateKey.from_private_bytes(value[x25519_start:sign_start]),
            Ed25519PrivateKey.from_private_bytes(value[sign_start:]),
        )

    def export_private(self) -> Secret:
        """Give the private half (130 bytes: suite, version, ML-KEM seed, X25519, Ed25519), to be sealed at once."""
        return Secret(_HEAD + self._mlkem.private_bytes_raw() + self._x25519.private_bytes_raw() + self._sign.private_bytes_raw())

    def open_sealed(self, sealed: bytes, info: bytes) -> Secret:
        """Open what `seal_to` sealed to this pair's public key.

        Args:
            sealed: the sealed bytes.
            info: what it is bound to, from `bind`, as given when it was sealed.

        Raises:
            TamperError: sealing.not-authentic.
        """
        if bytes(sealed[: len(_HEAD)]) != _HEAD:
            raise TamperError("sealing.not-authentic")
        try:
            return Secret(_SUITE.decrypt(sealed[len(_HEAD) :], self._kem, _sealed_info(info)))
        except (InvalidTag, ValueError) as error:
            raise TamperError("sealing.not-authentic") from error

    def sign(self, context: str, message: bytes) -> bytes:
        """Sign a message for one context.

        Args:
            context: what the signature is for, such as "grant"; needed again to verify.
            message: canonical bytes.

        Returns:
            64 bytes.
        """
        return self._sign.sign(_signed_bytes(context, message))

    def __repr__(self) -> str:
        """Show that there is a key pair, and nothing of it."""
        return "KeyPair()"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to pickle."""
        raise TypeError("a key pair cannot be pickled")


def generate_key_pair() -> KeyPair:
    """Draw a new key pair."""
    return KeyPair(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate(), Ed25519PrivateKey.generate())


def seal_to(public_kem: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Seal to a public key; only the holder of its private half opens it.

    Args:
        public_kem: `PublicKeys.kem`, from a verified directory entry.
        plaintext: a key, or a spool record of at most a few MiB.
        info: what it is bound to, from `bind`.

    Returns:
        suite, version, HPKE enc (1120 bytes), ciphertext, tag (16): 1138 bytes longer than the plaintext.

    Raises:
        DefectError: keypair.public-malformed.
    Thread: any.
    """
    return _HEAD + _SUITE.encrypt(plaintext, _parsed_kem(public_kem), _sealed_info(info))


def verify(public_sign: bytes, context: str, message: bytes, signature: bytes) -> None:
    """Return if the signature is the key holder's for this context and message; raise otherwise.

    Args:
        public_sign: `PublicKeys.sign`, from a verified directory entry.
        context: as given to `KeyPair.sign`.
        message: as given to `KeyPair.sign`.
        signature: 64 bytes.

    Raises:
        TamperError: signature.invalid.
    Thread: any.
    """
    try:
        _parsed_sign(public_sign).verify(signature, _signed_bytes(context, message))
    except (InvalidSignature, ValueError) as error:
        raise TamperError("signature.invalid") from error


def _sealed_info(info: bytes) -> bytes:
    return bind("casevault.seal-to", _HEAD, info)


def _signed_bytes(context: str, message: bytes) -> bytes:
    return bind("casevault.signature", _HEAD, context, message)


@functools.lru_cache(maxsize=_PUBLIC_KEYS_REMEMBERED)
def _parsed_kem(public_kem: bytes) -> MLKEM768X25519PublicKey:
    if len(public_kem) != _KEM_PUBLIC_BYTES:
        raise DefectError("keypair.public-malformed")
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public_kem[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public_kem[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError as error:
        raise DefectError("keypair.public-malformed") from error


@functools.lru_cache(maxsize=_PUBLIC_KEYS_REMEMBERED)
def _parsed_sign(public_sign: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_sign)
