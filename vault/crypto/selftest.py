"""Known answers, run at every start: if the library here does not compute what the standards say, nothing is opened.

Vectors: SHA-256 (FIPS 180-4, "abc") · AES-256-GCM (NIST, McGrew and Viega, test case 16) · HKDF-SHA256 (RFC 5869, A.1) · Ed25519 (RFC 8032,
section 7.1, test 2) · Argon2id (RFC 9106, section 5.3) · the hybrid HPKE has no published vector in final form, so it is checked by a round
trip and a refusal here, and against an independent computation in tests/unit/crypto.
Takes a few milliseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.crypto.keypairs import generate_key_pair, seal_to
from vault.crypto.slots import DERIVING
from vault.errors import TamperError

_x = bytes.fromhex


def run_self_test() -> None:
    """Return if every primitive gives its known answer; raise otherwise.

    Raises:
        TamperError: crypto.self-test, with the primitive that failed.
    Thread: any; once, before any key is touched.
    """
    for name, holds in _CHECKS.items():
        try:
            passed = holds()
        except Exception as error:  # whatever a broken primitive raises, the answer is the same
            raise TamperError("crypto.self-test", primitive=name) from error
        if not passed:
            raise TamperError("crypto.self-test", primitive=name)


def _sha256() -> bool:
    return hashlib.sha256(b"abc").digest() == _x("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def _aes_256_gcm() -> bool:
    cipher = AESGCM(_x("feffe9928665731c6d6a8f9467308308") * 2)
    nonce, associated = _x("cafebabefacedbaddecaf888"), _x("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = _x(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = _x(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    buffer = bytearray(len(sealed))
    cipher.encrypt_into(nonce, plaintext, associated, buffer)
    opened = bytearray(len(plaintext))
    cipher.decrypt_into(nonce, sealed, associated, opened)
    altered = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    return buffer == sealed and opened == plaintext and _refuses(InvalidTag, lambda: cipher.decrypt(nonce, altered, associated))


def _hkdf_sha256() -> bool:
    derived = HKDF(hashes.SHA256(), 42, _x("000102030405060708090a0b0c"), _x("f0f1f2f3f4f5f6f7f8f9")).derive(_x("0b" * 22))
    return derived == _x("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def _ed25519() -> bool:
    private = Ed25519PrivateKey.from_private_bytes(_x("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    signature = _x(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    public = private.public_key()
    public.verify(signature, b"\x72")
    return private.sign(b"\x72") == signature and _refuses(InvalidSignature, lambda: public.verify(signature, b"\x73"))


def _argon2id() -> bool:
    argon2id = Argon2id(salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8)
    with DERIVING:
        derived = argon2id.derive(b"\x01" * 32)
    return derived == _x("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")


def _hybrid_hpke() -> bool:
    key_pair = generate_key_pair()
    sealed = seal_to(key_pair.public.kem, b"known", b"place")
    opened = key_pair.open_sealed(sealed, b"place").reveal() == b"known"
    return opened and _refuses(TamperError, lambda: key_pair.open_sealed(sealed, b"elsewhere"))


def _refuses(error: type[Exception], attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except error:
        return True
    return False


_CHECKS: Final[dict[str, Callable[[], bool]]] = {
    "sha-256": _sha256,
    "aes-256-gcm": _aes_256_gcm,
    "hkdf-sha256": _hkdf_sha256,
    "ed25519": _ed25519,
    "argon2id": _argon2id,
    "hybrid-hpke": _hybrid_hpke,
}
