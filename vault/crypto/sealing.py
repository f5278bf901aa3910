"""Sealing: AES-256-GCM for records and document chunks, and the derivation of the keys they are sealed under.

Rules of this module:

- Every sealed record starts with a suite id byte and a version byte, both authenticated, so that a FIPS-leaning suite can be added as a
  founding choice without a new format.
- Everything a seal or a derivation is bound to goes through `bind`, which is injective: each part carries its type and its length.
- A failure to open says one thing only, ``sealing.not-authentic``: wrong key, wrong place and altered bytes are not told apart.

Why nonces never repeat under a key:

- Every seal draws 96 random bits. With n seals under one key a collision has probability below n^2 / 2^97; NIST SP 800-38D section
  8.3 sets the ceiling at n = 2^32 for one key.
- `seal` works under keys of one use each. The busiest of them, at 100,000 records a day, needs 117 years to the ceiling. LIMIT: it is not
  counted here.
- `ChunkCipher` works under a key of its own for each intake, derived from the content key and the intake's random salt: two documents,
  two versions or an abandoned intake and its successor never share a key, so n is the chunks of one intake, resumptions included
  (a 4 GiB video: 16,384 chunks, collision below 2^-69).
- Nonces are random and not counted, because a counter does not survive a power cut: an intake that resumes may seal chunk 7 a second
  time from a source that changed, while remnants of the first chunk 7 are still on the disk.
"""

from __future__ import annotations

import functools
import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault.domain.identity import CaseId, DocumentId
from vault.errors import DefectError, TamperError
from vault.secret import Secret

CHUNK_BYTES: Final = 256 * 1024
"""Plaintext bytes in every chunk but the last (DESIGN section 8: first page of a 47 MB PDF in 15 ms)."""

KEY_BYTES: Final = 32

_SUITE_1: Final = 1  # AES-256-GCM, HKDF-SHA256
_VERSION: Final = 1
_HEAD: Final = bytes((_SUITE_1, _VERSION))
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_SALT_BYTES: Final = 16
_BODY_START: Final = len(_HEAD) + _NONCE_BYTES

_LENGTH: Final = struct.Struct(">I")


def bind(*parts: bytes | str | int) -> bytes:
    """Encode parts as canonical bytes, for associated data, derivation info and signed messages.

    Injective: two different lists of parts never give the same bytes. Each part is a type letter, its length as four bytes, big
    endian, and its value (text in UTF-8, integers in decimal).
    """
    encoded = bytearray()
    for part in parts:
        if isinstance(part, str):
            kind, value = b"s", part.encode()
        elif isinstance(part, int):
            kind, value = b"i", b"%d" % part
        else:
            kind, value = b"b", bytes(part)
        encoded += kind + _LENGTH.pack(len(value)) + value
    return bytes(encoded)


def derive(key: Secret, label: str, *parts: bytes | str | int) -> Secret:
    """Derive a 32-byte key from a key by HKDF-SHA256 (RFC 5869), bound to a label and parts.

    Args:
        key: a uniformly random key of at least 16 bytes, or `bind` of several; never a passphrase (see `slots.derive_passphrase_key`).
        label: what the derived key is for; one label, one use.
        parts: what else it is bound to (ids, versions).

    Thread: any.
    """
    info = bind("casevault", label, *parts)
    return Secret(HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(key.reveal()))


def new_key() -> Secret:
    """Draw a random 32-byte key (case key, vault key, workstation secret)."""
    return Secret(os.urandom(KEY_BYTES))


def new_salt() -> bytes:
    """Draw the 16-byte salt of one intake, kept in the document's row and needed again to open its chunks. Not secret."""
    return os.urandom(_SALT_BYTES)


