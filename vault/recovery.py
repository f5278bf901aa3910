"""Break-glass for dead key servers: the holders of the recovery slot are enrolled, and open the vault for hours.

Rules:

- Holders are enrolled by two people: an administrator proposes them, a supervisor agrees within a quarter of an hour to the very same. Each
  act is in the trail before anything changes. A new slot replaces the old one; the old holders open nothing of this header.
- What enough holders open is the vault at workstation level, on the workstation that enrolled them, for a bounded time. People still sign
  in with passphrase and code: a holder's key gives no case and no person's key.
- Commit first: the audit entry and the report are in the vault before anything is written that opens it again without the key servers.
- Who is refused is recorded: a report is sealed, with counts, or the thumbprint that the file names (`vault.spooling`).
- The window has no way of its own: what `services.recovery` serves there is `HoldersGround`, over the same functions as the command line.
- In the trail holders stand by their thumbprints, in the report, which only supervisors read, by what the station calls them too.

LIMIT: the hours are kept by this product. Whoever holds a copy of the vault and the keyring made within them opens it with a program of
their own; so does whoever gathers a copy of the vault and enough holders' files and passphrases, anywhere: that is what the slot is for. An
old copy of the header keeps the old slot. Who may set the workstation's clock can spread the open hours over more days; the clock may not
go behind the trail.

Thread: one, with `threads.InlineThreads`: the command line's, or the keys lane of a vault process whose vault did not open.
Source: DESIGN §3; issue 4. Decision record 0018.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vault.assembly import Vault, open_vault
from vault.crypto.keypairs import KeyPair
from vault.crypto.premises import PremisesLock
from vault.crypto.recovery import (
    HolderPublic,
    Recovered,
    SlotHolders,
    holder_of_file,
    open_holder_file,
    open_recovery_slot,
    require_holders,
    slot_holders,
)
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.breach import Signal, SignalKind
from vault.domain.duration import HOUR_US
from vault.domain.identity import Role
from vault.domain.policy import Policy
from vault.errors import RefusedError, VaultError
from vault.premises import OpenedSlot
from vault.secret import Secret
from vault.services.events import Event
from vault.services.page_memory import PageMemory
from vault.services.ports import AuditFilter, Clock, Entropy, SecretKeeper
from vault.services.recovery import PROPOSAL_US, HolderKey, HolderLine, OpenedByHolders, RecoverySlotFacts
from vault.services.views import BreachNotice
from vault.storage.header import HEADER_NAME, UnverifiedHeader, read_unverified_header
from vault.threads import InlineThreads

DEFAULT_HOURS: Final = 8
MOST_HOURS: Final = 24
_LARGEST_FILE_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class RecoveryOpened:
    """What the holders opened."""

    holders: tuple[HolderPublic, ...]
    ends_us: int  # UTC microseconds
    notice: BreachNotice


def propose_holders(vault: Vault, threshold: int, holders: Sequence[HolderPublic]) -> None:
    """Ask for a recovery slot, as the administrator who is signed in.

    Raises:
        RefusedError: session.locked, access.not-your-role, recovery.threshold, recovery.same-holder.
    Audit: recovery.proposed.
    """
    world = vault.world

    def enter() -> None:
        world.require(Role.ADMINISTRATOR)
        require_holders(threshold, holders)
        said = _said(threshold, holders)
        world.store.append_audit(world.draft(AuditKind.RECOVERY_PROPOSED, threshold=said[0], holders=said[1]))

    world.on_control(enter)


def enrol_holders(vault: Vault, threshold: int, holders: Sequence[HolderPublic]) -> None:
    """Agree to what an administrator proposed, as the supervisor who is signed in; the header then holds the slot.

    Raises:
        RefusedError: session.locked, access.not-your-role, recovery.threshold, recovery.same-holder, recovery.not-proposed.
        UnavailableError: storage.*, header.*; the slot of before is untouched.
    Audit: recovery.enrolled.
    """
    world = vault.world

    def enter() -> None:
        session = world.require(Role.SUPERVISOR)
        require_holders(threshold, holders)
        said = _said(threshold, holders)
        since_us = world.clock.now_us() - PROPOSAL_US
        for entry in world.store.audit_entries(AuditFilter(kinds=(AuditKind.RECOVERY_PROPOSED.value,), from_us=since_us), 0, 1):
            proposed = dict(json.loads(entry.facts))
            if (proposed["threshold"], proposed["holders"]) == said and entry.actor_id != session.person.person_id:
                world.store.append_audit(world.draft(AuditKind.RECOVERY_ENROLLED, threshold=said[0], holders=said[1]))
                return
        raise RefusedError("recovery.not-proposed")

    world.on_control(enter)
    vault.binding.enrol_recovery(threshold, holders)


def open_by_holders(
    directory: Path,
    pairs: Sequence[KeyPair],
    keeper_for: Callable[[str], SecretKeeper],
    clock: Clock,
    entropy: Entropy,
    policy: Policy,
    pages: PageMemory,
    publish: Callable[[Event], None] = lambda _event: None,
    hours: int = DEFAULT_HOURS,
) -> RecoveryOpened:
    """Open a vault with its holders' keys, so that this workstation opens it without its key servers for `hours`.

    Args:
        directory: the vault.
        pairs: the key pairs of those who are here.
        keeper_for: gives the OS keyring for a vault id.
        clock: time.
        entropy: random bytes.
        policy: what the product ships.
        pages: needed to open a vault; no page is shown.
        publish: told every event after its commit.
        hours: 1 to MOST_HOURS.

    Raises:
        RefusedError: recovery.none, recovery.too-few.
        TamperError: recovery.altered, slot.malformed, and as `open_vault`.
        UnavailableError: header.*, keyring.*, storage.*.
    Audit: vault.opened, recovery.opened, breach.recorded.
    """
    found: list[Recovered] = []

    def opened_by(unverified: UnverifiedHeader) -> OpenedSlot:
        if unverified.recovery_slot is None:
            raise RefusedError("recovery.none")
        one = open_recovery_slot(unverified.recovery_slot, pairs, unverified.vault_id)
        found.append(one)
        locked = unverified.premises_lock(one.workstation_id)
        return OpenedSlot(one.workstation_id, one.secrets, PremisesLock.decode(locked) if locked is not None else None)

    vault = open_vault(directory, keeper_for, clock, entropy, policy, InlineThreads(), publish, pages, opened_by=opened_by)
    try:
        vault.report_opening()
        holders = found[0].holders
        began_us = clock.now_us()
        hours = min(max(1, hours), MOST_HOURS)
        ends_us = began_us + hours * HOUR_US
        thumbprints = " ".join(one.thumbprint for one in holders)
        vault.store.append_audit(AuditDraft(AuditKind.RECOVERY_OPENED, facts=(("holders", thumbprints), ("ends_us", ends_us))))
        named = tuple((f"holder_{number}", f"{one.label} {one.thumbprint}") for number, one in enumerate(holders, 1))
        notice = vault.breaches.record(Signal(SignalKind.RECOVERY_OPENED, began_us, (*named, ("hours", hours))))
        vault.binding.open_recovery(began_us, ends_us)
    finally:
        vault.witness.seal_now()
        vault.close()
    return RecoveryOpened(holders, ends_us, notice)


def read_small_file(path: Path) -> bytes:
    """Read a holder's file, or the file of a public half: a regular one, its first 64 KiB. Raises RefusedError recovery.file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place is not waited for
        with open(descriptor, "rb") as file:  # noqa: PTH123 - opened without waiting
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise RefusedError("recovery.file")
            return file.read(_LARGEST_FILE_BYTES)
    except (OSError, ValueError) as error:
        raise RefusedError("recovery.file") from error


