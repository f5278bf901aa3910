"""Key slots: what a person knows, and what a workstation holds, turned into keys.

Rules of this module:

- A person slot opens with the passphrase alone and holds the person's private keys and the secret of the second factor; so the second
  factor can be checked only after the passphrase was right, and a copy of the register gives neither.
- A workstation slot opens with the workstation secret (OS keyring) and the premises secret (key server). Where there is no key server,
  an explicit "absent" stands in its place in the derivation: a slot made with one never opens without it, nor the other way round.
- A slot describes itself (suite, version, Argon2id cost, salt) and everything it says is authenticated with it.
- Argon2id has a floor: a slot that asks for less is refused before anything is derived, so that nobody can plant a cheap one. And a
  ceiling, so that a planted dear one cannot exhaust the machine.
- A wrong passphrase, a slot of somebody else and altered sealed bytes give one answer: not recognised. LIMIT: AES-GCM cannot tell them
  apart.
- One derivation at a time in a process: another waits. OpenSSL's Argon2id takes its threads from a number that is the process's, which
  the library sets before each derivation and sets back to none after it: the end of one leaves another without the threads it counts on,
  and it fails, said to be out of memory, or never returns.
- The third kind, the recovery slot, is `vault.crypto.recovery`.

Measured here (2 shared cores at 2.5 GHz, medians of 8): Argon2id at 256 MiB, t=3, p=4 takes 0.91 s, at the floor of 64 MiB 0.24 s. The
design's 0.42 s and 0.12 s are argon2-cffi on a faster machine; side by side on this one argon2-cffi takes 0.77 s and 0.20 s, so the
library costs a fifth to a quarter more and the machine the rest. Python's lock is released (worst stall of another thread 20 ms).
"""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from vault.crypto.keypairs import KeyPair
from vault.crypto.passphrase import normalise
from vault.crypto.sealing import KEY_BYTES, bind, derive, seal, unseal
from vault.domain.identity import PersonId, VaultId, WorkstationId
from vault.errors import RefusedError, TamperError, UnavailableError
from vault.secret import Secret

SALT_BYTES: Final = 16

_SUITE_1: Final = 1  # Argon2id, HKDF-SHA256, AES-256-GCM
_VERSION: Final = 1
_HEAD: Final = bytes((_SUITE_1, _VERSION))
_PERSON_HEAD: Final = struct.Struct(f">2sIII{SALT_BYTES}s")  # suite and version, memory_kib, iterations, lanes, salt

_MEMORY_KIB: Final = range(64 * 1024, 4 * 1024 * 1024 + 1)
_ITERATIONS: Final = range(3, 65)
_LANES: Final = range(1, 17)

_KEY_PAIR_LENGTH: Final = struct.Struct(">H")

