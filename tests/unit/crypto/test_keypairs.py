"""Key pairs: sealed to one holder, signed in one context, and in the form the standards give."""

from __future__ import annotations

import hashlib
import hmac
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.crypto.keypairs import KeyPair, generate_key_pair, seal_to, verify
from vault.crypto.sealing import bind
from vault.errors import DefectError, TamperError
from vault.secret import Secret

HOLDER = generate_key_pair()
OTHER = generate_key_pair()
FIXED_PRIVATE = Secret(b"\x01\x01" + bytes(range(64)) + bytes(range(64, 96)) + bytes(range(96, 128)))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=500), st.binary(max_size=100))
def test_the_holder_opens_what_was_sealed_to_them(plaintext: bytes, info: bytes) -> None:
    sealed = seal_to(HOLDER.public.kem, plaintext, info)
    assert len(sealed) == len(plaintext) + 1138
    assert sealed[:2] == b"\x01\x01"
    assert HOLDER.open_sealed(sealed, info) == Secret(plaintext)


def test_two_seals_of_the_same_differ() -> None:
    assert seal_to(HOLDER.public.kem, b"key", b"") != seal_to(HOLDER.public.kem, b"key", b"")


def test_only_the_holder_opens_it() -> None:
    sealed = seal_to(HOLDER.public.kem, b"key", b"place")
    with pytest.raises(TamperError, match=r"sealing\.not-authentic"):
        OTHER.open_sealed(sealed, b"place")


def test_an_exported_key_pair_is_the_same_key_pair() -> None:
    again = KeyPair.from_private(HOLDER.export_private())
    assert again.public == HOLDER.public
    assert again.export_private() == HOLDER.export_private()
    assert again.open_sealed(seal_to(HOLDER.public.kem, b"key", b""), b"") == Secret(b"key")
    verify(HOLDER.public.sign, "grant", b"message", again.sign("grant", b"message"))


@pytest.mark.parametrize("private", [b"", b"\x01\x01" + bytes(127), b"\x01\x01" + bytes(129), b"\x02\x01" + bytes(128)])
def test_what_is_no_private_key_is_refused(private: bytes) -> None:
    with pytest.raises(TamperError, match=r"keypair\.malformed"):
        KeyPair.from_private(Secret(private))


@pytest.mark.parametrize("public", [b"", bytes(1215), bytes(1217), b"\xff" * 1216])
def test_sealing_to_what_is_no_public_key_is_a_defect(public: bytes) -> None:
    with pytest.raises(DefectError, match=r"keypair\.public-malformed"):
        seal_to(public, b"key", b"")


@given(st.text(max_size=10), st.binary(max_size=200))
def test_signatures_verify(context: str, message: bytes) -> None:
    verify(HOLDER.public.sign, context, message, HOLDER.sign(context, message))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_what_is_no_signature_is_invalid(signature: bytes) -> None:
    with pytest.raises(TamperError, match=r"signature\.invalid"):
        verify(HOLDER.public.sign, "grant", b"message", signature)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33)])
def test_a_key_that_is_none_verifies_nothing(public: bytes) -> None:
    with pytest.raises(TamperError, match=r"signature\.invalid"):
        verify(public, "grant", b"message", HOLDER.sign("grant", b"message"))


def test_a_signature_is_plain_ed25519_over_context_and_message() -> None:
    """For whoever verifies without the application."""
    pair = KeyPair.from_private(FIXED_PRIVATE)
    expected = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128))).sign(
        bind("casevault.signature", b"\x01\x01", "grant", b"message")
    )
    assert pair.sign("grant", b"message") == expected


def test_a_key_pair_never_prints_or_pickles() -> None:
    assert repr(HOLDER) == "KeyPair()"
    with pytest.raises(TypeError):
        pickle.dumps(HOLDER)


def test_the_sealed_form_is_hpke_with_x_wing() -> None:
    """Opened by an independent computation from RFC 9180 (base mode) and the X-Wing combiner (draft-connolly-cfrg-xwing-kem)."""
    pair = KeyPair.from_private(FIXED_PRIVATE)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(bytes(range(64)))
    x25519 = X25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
    assert pair.public.kem == mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    sealed = seal_to(pair.public.kem, b"the case key", b"place")
    mlkem_ciphertext, x25519_ciphertext, body = sealed[2:1090], sealed[1090:1122], sealed[1122:]
    shared = hashlib.sha3_256(
        mlkem.decapsulate(mlkem_ciphertext)
        + x25519.exchange(X25519PublicKey.from_public_bytes(x25519_ciphertext))
        + x25519_ciphertext
        + x25519.public_key().public_bytes_raw()
        + b"\\.//^\\"
    ).digest()
    suite = b"HPKE" + (0x647A).to_bytes(2, "big") + (1).to_bytes(2, "big") + (2).to_bytes(2, "big")

    def extract(salt: bytes, label: bytes, key: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")

    def expand(key: bytes, label: bytes, info: bytes, length: int) -> bytes:
        return hmac.digest(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01", "sha256")[:length]

    info = bind("casevault.seal-to", b"\x01\x01", b"place")
    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    opened = AESGCM(expand(secret, b"key", context, 32)).decrypt(expand(secret, b"base_nonce", context, 12), body, b"")
    assert opened == b"the case key"