@dataclass(frozen=True, slots=True)
class _Come:
    """A holder who has come."""

    public: HolderPublic
    pair: KeyPair

    @property
    def name(self) -> str:
        return self.public.label

    @property
    def thumbprint(self) -> str:
        return self.public.thumbprint


class HoldersGround:
    """`services.recovery.RecoveryGround` over this machine's files and keyring. Its caller holds the vault's lock."""

    def __init__(
        self,
        directory: Path,
        keeper_for: Callable[[str], SecretKeeper],
        clock: Clock,
        entropy: Entropy,
        policy: Policy,
        note: Callable[[VaultError], object],
    ) -> None:
        """Touch nothing yet; `note` seals a report about who is refused."""
        self._directory = directory
        self._keeper_for = keeper_for
        self._clock = clock
        self._entropy = entropy
        self._policy = policy
        self._note = note

    def facts(self) -> RecoverySlotFacts:
        """Tell what the slot in the header asks for.

        Raises:
            RefusedError: recovery.none; TamperError: slot.malformed, header.replaced; UnavailableError: header.*.
        """
        asked = self._slot()
        return RecoverySlotFacts(asked.threshold, len(asked.fingerprints), DEFAULT_HOURS, MOST_HOURS)

    def holder(self, path: str, passphrase: Secret) -> HolderKey:
        """Open a holder's file, for a holder of this slot.

        Raises:
            RefusedError: recovery.file, recovery.not-a-holder-file, recovery.not-recognised, recovery.not-a-holder.
            TamperError, UnavailableError: as `facts`.
        """
        try:
            content = read_small_file(Path(path))
            come = _Come(holder_of_file(content), open_holder_file(content, passphrase))
            if not self._slot().has(come.public):
                raise RefusedError("recovery.not-a-holder", holder=come.thumbprint)
        except VaultError as error:
            self._note(error)
            raise
        return come

    def open(self, keys: Sequence[HolderKey], hours: int) -> OpenedByHolders:
        """Open the vault with their keys. Raises and audits as `open_by_holders`."""
        pages = PageMemory.create()
        try:
            pairs = [one.pair for one in keys if isinstance(one, _Come)]
            opened = open_by_holders(self._directory, pairs, self._keeper_for, self._clock, self._entropy, self._policy, pages, hours=hours)
        except VaultError as error:
            self._note(error)
            raise
        finally:
            pages.close()
        return OpenedByHolders(opened.ends_us, opened.notice.report_no)

    def _slot(self) -> SlotHolders:
        slot = read_unverified_header(self._directory / HEADER_NAME).recovery_slot
        if slot is None:
            raise RefusedError("recovery.none")
        return slot_holders(slot)


