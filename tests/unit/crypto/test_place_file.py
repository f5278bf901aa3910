"""The sealed record of a place file: a known answer, and what is none of this vault's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vault.crypto.place_file import FrontIdentity, front_identity, open_record, place_file_key, seal_record
from vault.crypto.sealing import bind, seal
from vault.crypto.tang import KeyServer
from vault.domain.identity import VaultId, WorkstationId
from vault.domain.place_file import PlaceRecord
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret

VAULT_KEY = Secret(bytes(range(32)))
VAULT, WORKSTATION = VaultId("a" * 32), WorkstationId("b" * 32)
RECORD = PlaceRecord(12, b"\x07" * 32, 3, 1_700_000_000_000_000)
# Computed apart from the product: RFC 5869 with hmac, AES-256-GCM by PyCryptodome. What a front keeps today must open after an update.
KEY = "b9c9fd9289099abc187c0e214c28b6fe32df557c9d490f0a00d406e3a6a2351b"
SEALED = bytes.fromhex(
    "010109090909090909090909090985ceece2761253daf835d76dbf0aa995b4f2a05925e0620ef50e124ff3"
    "e2231be69ad828602e5548eda692d48b9abd905877ae6b81f66eca3a7ccc2fdd8be6880d981a9d7b421a6b"
)
SEALED_COUNTED = bytes.fromhex(  # likewise, with the spool's count, 7
    "010109090909090909090909090985ceece2761253daf835d76dbf0aa995b4f2a05925e0620ef50e124ff3"
    "e2231be69ad828602e5548eda692d48b9abd905877ae6b81f66ecae2317d6dfc7ed8cf70ed4c4c04878398359bc7d067e7f26e"
)


def test_a_known_answer() -> None:
    key = place_file_key(VAULT_KEY)
    assert key.reveal().hex() == KEY
    assert open_record(key, SEALED, VAULT, WORKSTATION) == RECORD


def test_a_record_with_the_spools_count() -> None:
    key, counted = place_file_key(VAULT_KEY), replace(RECORD, spooled=7)
    assert open_record(key, seal_record(key, counted, VAULT, WORKSTATION), VAULT, WORKSTATION) == counted
    assert open_record(key, SEALED_COUNTED, VAULT, WORKSTATION) == counted
    none = seal(key, bytes(57), bind("place-file 1", VAULT, WORKSTATION))
    with pytest.raises(TamperError, match=r"^sealing\.not-authentic"):
        open_record(key, none, VAULT, WORKSTATION)


def test_who_a_workstation_is_and_until_when(tmp_path: Path) -> None:
    key, ends = ec.generate_private_key(ec.SECP256R1()), datetime(2031, 5, 17, 8, 30, tzinfo=UTC)
    named = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "ws-07")])
    made = x509.CertificateBuilder(named, named, key.public_key(), 7, ends - timedelta(397), ends).sign(key, hashes.SHA256())
    file = tmp_path / "ws-07.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    assert front_identity(KeyServer("https://front", str(file))) == FrontIdentity("CN=ws-07", int(ends.timestamp()) * 1_000_000)
    file.write_text("no certificate")
    for path in (file, tmp_path):
        with pytest.raises(UnavailableError, match=r"^premises\.certificate"):
            front_identity(KeyServer("https://front", str(path)))


def test_each_sealing_is_its_own_and_opens() -> None:
    key = place_file_key(VAULT_KEY)
    one, two = (seal_record(key, RECORD, VAULT, WORKSTATION) for _ in range(2))
    assert one != two
    assert {open_record(key, sealed, VAULT, WORKSTATION) for sealed in (one, two)} == {RECORD}
    assert RECORD.entry_hash not in one


OTHERS = [
    ("another vault key", Secret(bytes(32)), SEALED, VAULT, WORKSTATION),
    ("another vault", VAULT_KEY, SEALED, VaultId("c" * 32), WORKSTATION),
    ("another workstation", VAULT_KEY, SEALED, VAULT, WorkstationId("c" * 32)),
    ("nothing", VAULT_KEY, b"", VAULT, WORKSTATION),
    ("a part", VAULT_KEY, SEALED[:-1], VAULT, WORKSTATION),
    ("more", VAULT_KEY, SEALED + b"x", VAULT, WORKSTATION),
    ("another suite", VAULT_KEY, b"\x02" + SEALED[1:], VAULT, WORKSTATION),
]


@pytest.mark.parametrize(("vault_key", "sealed", "vault", "workstation"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_what_is_none_of_this_vaults(vault_key: Secret, sealed: bytes, vault: VaultId, workstation: WorkstationId) -> None:
    with pytest.raises(TamperError, match=r"^sealing\.not-authentic"):
        open_record(place_file_key(vault_key), sealed, vault, workstation)


def test_every_bit_counts() -> None:
    key = place_file_key(VAULT_KEY)
    for at in range(len(SEALED)):
        altered = SEALED[:at] + bytes((SEALED[at] ^ 1,)) + SEALED[at + 1 :]
        with pytest.raises(TamperError):
            open_record(key, altered, VAULT, WORKSTATION)
