"""Slots: opened by whoever they were made for, with everything they were made with."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto import slots
from vault.crypto.keypairs import generate_key_pair
from vault.crypto.sealing import bind, derive, new_key, unseal
from vault.crypto.second_factor import new_totp_secret
from vault.crypto.slots import (
    Argon2Cost,
    PersonSecrets,
    WorkstationSecrets,
    derive_passphrase_key,
    make_person_slot,
    make_workstation_slot,
    open_person_slot,
    open_workstation_slot,
    vault_keys,
)
from vault.domain.identity import PersonId, VaultId, WorkstationId
from vault.errors import RefusedError, TamperError, UnavailableError
from vault.secret import Secret

FLOOR = Argon2Cost(memory_kib=64 * 1024, iterations=3, lanes=4)
SALT = bytes(range(16))
PERSON, VAULT, WORKSTATION = PersonId("a" * 32), VaultId("b" * 32), WorkstationId("c" * 32)
SECRETS = PersonSecrets(generate_key_pair(), new_totp_secret())
PASSPHRASE = Secret("Straße, drei Äpfel".encode())


def test_a_person_slot_opens_with_the_passphrase() -> None:
    slot = make_person_slot(PASSPHRASE, PERSON, SECRETS.encode(), FLOOR)
    opened = PersonSecrets.decode(open_person_slot(slot, PASSPHRASE, PERSON))
    assert opened.key_pair.public == SECRETS.key_pair.public
    assert opened.totp_secret == SECRETS.totp_secret
    assert slot[:2] == b"\x01\x01"


def test_a_person_slot_has_the_documented_form() -> None:
    """Its head (suite, version, cost, salt) is authenticated with what it seals."""
    slot = make_person_slot(PASSPHRASE, PERSON, SECRETS.encode(), FLOOR)
    head, sealed = slot[:30], slot[30:]
    assert head[:14] == b"\x01\x01" + (65536).to_bytes(4, "big") + (3).to_bytes(4, "big") + (4).to_bytes(4, "big")
    key = derive(derive_passphrase_key(PASSPHRASE, head[14:], FLOOR), "person-slot", b"\x01\x01", PERSON)
    assert unseal(key, sealed, bind("person-slot", head, PERSON)) == SECRETS.encode().reveal()


def test_a_slot_is_salted() -> None:
    one, two = (make_person_slot(PASSPHRASE, PERSON, SECRETS.encode(), FLOOR) for _ in range(2))
    assert one[14:30] != two[14:30]


def test_the_passphrase_key_is_argon2id_of_the_normal_form() -> None:
    expected = Argon2id(salt=SALT, length=32, iterations=3, lanes=4, memory_cost=65536).derive("Straße, drei Äpfel".encode())
    assert derive_passphrase_key(PASSPHRASE, SALT, FLOOR).reveal() == expected


def test_keyboards_that_compose_and_those_that_do_not_give_one_key() -> None:
    decomposed = Secret("Straße,\u00a0drei A\u0308pfel".encode())
    assert derive_passphrase_key(decomposed, SALT, FLOOR) == derive_passphrase_key(PASSPHRASE, SALT, FLOOR)


def test_a_passphrase_that_is_no_text_is_not_recognised() -> None:
    slot = make_person_slot(PASSPHRASE, PERSON, SECRETS.encode(), FLOOR)
    with pytest.raises(RefusedError, match=r"session\.not-recognised"):
        open_person_slot(slot, Secret(b"\xff\xfe"), PERSON)


@pytest.mark.parametrize("slot", [b"", b"\x01\x01", bytes(30), bytes(31), b"\x02\x01" + bytes(100)])
def test_what_is_no_person_slot_is_told_at_once(slot: bytes) -> None:
    with pytest.raises(TamperError, match=r"slot\.malformed"):
        open_person_slot(slot, PASSPHRASE, PERSON)


def test_memory_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        def __init__(self, **_: object) -> None: ...
        def derive(self, _: bytes) -> bytes:
            raise MemoryError

    monkeypatch.setattr(slots, "Argon2id", Exhausted)
    with pytest.raises(UnavailableError, match=r"slot\.out-of-memory"):
        derive_passphrase_key(PASSPHRASE, SALT, FLOOR)


DERIVING_AT_ONCE = """
import threading
from vault.crypto.slots import Argon2Cost, derive_passphrase_key
from vault.secret import Secret

