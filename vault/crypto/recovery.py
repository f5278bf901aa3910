"""The recovery slot: what opens a vault whose key servers are dead, in the hands of t of n holders together.

Rules of this module:

- A recovery key is drawn once an enrolment. For each subset of `threshold` holders it is sealed by HPKE to the first of them, that to the
  second, and so on: no sharing scheme, only nested use of `keypairs.seal_to` (n holders of whom t: n over t wraps).
- At least two holders open it: one holder's key alone opens nothing.
- The recovery key seals what a workstation slot holds, and what the station calls its holders, so that no name stands in the clear header.
- Every layer of a wrap is bound to the vault, the holders in their order, the subset and its depth; the payload to the vault and the
  holders: a wrap in another's place, of another vault or altered does not open.
- HPKE does not say who sealed. What the slot gives is only believed once the header verifies under it.
- A holder's private half stands under a passphrase in a file of its own, as a person's does in the register: Argon2id with its floor.

Thread: any; a holder's file takes as long as a sign-in.
Source: DESIGN §3; RFC 9180, RFC 9106.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from vault.crypto.keypairs import KeyPair, generate_key_pair, seal_to
from vault.crypto.sealing import bind, derive, new_key, seal, unseal
from vault.crypto.slots import Argon2Cost, WorkstationSecrets, make_person_slot, open_person_slot
from vault.domain.identity import PersonId, VaultId, WorkstationId
from vault.errors import DefectError, RefusedError, TamperError
from vault.secret import Secret

FEWEST_HOLDERS: Final = 2
MOST_HOLDERS: Final = 7  # 35 wraps at most, so that the slot stays below a third of the largest header
LABEL_MOST_CHARACTERS: Final = 60

_HEAD: Final = bytes((1, 1))  # suite (as keypairs' and sealing's), version
_PUBLIC_PREFIX: Final = "casevault-holder-1"
_THUMBPRINT_BYTES: Final = 16
_KEM_BYTES: Final = 1216


@dataclass(frozen=True, slots=True)
class HolderPublic:
    """The public half of a holder, and what the station calls them."""

    label: str  # 1 to LABEL_MOST_CHARACTERS characters, such as a badge number
    kem: bytes  # 1216 bytes, to seal to

    @property
    def thumbprint(self) -> str:
        """128 bits of SHA-256 over the key, in groups of four to be read aloud."""
        return _thumbprint(_fingerprint(self.kem))

    def encode(self) -> str:
        """Write it as one line of text."""
        return f"{_PUBLIC_PREFIX} {base64.b64encode(self.kem).decode()} {self.label}"

    @staticmethod
    def decode(text: str) -> HolderPublic:
        """Read the first such line of a text. Raises RefusedError recovery.not-a-public-half."""
        for line in text.splitlines():
            prefix, _, rest = line.strip().partition(" ")
            if prefix == _PUBLIC_PREFIX:
                encoded, _, label = rest.partition(" ")
                try:
                    kem = base64.b64decode(encoded, validate=True)
                    if len(kem) == _KEM_BYTES and _is_label(label):
                        seal_to(kem, b"", b"")  # it is a key
                        return HolderPublic(label, kem)
                except (binascii.Error, DefectError) as error:
                    raise RefusedError("recovery.not-a-public-half") from error
        raise RefusedError("recovery.not-a-public-half")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the holders opened."""

    workstation_id: WorkstationId
    secrets: WorkstationSecrets
    holders: tuple[HolderPublic, ...]  # those whose keys opened it, in the order of enrolment


@dataclass(frozen=True, slots=True)
class SlotHolders:
    """What a slot says of its holders in clear."""

    threshold: int
    fingerprints: tuple[bytes, ...]

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The holders', in the order of enrolment."""
        return tuple(map(_thumbprint, self.fingerprints))

    def has(self, public: HolderPublic) -> bool:
        """Whether this is one of them."""
        return _fingerprint(public.kem) in self.fingerprints


class _HolderFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    label: str
    kem: bytes
    sealed: bytes


class _Wrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    members: tuple[int, ...]
    sealed: bytes