def seal(key: Secret, plaintext: bytes, associated: bytes) -> bytes:
    """Seal a record (a card, a page's text, an index) under a 32-byte key.

    Args:
        key: 32 bytes.
        plaintext: at most a few MiB; documents go through `ChunkCipher`.
        associated: what the record is bound to, from `bind`; needed again to open it.

    Returns:
        suite, version, nonce (12), ciphertext, tag (16): 30 bytes longer than the plaintext.

    Thread: any.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return _HEAD + nonce + AESGCM(key.reveal()).encrypt(nonce, plaintext, _HEAD + associated)


def unseal(key: Secret, sealed: bytes, associated: bytes) -> bytes:
    """Open a record that `seal` made.

    Raises:
        TamperError: sealing.not-authentic (wrong key, wrong place, altered, truncated, unknown suite).

    Thread: any.
    """
    if len(sealed) < _BODY_START + _TAG_BYTES or not sealed.startswith(_HEAD):
        raise TamperError("sealing.not-authentic")
    try:
        return AESGCM(key.reveal()).decrypt(sealed[len(_HEAD) : _BODY_START], sealed[_BODY_START:], _HEAD + associated)
    except InvalidTag as error:
        raise TamperError("sealing.not-authentic") from error


class CaseKeys:
    """The four keys of one case, each derived from the case key when first asked for.

    Lazy because a desk of 10,000 cases needs 10,000 card keys and nothing else.
    """

    def __init__(self, case_key: Secret) -> None:
        self._case_key: Final = case_key

    @functools.cached_property
    def card(self) -> Secret:
        """Seals the index card: title, type, persons, tags."""
        return derive(self._case_key, "case-card")

    @functools.cached_property
    def content(self) -> Secret:
        """The key `ChunkCipher` derives document keys from; seals nothing itself."""
        return derive(self._case_key, "case-content")

    @functools.cached_property
    def text(self) -> Secret:
        """Seals the page text."""
        return derive(self._case_key, "case-text")

    @functools.cached_property
    def index(self) -> Secret:
        """Seals the search index and its filter."""
        return derive(self._case_key, "case-index")


def case_keys(case_key: Secret) -> CaseKeys:
    """Give the card, content, text and index keys of a case. Keeps a reference to the 32-byte case key."""
    return CaseKeys(case_key)


class ChunkCipher:
    """Seals and opens the chunks of one version of one document, in place, on buffers of its own.

    A chunk is bound to case, document, version, intake, number, count and whether it is the last: chunks cannot be swapped, dropped,
    reordered, truncated or taken from elsewhere. Chunk numbers start at 0, so that ``number * CHUNK_BYTES`` is an offset.

    Sealed chunk: suite, version, nonce (12), ciphertext, tag (16); OVERHEAD_BYTES more than the plaintext.

    Thread: an instance belongs to one thread at a time, because it owns its buffers. What `seal_chunk` and `open_chunk` return is a view
    of such a buffer: valid until the next call of the same method or `wipe`; copy what must live longer. Python's lock is
    released while a chunk is worked on.
    """

    OVERHEAD_BYTES: Final = _BODY_START + _TAG_BYTES

    def __init__(self, key: Secret, case_id: CaseId, document_id: DocumentId, version: int, chunk_count: int, salt: bytes) -> None:
        """Prepare for one document version.

        Args:
            key: the case's content key (`CaseKeys.content`).
            case_id: the case the document belongs to.
            document_id: the document.
            version: >= 1; 1 is the original.
            chunk_count: >= 1; an empty document has one empty chunk.
            salt: from `new_salt`, one for each intake.

        Raises:
            DefectError: sealing.chunk-count, sealing.salt-size.
        """
        if chunk_count < 1:
            raise DefectError("sealing.chunk-count", chunk_count=chunk_count)
        if len(salt) != _SALT_BYTES:
            raise DefectError("sealing.salt-size", size_bytes=len(salt))
        self._place: Final = _HEAD + bind("chunk", case_id, document_id, version, salt)
        self._chunk_count: Final = chunk_count
        self._cipher: AESGCM | None = AESGCM(derive(key, "document-content", case_id, document_id, version, salt).reveal())
        self._sealed = bytearray()
        self._opened = bytearray()

    def seal_chunk(self, number: int, plaintext: memoryview | bytes | bytearray) -> memoryview:
        """Seal one chunk.

        Args:
            number: 0 <= number < chunk_count, in any order.
            plaintext: exactly CHUNK_BYTES, except the last chunk: 1 to CHUNK_BYTES, or 0 when it is the only one.

        Returns:
            A view of this instance's buffer, valid until the next call.

        Raises:
            DefectError: sealing.chunk-number, sealing.chunk-size, sealing.wiped.
        """
        size_bytes = len(plaintext)
        cipher = self._ready(number)
        if not self._fits(number, size_bytes):
            raise DefectError("sealing.chunk-size", number=number, size_bytes=size_bytes)
        if not self._sealed:
            self._sealed = bytearray(CHUNK_BYTES + self.OVERHEAD_BYTES)
            self._sealed[: len(_HEAD)] = _HEAD
        view = memoryview(self._sealed)[: size_bytes + self.OVERHEAD_BYTES]
        nonce = os.urandom(_NONCE_BYTES)
        view[len(_HEAD) : _BODY_START] = nonce
        cipher.encrypt_into(nonce, plaintext, self._associated(number), view[_BODY_START:])
        return view.toreadonly()

    def open_chunk(self, number: int, sealed: memoryview | bytes | bytearray) -> memoryview:
        """Open one chunk.

        Args:
            number: 0 <= number < chunk_count.
            sealed: what `seal_chunk` gave for that number.

        Returns:
            A view of this instance's buffer with the plaintext, valid until the next call.

        Raises:
            TamperError: sealing.not-authentic.
            DefectError: sealing.chunk-number, sealing.wiped.
        """
        cipher = self._ready(number)
        whole = memoryview(sealed)
        size_bytes = len(whole) - self.OVERHEAD_BYTES
        if not self._fits(number, size_bytes) or whole[: len(_HEAD)] != _HEAD:
            raise TamperError("sealing.not-authentic", chunk=number)
        if not self._opened:
            self._opened = bytearray(CHUNK_BYTES)
        view = memoryview(self._opened)[:size_bytes]
        try:
            cipher.decrypt_into(whole[len(_HEAD) : _BODY_START], whole[_BODY_START:], self._associated(number), view)
        except InvalidTag as error:
            view[:] = bytes(size_bytes)  # the library may have written what it could not vouch for
            raise TamperError("sealing.not-authentic", chunk=number) from error
        return view.toreadonly()

    def wipe(self) -> None:
        """Overwrite the buffers and refuse further use. LIMIT: the library's key schedule is freed, not overwritten by us."""
        for buffer in (self._sealed, self._opened):
            buffer[:] = bytes(len(buffer))
        self._cipher = None

    def _ready(self, number: int) -> AESGCM:
        if self._cipher is None:
            raise DefectError("sealing.wiped")
        if not 0 <= number < self._chunk_count:
            raise DefectError("sealing.chunk-number", number=number)
        return self._cipher

    def _fits(self, number: int, size_bytes: int) -> bool:
        if number < self._chunk_count - 1:
            return size_bytes == CHUNK_BYTES
        return (self._chunk_count > 1) <= size_bytes <= CHUNK_BYTES

    def _associated(self, number: int) -> bytes:
        return self._place + bind(number, self._chunk_count, int(number == self._chunk_count - 1))