DERIVING: Final = threading.Lock()  # held by whoever runs an Argon2id


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What one guess at a passphrase costs. The defaults are the founding choice.

    Args:
        memory_kib: 64 MiB to 4 GiB.
        iterations: 3 to 64.
        lanes: 1 to 16.

    Raises:
        TamperError: slot.below-floor, slot.above-ceiling.
    """

    memory_kib: int = 262144
    iterations: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        """Hold the floor and the ceiling."""
        for value, allowed in ((self.memory_kib, _MEMORY_KIB), (self.iterations, _ITERATIONS), (self.lanes, _LANES)):
            if value < allowed.start:
                raise TamperError("slot.below-floor", value=value, floor=allowed.start)
            if value >= allowed.stop:
                raise TamperError("slot.above-ceiling", value=value, ceiling=allowed.stop - 1)


@dataclass(frozen=True, slots=True)
class PersonSecrets:
    """What a person slot holds."""

    key_pair: KeyPair
    totp_secret: Secret = field(repr=False)

    def encode(self) -> Secret:
        """Give the bytes to seal."""
        return _encode(self.key_pair, self.totp_secret)

    @classmethod
    def decode(cls, payload: Secret) -> PersonSecrets:
        """Parse what `encode` gave.

        Raises:
            TamperError: slot.malformed, keypair.malformed.
        """
        key_pair, totp_secret = _decode(payload)
        return cls(key_pair, totp_secret)


@dataclass(frozen=True, slots=True)
class WorkstationSecrets:
    """What a workstation slot holds."""

    vault_key: Secret = field(repr=False)  # 32 bytes
    key_pair: KeyPair

    def encode(self) -> Secret:
        """Give the bytes to seal."""
        return _encode(self.key_pair, self.vault_key)

    @classmethod
    def decode(cls, payload: Secret) -> WorkstationSecrets:
        """Parse what `encode` gave.

        Raises:
            TamperError: slot.malformed, keypair.malformed.
        """
        key_pair, vault_key = _decode(payload)
        if len(vault_key) != KEY_BYTES:
            raise TamperError("slot.malformed")
        return cls(vault_key, key_pair)


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """The five keys of a vault, each for one use."""

    register: Secret  # SQLCipher raw key of register.db
    content: Secret  # SQLCipher raw key of content.db
    header_mac: Secret  # authenticates the header file
    blind_index: Secret  # looks things up by a keyed hash
    witness: Secret  # authenticates what is kept outside the database


def vault_keys(vault_key: Secret) -> VaultKeys:
    """Derive the five keys of a vault, 32 bytes each, from its 32-byte vault key."""
    return VaultKeys(
        register=derive(vault_key, "vault-register"),
        content=derive(vault_key, "vault-content"),
        header_mac=derive(vault_key, "vault-header-mac"),
        blind_index=derive(vault_key, "vault-blind-index"),
        witness=derive(vault_key, "vault-witness"),
    )


def derive_passphrase_key(passphrase: Secret, salt: bytes, cost: Argon2Cost) -> Secret:
    """Derive 32 bytes from a passphrase by Argon2id (RFC 9106). The slow part of a sign-in; Python's lock is released.

    Args:
        passphrase: UTF-8; brought to its normal form first (see `passphrase.normalise`).
        salt: 16 random bytes.
        cost: within its floor and ceiling by construction.

    Raises:
        RefusedError: passphrase.not-text.
        UnavailableError: slot.out-of-memory.
    Thread: any, one after the other; takes cost.memory_kib of memory meanwhile.
    """
    argon2id = Argon2id(salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib)
    text = normalise(passphrase)
    try:
        with DERIVING:  # see the rules above
            return Secret(argon2id.derive(text.reveal()))
    except MemoryError as error:
        raise UnavailableError("slot.out-of-memory", memory_kib=cost.memory_kib) from error


def make_person_slot(passphrase: Secret, person_id: PersonId, private: Secret, cost: Argon2Cost) -> bytes:
    """Seal a person's secrets under their passphrase, with a fresh salt.

    Args:
        passphrase: one that `check_passphrase` let through.
        person_id: whose slot it is.
        private: `PersonSecrets.encode`.
        cost: what a guess costs.

    Raises:
        RefusedError: passphrase.not-text.
    Thread: any; slow.
    """
    salt = os.urandom(SALT_BYTES)
    head = _PERSON_HEAD.pack(_HEAD, cost.memory_kib, cost.iterations, cost.lanes, salt)
    key = _person_key(derive_passphrase_key(passphrase, salt, cost), person_id)
    return head + seal(key, private.reveal(), _person_place(head, person_id))


def open_person_slot(slot: bytes, passphrase: Secret, person_id: PersonId) -> Secret:
    """Open a person slot; the result is for `PersonSecrets.decode`.

    Raises:
        RefusedError: session.not-recognised (wrong passphrase, another person's slot, altered sealed bytes).
        TamperError: slot.malformed, slot.below-floor, slot.above-ceiling; before anything slow is done.
    Thread: any; slow.
    """
    if len(slot) <= _PERSON_HEAD.size:
        raise TamperError("slot.malformed")
    head = bytes(slot[: _PERSON_HEAD.size])
    suite, memory_kib, iterations, lanes, salt = _PERSON_HEAD.unpack(head)
    if suite != _HEAD:
        raise TamperError("slot.malformed")
    cost = Argon2Cost(memory_kib, iterations, lanes)
    try:
        key = _person_key(derive_passphrase_key(passphrase, salt, cost), person_id)
        return Secret(unseal(key, bytes(slot[_PERSON_HEAD.size :]), _person_place(head, person_id)))
    except (RefusedError, TamperError) as error:
        raise RefusedError("session.not-recognised") from error


def make_workstation_slot(
    workstation_secret: Secret,
    premises_secret: Secret | None,
    vault_id: VaultId,
    workstation_id: WorkstationId,
    payload: WorkstationSecrets,
) -> bytes:
    """Seal the vault key and the workstation's key pair under what this workstation and these premises hold.

    Args:
        workstation_secret: 32 random bytes, kept in the OS keyring.
        premises_secret: what the key server's exchange gives, or None where there is none.
        vault_id: the vault.
        workstation_id: the workstation.
        payload: what is sealed.

    Thread: any.
    """
    key = _workstation_key(workstation_secret, premises_secret, vault_id, workstation_id)
    place = _workstation_place(vault_id, workstation_id)
    return _HEAD + seal(key, payload.encode().reveal(), place)


def open_workstation_slot(
    slot: bytes,
    workstation_secret: Secret,
    premises_secret: Secret | None,
    vault_id: VaultId,
    workstation_id: WorkstationId,
) -> WorkstationSecrets:
    """Open a workstation slot.

    Raises:
        UnavailableError: header.wrong-workstation (another workstation's secret or slot, wrong or missing premises secret,
            altered sealed bytes).
        TamperError: slot.malformed, of another suite or truncated.
    Thread: any.
    """
    if bytes(slot[: len(_HEAD)]) != _HEAD:
        raise TamperError("slot.malformed")
    key = _workstation_key(workstation_secret, premises_secret, vault_id, workstation_id)
    try:
        payload = unseal(key, bytes(slot[len(_HEAD) :]), _workstation_place(vault_id, workstation_id))
    except TamperError as error:
        raise UnavailableError("header.wrong-workstation") from error
    return WorkstationSecrets.decode(Secret(payload))


def _person_key(passphrase_key: Secret, person_id: PersonId) -> Secret:
    return derive(passphrase_key, "person-slot", _HEAD, person_id)


def _person_place(head: bytes, person_id: PersonId) -> bytes:
    return bind("person-slot", head, person_id)


def _workstation_key(
    workstation_secret: Secret, premises_secret: Secret | None, vault_id: VaultId, workstation_id: WorkstationId
) -> Secret:
    if premises_secret is None:
        held = bind(workstation_secret.reveal(), "premises-absent")
    else:
        held = bind(workstation_secret.reveal(), "premises-present", premises_secret.reveal())
    return derive(Secret(held), "workstation-slot", _HEAD, vault_id, workstation_id)


def _workstation_place(vault_id: VaultId, workstation_id: WorkstationId) -> bytes:
    return bind("workstation-slot", _HEAD, vault_id, workstation_id)


def _encode(key_pair: KeyPair, other: Secret) -> Secret:
    private = key_pair.export_private().reveal()
    return Secret(_HEAD + _KEY_PAIR_LENGTH.pack(len(private)) + private + other.reveal())


def _decode(payload: Secret) -> tuple[KeyPair, Secret]:
    value = payload.reveal()
    start = len(_HEAD) + _KEY_PAIR_LENGTH.size
    if len(value) < start or value[: len(_HEAD)] != _HEAD:
        raise TamperError("slot.malformed")
    (length,) = _KEY_PAIR_LENGTH.unpack(value[len(_HEAD) : start])
    if len(value) <= start + length:
        raise TamperError("slot.malformed")
    return KeyPair.from_private(Secret(value[start : start + length])), Secret(value[start + length :])