class _Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    threshold: int
    fingerprints: tuple[bytes, ...]
    wraps: tuple[_Wrap, ...]
    payload: bytes


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    workstation_id: str
    labels: tuple[str, ...]
    secrets: bytes


def make_holder_file(label: str, passphrase: Secret, cost: Argon2Cost) -> tuple[bytes, HolderPublic]:
    """Draw a holder's key pair.

    Args:
        label: what the station calls this holder.
        passphrase: one that `check_passphrase` let through.
        cost: what a guess at it costs.

    Returns:
        the content of the holder's file, and the public half for the station.

    Raises:
        RefusedError: recovery.label, passphrase.not-text.
    """
    if not _is_label(label):
        raise RefusedError("recovery.label", most=LABEL_MOST_CHARACTERS)
    pair = generate_key_pair()
    public = HolderPublic(label, pair.public.kem)
    sealed = make_person_slot(passphrase, _holder_id(public.kem), pair.export_private(), cost)
    return msgspec.json.encode(_HolderFile(_PUBLIC_PREFIX, label, public.kem, sealed)), public


def open_holder_file(content: bytes, passphrase: Secret) -> KeyPair:
    """Open a holder's file.

    Raises:
        RefusedError: recovery.not-a-holder-file; recovery.not-recognised, wrong passphrase or altered, with the thumbprint the file names.
    """
    held = _decode_holder_file(content)
    refused = RefusedError("recovery.not-recognised", holder=HolderPublic(held.label, held.kem).thumbprint)
    try:
        pair = KeyPair.from_private(open_person_slot(held.sealed, passphrase, _holder_id(held.kem)))
    except (RefusedError, TamperError) as error:  # a file that is damaged says nothing of the vault
        raise refused from error
    if pair.public.kem != held.kem:
        raise refused
    return pair


def holder_of_file(content: bytes) -> HolderPublic:
    """Give what a holder's file says in clear: the public half, and a name. Raises RefusedError recovery.not-a-holder-file."""
    held = _decode_holder_file(content)
    return HolderPublic(held.label, held.kem)


def make_recovery_slot(
    threshold: int, holders: Sequence[HolderPublic], vault_id: VaultId, workstation_id: WorkstationId, secrets: WorkstationSecrets
) -> bytes:
    """Seal what a workstation slot holds to every `threshold` of the holders.

    Args:
        threshold: how many open it together, FEWEST_HOLDERS to all.
        holders: at most MOST_HOLDERS, each another.
        vault_id: the vault.
        workstation_id: the workstation whose secrets these are.
        secrets: what is sealed.

    Raises:
        RefusedError: recovery.threshold, recovery.same-holder.
    """
    require_holders(threshold, holders)
    fingerprints = tuple(_fingerprint(one.kem) for one in holders)
    recovery_key = new_key()
    wraps = []
    for members in itertools.combinations(range(len(holders)), threshold):
        sealed = recovery_key.reveal()
        for depth, member in enumerate(members):
            sealed = seal_to(holders[member].kem, sealed, _wrap_place(vault_id, threshold, fingerprints, members, depth))
        wraps.append(_Wrap(members, sealed))
    payload = _Payload(workstation_id, tuple(one.label for one in holders), secrets.encode().reveal())
    place = _payload_place(vault_id, threshold, fingerprints)
    sealed = seal(_payload_key(recovery_key, vault_id), msgspec.msgpack.encode(payload), place)
    return _HEAD + msgspec.msgpack.encode(_Slot(threshold, fingerprints, tuple(wraps), sealed))


def require_holders(threshold: int, holders: Sequence[HolderPublic]) -> None:
    """Return if a slot can be made for these. Raises RefusedError recovery.threshold, recovery.same-holder."""
    if not FEWEST_HOLDERS <= threshold <= len(holders) <= MOST_HOLDERS:
        raise RefusedError("recovery.threshold", holders=len(holders), fewest=FEWEST_HOLDERS, most=MOST_HOLDERS)
    if len({one.kem for one in holders}) < len(holders):
        raise RefusedError("recovery.same-holder")