keys = []

def derive():
    for _ in range(2):
        keys.append(derive_passphrase_key(Secret(b"quiet harbour lamp"), bytes(16), Argon2Cost(65536, 3, 4)).reveal())

threads = [threading.Thread(target=derive) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(keys), len(set(keys)))
"""


def test_derivations_at_once_take_turns() -> None:
    """In a process of its own: those that do not, may wait for each other for ever."""
    ended = subprocess.run([sys.executable, "-c", DERIVING_AT_ONCE], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["4", "1"]


@pytest.mark.parametrize(
    ("memory_kib", "iterations", "lanes", "code"),
    [
        (65535, 3, 4, "slot.below-floor"),
        (65536, 2, 4, "slot.below-floor"),
        (65536, 3, 0, "slot.below-floor"),
        (4 * 1024 * 1024 + 1, 3, 4, "slot.above-ceiling"),
        (65536, 65, 4, "slot.above-ceiling"),
        (65536, 3, 17, "slot.above-ceiling"),
    ],
)
def test_costs_have_a_floor_and_a_ceiling(memory_kib: int, iterations: int, lanes: int, code: str) -> None:
    with pytest.raises(TamperError) as refusal:
        Argon2Cost(memory_kib, iterations, lanes)
    assert refusal.value.code == code


def test_the_founding_cost() -> None:
    assert Argon2Cost() == Argon2Cost(memory_kib=262144, iterations=3, lanes=4)


@given(st.binary(min_size=16, max_size=40), st.none() | st.binary(max_size=40))
def test_a_workstation_slot_opens_with_what_the_place_holds(workstation_secret: bytes, premises_secret: bytes | None) -> None:
    premises = None if premises_secret is None else Secret(premises_secret)
    payload = WorkstationSecrets(new_key(), SECRETS.key_pair)
    slot = make_workstation_slot(Secret(workstation_secret), premises, VAULT, WORKSTATION, payload)
    opened = open_workstation_slot(slot, Secret(workstation_secret), premises, VAULT, WORKSTATION)
    assert opened.vault_key == payload.vault_key
    assert opened.key_pair.public == SECRETS.key_pair.public


@pytest.mark.parametrize("slot", [b"", b"\x01", b"\x02\x01" + bytes(100)])
def test_what_is_no_workstation_slot_is_malformed(slot: bytes) -> None:
    with pytest.raises(TamperError, match=r"slot\.malformed"):
        open_workstation_slot(slot, new_key(), None, VAULT, WORKSTATION)


@pytest.mark.parametrize(
    "payload", [b"", b"\x01\x01", b"\x01\x01\x00\x82" + bytes(130), b"\x02\x01\x00\x00x", b"\x01\x01\xff\xff" + bytes(200)]
)
def test_what_is_no_payload_is_malformed(payload: bytes) -> None:
    with pytest.raises(TamperError, match=r"slot\.malformed"):
        PersonSecrets.decode(Secret(payload))


def test_a_vault_key_of_another_length_is_malformed() -> None:
    payload = PersonSecrets(SECRETS.key_pair, Secret(b"x" * 31)).encode()
    with pytest.raises(TamperError, match=r"slot\.malformed"):
        WorkstationSecrets.decode(payload)


def test_the_five_vault_keys_are_apart_and_fixed() -> None:
    keys = vault_keys(Secret(bytes(32)))
    five = [keys.register, keys.content, keys.header_mac, keys.blind_index, keys.witness]
    assert len({key.reveal() for key in five}) == 5
    assert {len(key) for key in five} == {32}
    assert vault_keys(Secret(bytes(32))) == keys
    assert vault_keys(Secret(b"\x01" * 32)).register != keys.register


def test_secrets_do_not_print() -> None:
    assert repr(SECRETS) == "PersonSecrets(key_pair=KeyPair())"
    assert repr(WorkstationSecrets(new_key(), SECRETS.key_pair)) == "WorkstationSecrets(key_pair=KeyPair())"
