"""The recovery slot: every way t holders come together opens it, and nothing less, other or altered does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import msgspec
import pytest

from tests.outcome import outcome
from tests.station import CHEAP
from vault.crypto.keypairs import KeyPair, generate_key_pair
from vault.crypto.recovery import (
    LABEL_MOST_CHARACTERS,
    MOST_HOLDERS,
    HolderPublic,
    make_holder_file,
    make_recovery_slot,
    open_holder_file,
    open_recovery_slot,
)
from vault.crypto.sealing import new_key
from vault.crypto.slots import WorkstationSecrets
from vault.domain.identity import VaultId, WorkstationId
from vault.errors import RefusedError
from vault.secret import Secret
from vault.storage.header import LARGEST_BYTES

VAULT, WORKSTATION = VaultId("vault"), WorkstationId("workstation")
PASSPHRASE = Secret(b"granite window orchard")


@cache
def pair(number: int) -> KeyPair:
    return generate_key_pair()


def public(number: int) -> HolderPublic:
    return HolderPublic(f"holder {number}", pair(number).public.kem)


@cache
def secrets() -> WorkstationSecrets:
    return WorkstationSecrets(new_key(), generate_key_pair())


@cache
def slot(threshold: int, count: int) -> bytes:
    return make_recovery_slot(threshold, [public(number) for number in range(count)], VAULT, WORKSTATION, secrets())


@pytest.mark.parametrize(("threshold", "count"), [(2, 2), (2, 3), (3, 3), (3, 5)])
def test_exactly_enough_holders_open(threshold: int, count: int) -> None:
    for size in range(count + 1):
        for there in itertools.combinations(range(count), size):
            keys = [pair(number) for number in reversed(there)]  # in whatever order they sit down
            if size < threshold:
                assert outcome(lambda: open_recovery_slot(slot(threshold, count), keys, VAULT)) == "RefusedError recovery.too-few"  # noqa: B023
                continue
            opened = open_recovery_slot(slot(threshold, count), keys, VAULT)
            assert opened.workstation_id == WORKSTATION
            assert opened.secrets.vault_key.reveal() == secrets().vault_key.reveal()
            assert opened.secrets.key_pair.public == secrets().key_pair.public
            assert opened.holders == tuple(public(number) for number in there[:threshold])


def test_the_largest_slot_fits_into_the_header() -> None:
    holders = [public(number) for number in range(MOST_HOLDERS)]
    largest = max(len(make_recovery_slot(threshold, holders, VAULT, WORKSTATION, secrets())) for threshold in range(2, MOST_HOLDERS + 1))
    assert largest * 4 / 3 < LARGEST_BYTES / 3


@pytest.mark.parametrize(
    ("threshold", "numbers", "code"),
    [
        (1, (0, 1), "recovery.threshold"),  # a holder alone must open nothing
        (0, (0, 1), "recovery.threshold"),
        (-1, (0, 1), "recovery.threshold"),
        (3, (0, 1), "recovery.threshold"),
        (2, (), "recovery.threshold"),
        (2, tuple(range(MOST_HOLDERS + 1)), "recovery.threshold"),
        (2, (0, 1, 1), "recovery.same-holder"),
    ],
)
def test_what_cannot_be_enrolled(threshold: int, numbers: Sequence[int], code: str) -> None:
    holders = [public(number) for number in numbers]
    assert outcome(lambda: make_recovery_slot(threshold, holders, VAULT, WORKSTATION, secrets())) == f"RefusedError {code}"


# ---- the attacks ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parts:
    """A slot of 2 of 3, taken apart: [threshold, fingerprints, [[members, sealed], ...], payload]."""

    head: bytes
    threshold: int
    fingerprints: tuple[bytes, ...]
    wraps: tuple[tuple[tuple[int, ...], bytes], ...]
    payload: bytes

    def joined(self) -> bytes:
        wraps = [[list(members), sealed] for members, sealed in self.wraps]
        return self.head + msgspec.msgpack.encode([self.threshold, list(self.fingerprints), wraps, self.payload])


def parts(of: bytes | None = None) -> Parts:
    of = of or slot(2, 3)
    threshold, fingerprints, wraps, payload = msgspec.msgpack.decode(of[2:])
    return Parts(of[:2], threshold, tuple(fingerprints), tuple((tuple(members), sealed) for members, sealed in wraps), payload)


def flipped(value: bytes, at: int = -1) -> bytes:
    changed = bytearray(value)
    changed[at] ^= 1
    return bytes(changed)


def swapped_wraps() -> bytes:
    (first, one), (second, other), third = parts().wraps
    return replace(parts(), wraps=((first, other), (second, one), third)).joined()


def altered_wrap(at: int) -> bytes:
    (members, sealed), *others = parts().wraps
    return replace(parts(), wraps=((members, flipped(sealed, at)), *others)).joined()


def renamed_wrap() -> bytes:
    _, (_, sealed), *_ = parts().wraps  # what 0 and 2 open, said to be 0's and 1's
    return replace(parts(), wraps=(((0, 1), sealed),)).joined()


def of_another_enrolment(field: str) -> bytes:
    other = parts(make_recovery_slot(2, [public(number) for number in range(3)], VAULT, WORKSTATION, secrets()))
    return replace(parts(), **{field: getattr(other, field)}).joined()


def relabelled() -> bytes:
    """A stranger's fingerprint in a holder's place, so that the stranger counts."""
    first, _, third = parts().fingerprints
    stranger = parts(make_recovery_slot(2, [public(7), public(8)], VAULT, WORKSTATION, secrets())).fingerprints[0]
    return replace(parts(), fingerprints=(first, stranger, third)).joined()


GOOD, SHORT, BAD, ALTERED = "opens", "RefusedError recovery.too-few", "TamperError slot.malformed", "TamperError recovery.altered"

ATTACKS: list[tuple[str, Callable[[], bytes], Sequence[int], str]] = [
    # what was done to the slot or by whom -> the slot, whose keys are there, the outcome
    ("no attack", lambda: slot(2, 3), (0, 1), GOOD),
    ("one more holder than needed", lambda: slot(2, 3), (0, 1, 2), GOOD),
    ("nobody", lambda: slot(2, 3), (), SHORT),
    ("one holder", lambda: slot(2, 3), (0,), SHORT),
    ("one holder twice", lambda: slot(2, 3), (0, 0), SHORT),
    ("one holder and a stranger", lambda: slot(2, 3), (0, 7), SHORT),
    ("two strangers", lambda: slot(2, 3), (7, 8), SHORT),
    ("the threshold said to be one", lambda: replace(parts(), threshold=1).joined(), (0,), BAD),
    ("the threshold raised", lambda: replace(parts(), threshold=3).joined(), (0, 1, 2), ALTERED),
    ("a wrap said to be one holder's", lambda: replace(parts(), wraps=(((0,), parts().wraps[0][1]),)).joined(), (0,), SHORT),
    ("wraps swapped", swapped_wraps, (0, 1), ALTERED),
    ("a wrap of others given these members", renamed_wrap, (0, 1), ALTERED),
    ("no wraps", lambda: replace(parts(), wraps=()).joined(), (0, 1), ALTERED),
    ("a wrap's last byte", lambda: altered_wrap(-1), (0, 1), ALTERED),
    ("a wrap's first byte", lambda: altered_wrap(0), (0, 1), ALTERED),
    ("a wrap's encapsulated key", lambda: altered_wrap(100), (0, 1), ALTERED),
    ("another wrap than the one needed", lambda: altered_wrap(-1), (1, 2), GOOD),
    ("the payload", lambda: replace(parts(), payload=flipped(parts().payload)).joined(), (0, 1), ALTERED),
    ("the payload of another enrolment", lambda: of_another_enrolment("payload"), (0, 1), ALTERED),
    ("the wraps of another enrolment", lambda: of_another_enrolment("wraps"), (0, 1), ALTERED),
    ("a stranger's fingerprint in a holder's place", relabelled, (0, 7), ALTERED),
    ("holders in another order", lambda: replace(parts(), fingerprints=parts().fingerprints[::-1]).joined(), (0, 1), ALTERED),
    ("one byte short", lambda: slot(2, 3)[:-1], (0, 1), BAD),
    ("half of it", lambda: slot(2, 3)[: len(slot(2, 3)) // 2], (0, 1), BAD),
    ("its head only", lambda: slot(2, 3)[:2], (0, 1), BAD),
    ("nothing", lambda: b"", (0, 1), BAD),
    ("one byte more", lambda: slot(2, 3) + b"\0", (0, 1), BAD),
    ("another suite", lambda: b"\2" + slot(2, 3)[1:], (0, 1), BAD),
    ("another version", lambda: slot(2, 3)[:1] + b"\2" + slot(2, 3)[2:], (0, 1), BAD),
]


@pytest.mark.parametrize(("make", "there", "expected"), [one[1:] for one in ATTACKS], ids=[one[0] for one in ATTACKS])
def test_attacks_on_the_slot(make: Callable[[], bytes], there: Sequence[int], expected: str) -> None:
    attacked = make()
    assert outcome(lambda: open_recovery_slot(attacked, [pair(number) for number in there], VAULT)) == expected


def test_the_slot_of_another_vault_does_not_open() -> None:
    assert outcome(lambda: open_recovery_slot(slot(2, 3), [pair(0), pair(1)], VaultId("another"))) == ALTERED


# ---- what a holder keeps --------------------------------------------------------------------------------------------------------------


def test_a_holders_file_opens_with_its_passphrase_alone() -> None:
    content, half = make_holder_file("badge 4001", PASSPHRASE, CHEAP)
    assert HolderPublic.decode(half.encode()) == half
    assert open_holder_file(content, PASSPHRASE).public.kem == half.kem
    assert PASSPHRASE.reveal() not in content
    other, other_half = make_holder_file("badge 4001", PASSPHRASE, CHEAP)
    assert other_half.thumbprint != half.thumbprint
    swapped = msgspec.json.encode({**msgspec.json.decode(content), "sealed": msgspec.json.decode(other)["sealed"]})
    cheap = msgspec.json.decode(content, type=dict[str, str])
    attacks = [
        ("the wrong passphrase", content, Secret(b"granite window orchards"), "RefusedError recovery.not-recognised"),
        ("another holder's sealed half", swapped, PASSPHRASE, "RefusedError recovery.not-recognised"),
        ("truncated", content[:-9], PASSPHRASE, "RefusedError recovery.not-a-holder-file"),
        ("something else", b"{}", PASSPHRASE, "RefusedError recovery.not-a-holder-file"),
        ("no text", b"\xff\xfe", PASSPHRASE, "RefusedError recovery.not-a-holder-file"),
        ("another format", msgspec.json.encode({**cheap, "format": "x"}), PASSPHRASE, "RefusedError recovery.not-a-holder-file"),
    ]
    for name, attacked, passphrase, expected in attacks:
        assert outcome(lambda: open_holder_file(attacked, passphrase)) == expected, name  # noqa: B023


@pytest.mark.parametrize("text", ["", "hello", "casevault-holder-1", "casevault-holder-1 AAAA x", "casevault-holder-1 ==== x"])
def test_what_is_no_public_half(text: str) -> None:
    with pytest.raises(RefusedError, match=r"^recovery\.not-a-public-half"):
        HolderPublic.decode(text)


@pytest.mark.parametrize("label", ["", " ", " x", "x\ny", "\x1b[2J", "x" * (LABEL_MOST_CHARACTERS + 1)])
def test_a_label_is_one_printable_line(label: str) -> None:
    assert outcome(lambda: make_holder_file(label, PASSPHRASE, CHEAP)) == "RefusedError recovery.label"


def test_a_public_half_with_a_control_character_is_none() -> None:
    line = public(0).encode()
    assert HolderPublic.decode(f"one line before\n{line}\nand one after\n") == public(0)
    with pytest.raises(RefusedError, match=r"^recovery\.not-a-public-half"):
        HolderPublic.decode(line + "\x1b[2J")