def slot_holders(slot: bytes) -> SlotHolders:
    """Tell what a slot says of its holders, which nothing vouches for yet. Raises TamperError slot.malformed."""
    stored = _decode(slot)
    return SlotHolders(stored.threshold, stored.fingerprints)


def open_recovery_slot(slot: bytes, pairs: Iterable[KeyPair], vault_id: VaultId) -> Recovered:
    """Open the slot with the keys of enough holders.

    Args:
        slot: from a header that nothing vouches for yet.
        pairs: the holders' key pairs; one twice is one.
        vault_id: the vault.

    Raises:
        RefusedError: recovery.too-few, fewer of these are holders of this slot than must be.
        TamperError: slot.malformed; recovery.altered: enough holders, and it does not open.
    """
    stored = _decode(slot)
    numbers = {fingerprint: number for number, fingerprint in enumerate(stored.fingerprints)}
    present = {numbers[found]: pair for pair in pairs if (found := _fingerprint(pair.public.kem)) in numbers}
    if len(present) < stored.threshold:
        raise RefusedError("recovery.too-few", present=len(present), threshold=stored.threshold)
    members = tuple(sorted(present)[: stored.threshold])
    wrap = next((one for one in stored.wraps if one.members == members), None)
    if wrap is None:
        raise TamperError("recovery.altered")
    try:
        sealed = wrap.sealed
        for depth in reversed(range(len(members))):
            place = _wrap_place(vault_id, stored.threshold, stored.fingerprints, members, depth)
            sealed = present[members[depth]].open_sealed(sealed, place).reveal()
        key = _payload_key(Secret(sealed), vault_id)
        plain = unseal(key, stored.payload, _payload_place(vault_id, stored.threshold, stored.fingerprints))
        payload = msgspec.msgpack.decode(plain, type=_Payload)
    except (TamperError, msgspec.MsgspecError) as error:
        raise TamperError("recovery.altered") from error
    holders = tuple(HolderPublic(payload.labels[number], present[number].public.kem) for number in members)
    return Recovered(WorkstationId(payload.workstation_id), WorkstationSecrets.decode(Secret(payload.secrets)), holders)


def _decode_holder_file(content: bytes) -> _HolderFile:
    try:
        held = msgspec.json.decode(content, type=_HolderFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RefusedError("recovery.not-a-holder-file") from error
    if held.format != _PUBLIC_PREFIX or not _is_label(held.label):
        raise RefusedError("recovery.not-a-holder-file")
    return held


def _decode(slot: bytes) -> _Slot:
    if bytes(slot[: len(_HEAD)]) != _HEAD:
        raise TamperError("slot.malformed")
    try:
        stored = msgspec.msgpack.decode(slot[len(_HEAD) :], type=_Slot)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TamperError("slot.malformed") from error
    if not FEWEST_HOLDERS <= stored.threshold <= len(stored.fingerprints) <= MOST_HOLDERS:
        raise TamperError("slot.malformed")
    return stored


def _wrap_place(vault_id: VaultId, threshold: int, fingerprints: Sequence[bytes], members: Sequence[int], depth: int) -> bytes:
    return bind("recovery-wrap", _HEAD, vault_id, threshold, bind(*fingerprints), bind(*members), depth)


def _payload_place(vault_id: VaultId, threshold: int, fingerprints: Sequence[bytes]) -> bytes:
    return bind("recovery-payload", _HEAD, vault_id, threshold, *fingerprints)


def _payload_key(recovery_key: Secret, vault_id: VaultId) -> Secret:
    return derive(recovery_key, "recovery-slot", _HEAD, vault_id)


def _fingerprint(kem: bytes) -> bytes:
    return hashlib.sha256(kem).digest()


def _thumbprint(fingerprint: bytes) -> str:
    digits = fingerprint[:_THUMBPRINT_BYTES].hex()
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _holder_id(kem: bytes) -> PersonId:
    """What the slot in a holder's file is bound to; no person's id looks like it."""
    return PersonId(f"recovery-holder {_fingerprint(kem).hex()}")


def _is_label(label: str) -> bool:
    return 0 < len(label.strip()) == len(label) <= LABEL_MOST_CHARACTERS and label.isprintable()
