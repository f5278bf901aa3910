"""Records and chunks: what goes in comes out, and only there."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.crypto.sealing import CHUNK_BYTES, ChunkCipher, bind, case_keys, derive, new_key, new_salt, seal, unseal
from vault.domain.identity import CaseId, DocumentId
from vault.errors import DefectError, TamperError
from vault.secret import Secret

KEY = Secret(bytes(range(32)))
FOUR_CASE_KEYS = (
    "fa84003ae754e9684d381b84cc08eddaa99199736870c3c895508befdd0547bf"  # pinned: what is sealed today must open after an update
)
CASE, DOCUMENT, SALT = CaseId("c" * 32), DocumentId("d" * 32), b"\x05" * 16
PARTS = st.lists(st.binary(max_size=20) | st.text(max_size=10) | st.integers(-(2**70), 2**70), max_size=5)


def cipher(chunk_count: int, salt: bytes = SALT) -> ChunkCipher:
    return ChunkCipher(KEY, CASE, DOCUMENT, 1, chunk_count, salt)


def shape(parts: list[bytes | str | int]) -> list[tuple[type, object]]:
    return [(type(part), part) for part in parts]


@given(PARTS, PARTS)
def test_bind_is_injective(one: list[bytes | str | int], two: list[bytes | str | int]) -> None:
    assert (bind(*one) == bind(*two)) == (shape(one) == shape(two))


def test_bind_is_fixed() -> None:
    """What is sealed today must open after an update."""
    assert bind(b"\x00", "é", -12) == b"b\x00\x00\x00\x01\x00" + b"s\x00\x00\x00\x02\xc3\xa9" + b"i\x00\x00\x00\x03-12"


def test_derive_is_hkdf_sha256_of_rfc_5869() -> None:
    extracted = hmac.digest(bytes(32), KEY.reveal(), "sha256")
    expected = hmac.digest(extracted, bind("casevault", "label", b"x", 1) + b"\x01", "sha256")
    assert derive(KEY, "label", b"x", 1).reveal() == expected


@given(st.binary(max_size=2000), st.binary(max_size=50))
def test_a_record_opens_where_it_was_sealed(plaintext: bytes, associated: bytes) -> None:
    sealed = seal(KEY, plaintext, associated)
    assert len(sealed) == len(plaintext) + 30
    assert unseal(KEY, sealed, associated) == plaintext


def test_a_record_has_the_documented_form() -> None:
    sealed = seal(KEY, b"card", b"place")
    assert sealed[:2] == b"\x01\x01"
    assert AESGCM(KEY.reveal()).decrypt(sealed[2:14], sealed[14:], b"\x01\x01place") == b"card"


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x01" + bytes(27), b"\x02\x01" + bytes(40), b"\x01\x02" + bytes(40)])
def test_what_is_no_record_is_not_authentic(sealed: bytes) -> None:
    with pytest.raises(TamperError, match=r"sealing\.not-authentic"):
        unseal(KEY, sealed, b"")


def test_case_keys_are_four_and_fixed() -> None:
    keys = case_keys(KEY)
    four = [keys.card, keys.content, keys.text, keys.index]
    assert len({key.reveal() for key in four}) == 4
    assert keys.card == derive(KEY, "case-card") == case_keys(Secret(KEY.reveal())).card
    assert hashlib.sha256(b"".join(key.reveal() for key in four)).hexdigest() == FOUR_CASE_KEYS


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3 * CHUNK_BYTES), st.randoms(use_true_random=False))
def test_a_document_opens_in_any_order(size_bytes: int, random: object) -> None:
    content = hashlib.shake_128(size_bytes.to_bytes(4, "big")).digest(size_bytes)
    count = max(1, -(-size_bytes // CHUNK_BYTES))
    writer, reader = cipher(count), cipher(count)
    order = list(range(count))
    random.shuffle(order)  # type: ignore[attr-defined]
    sealed = {n: bytes(writer.seal_chunk(n, content[n * CHUNK_BYTES : (n + 1) * CHUNK_BYTES])) for n in order}
    random.shuffle(order)  # type: ignore[attr-defined]
    opened = {n: bytes(reader.open_chunk(n, sealed[n])) for n in order}
    assert b"".join(opened[n] for n in range(count)) == content


def test_a_chunk_has_the_documented_form() -> None:
    sealed = bytes(cipher(1).seal_chunk(0, b"page"))
    key = derive(KEY, "document-content", CASE, DOCUMENT, 1, SALT).reveal()
    associated = b"\x01\x01" + bind("chunk", CASE, DOCUMENT, 1, SALT) + bind(0, 1, 1)
    assert sealed[:2] == b"\x01\x01"
    assert len(sealed) == 4 + ChunkCipher.OVERHEAD_BYTES
    assert AESGCM(key).decrypt(sealed[2:14], sealed[14:], associated) == b"page"


def test_buffers_are_pooled_and_read_only() -> None:
    one = cipher(2)
    first = one.seal_chunk(0, bytes(CHUNK_BYTES))
    kept = bytes(first)
    second = one.seal_chunk(1, b"x")
    assert first.obj is second.obj
    assert first.readonly
    assert bytes(first) != kept
    opened = one.open_chunk(0, kept)
    assert opened.readonly
    assert opened.obj is not second.obj


def test_a_view_of_foreign_memory_is_taken_as_it_is() -> None:
    memory = bytearray(CHUNK_BYTES + 10)
    memory[5:9] = b"page"
    one = cipher(1)
    sealed = one.seal_chunk(0, memoryview(memory)[5:9])
    assert bytes(one.open_chunk(0, memoryview(bytearray(sealed)))) == b"page"


@pytest.mark.parametrize(
    ("chunk_count", "number", "size_bytes", "code"),
    [
        (2, -1, CHUNK_BYTES, "sealing.chunk-number"),
        (2, 2, 1, "sealing.chunk-number"),
        (2, 0, CHUNK_BYTES - 1, "sealing.chunk-size"),
        (2, 0, CHUNK_BYTES + 1, "sealing.chunk-size"),
        (2, 1, 0, "sealing.chunk-size"),
        (2, 1, CHUNK_BYTES + 1, "sealing.chunk-size"),
        (1, 0, CHUNK_BYTES + 1, "sealing.chunk-size"),
    ],
)
def test_a_caller_who_cuts_wrongly_is_told(chunk_count: int, number: int, size_bytes: int, code: str) -> None:
    with pytest.raises(DefectError) as defect:
        cipher(chunk_count).seal_chunk(number, bytes(size_bytes))
    assert defect.value.code == code


def test_no_document_without_chunks_or_salt() -> None:
    with pytest.raises(DefectError, match=r"sealing\.chunk-count"):
        cipher(0)
    with pytest.raises(DefectError, match=r"sealing\.salt-size"):
        cipher(1, b"short")


def test_a_wiped_cipher_is_empty_and_refuses() -> None:
    one = cipher(1)
    sealed = one.seal_chunk(0, b"page")
    opened = one.open_chunk(0, bytes(sealed))
    kept = bytes(sealed)
    one.wipe()
    assert not any(opened)
    assert not any(sealed)
    for call in (lambda: one.seal_chunk(0, b"page"), lambda: one.open_chunk(0, kept)):
        with pytest.raises(DefectError, match=r"sealing\.wiped"):
            call()
    one.wipe()


def test_a_refused_chunk_leaves_no_plaintext_behind() -> None:
    one = cipher(1)
    altered = bytearray(one.seal_chunk(0, b"marker" * 100))
    altered[-1] ^= 1
    first = one.open_chunk(0, cipher(1).seal_chunk(0, b"x" * 600))
    with pytest.raises(TamperError):
        one.open_chunk(0, altered)
    assert not any(first)


def test_new_keys_and_salts_differ() -> None:
    assert len({new_key().reveal() for _ in range(50)}) == 50
    assert len({new_salt() for _ in range(50)}) == 50
    assert len(new_key()) == 32
    assert len(new_salt()) == 16
