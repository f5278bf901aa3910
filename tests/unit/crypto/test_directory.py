"""Directory entries: one canonical form, two signatures."""

from __future__ import annotations

import dataclasses

import pytest

from vault.crypto.directory import DirectoryEntry, sign_entry, verify_entry
from vault.crypto.keypairs import generate_key_pair
from vault.domain.identity import PersonId, Role, UnitId
from vault.errors import TamperError

ADMINISTRATOR, SUPERVISOR, PERSON = generate_key_pair(), generate_key_pair(), generate_key_pair()
ENTRY = DirectoryEntry(
    person_id=PersonId("a" * 32),
    badge_no="4711",
    name="A. Person",
    role=Role.OFFICER,
    unit_ids=(UnitId("1" * 32), UnitId("2" * 32)),
    kem_public=PERSON.public.kem,
    sign_public=PERSON.public.sign,
)


def check(entry: DirectoryEntry, administrator_signature: bytes, supervisor_signature: bytes) -> None:
    verify_entry(entry, ADMINISTRATOR.public.sign, administrator_signature, SUPERVISOR.public.sign, supervisor_signature)


def test_two_signatures_vouch() -> None:
    check(ENTRY, sign_entry(ADMINISTRATOR, ENTRY), sign_entry(SUPERVISOR, ENTRY))


def test_the_order_of_units_does_not_matter() -> None:
    turned = dataclasses.replace(ENTRY, unit_ids=ENTRY.unit_ids[::-1])
    check(turned, sign_entry(ADMINISTRATOR, ENTRY), sign_entry(SUPERVISOR, ENTRY))


def test_every_field_is_signed() -> None:
    """Adding a field without signing it fails here."""
    changed = {
        "person_id": PersonId("b" * 32),
        "badge_no": "4712",
        "name": "B. Person",
        "role": Role.SUPERVISOR,
        "unit_ids": (UnitId("1" * 32),),
        "kem_public": ADMINISTRATOR.public.kem,
        "sign_public": ADMINISTRATOR.public.sign,
        "revision": 2,
    }
    assert set(changed) == {field.name for field in dataclasses.fields(DirectoryEntry)}
    signatures = sign_entry(ADMINISTRATOR, ENTRY), sign_entry(SUPERVISOR, ENTRY)
    for name, value in changed.items():
        with pytest.raises(TamperError, match=r"directory\.unsigned"):
            check(dataclasses.replace(ENTRY, **{name: value}), *signatures)