class EnrolmentGround:
    """`services.recovery.EnrolmentGround` over an open vault. Thread: the keys lane, as every change of the header."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def slot(self) -> tuple[int, tuple[str, ...]] | None:
        """(threshold, thumbprints in the order of enrolment) of the slot in the header. Raises TamperError slot.malformed."""
        slot = self._vault.binding.recovery_slot
        if slot is None:
            return None
        held = slot_holders(slot)
        return held.threshold, held.thumbprints

    def public_half(self, path: str) -> HolderLine:
        """Read the file of a public half. Raises RefusedError recovery.file, recovery.not-a-public-half."""
        public = HolderPublic.decode(read_small_file(Path(path)).decode(errors="replace"))
        return HolderLine(public.label, public.thumbprint, public.encode())

    def propose(self, threshold: int, publics: Sequence[str]) -> None:
        """Raises and audits as `propose_holders`; RefusedError recovery.not-a-public-half."""
        propose_holders(self._vault, threshold, tuple(map(HolderPublic.decode, publics)))

    def enrol(self, threshold: int, publics: Sequence[str]) -> None:
        """Raises and audits as `enrol_holders`; RefusedError recovery.not-a-public-half."""
        enrol_holders(self._vault, threshold, tuple(map(HolderPublic.decode, publics)))


def _said(threshold: int, holders: Sequence[HolderPublic]) -> tuple[int, str]:
    return threshold, " ".join(one.thumbprint for one in holders)
