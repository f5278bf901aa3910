"""Break-glass in the window: the recovery slot's holders are enrolled, and come one after the other to open the vault for hours.

Rules of `RecoveryHolders`, served by an open vault:

- Enrolled is by two people in two sessions: an administrator proposes, a supervisor agrees to the very same within PROPOSAL_US, bringing
  the same files. What stands proposed and who agreed is read from the trail; there is no other state.
- A public half crosses as the line of text it is, so that what was compared on screen is what is proposed.

Rules of `Recovery`:

- Served by a vault process whose vault did not open, and only where its header has a recovery slot and no key server answers, or the
  keyring has nothing for it (`vault.premises.is_for_holders`).
- A holder's key is unwrapped here and stays here; the interface sends a path and a passphrase, and is told names and counts.
- Who is given is let go GIVEN_SECONDS after the last of them came, and with this process: whoever cancels ends it.
- What opens the vault is what the command line opens it with (`vault.recovery`); here it is only counted who has come.

Source: decision record 0018. Thread: the keys lane; `let_go_overdue` from any.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from vault.domain.audit import AuditEntry, AuditKind
from vault.domain.duration import MINUTE_US
from vault.domain.identity import PersonId, Role
from vault.errors import RefusedError
from vault.secret import Passphrase, Secret, secret_of
from vault.services.operation import Lane, Priority, operation
from vault.services.ports import AuditFilter, Clock
from vault.services.views import PersonBrief
from vault.services.world import World

GIVEN_SECONDS: Final = 600
PROPOSAL_US: Final = 15 * MINUTE_US
_LOOKED_AT: Final = 50  # of the trail's newest enrolments and proposals


@dataclass(frozen=True, slots=True)
class RecoverySlotFacts:
    """What the header says of its slot. Nothing vouches for it before the slot is open."""

    threshold: int  # so many holders open it together
    holders: int  # of so many
    usual_hours: int
    most_hours: int


@dataclass(frozen=True, slots=True)
class HolderLine:
    """A public half, read from its file."""

    name: str
    thumbprint: str
    public: str  # one line of text


@dataclass(frozen=True, slots=True)
class HoldersProposed:
    """What an administrator proposed, and nobody has agreed to yet."""

    by: PersonBrief | None
    at_us: int
    ends_us: int  # until then a supervisor may agree
    threshold: int
    thumbprints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """The recovery slot of this vault's header."""

    threshold: int  # 0: there is none
    thumbprints: tuple[str, ...]
    since_us: int  # 0: the trail's newest entries do not say
    agreed_by: PersonBrief | None
    proposed: HoldersProposed | None


@dataclass(frozen=True, slots=True)
class HoldersHere:
    """Who has come so far, as the holders' own files call them, in the order they came."""

    names: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class OpenedByHolders:
    """What they opened."""

    ends_us: int  # UTC microseconds
    report_no: str


class HolderKey(Protocol):
    """One holder who has come: what their file calls them, and a key that nothing here looks into."""

    @property
    def name(self) -> str:
        """What the holder's file says, which nothing vouches for."""

    @property
    def thumbprint(self) -> str:
        """Of the public half."""


class RecoveryGround(Protocol):
    """Where a vault is opened by its holders: `vault.recovery` reads files, opens slots and seals reports of who was refused."""

    def facts(self) -> RecoverySlotFacts:
        """What the slot asks for. Raises RefusedError recovery.none; TamperError slot.malformed; UnavailableError header.*."""

    def holder(self, path: str, passphrase: Secret) -> HolderKey:
        """Open a holder's file. Raises RefusedError recovery.*; who is refused is in a sealed report by then."""

    def open(self, keys: Sequence[HolderKey], hours: int) -> OpenedByHolders:
        """Open the vault for hours. Raises as `vault.recovery.open_by_holders`; who is refused is in a sealed report by then."""


class EnrolmentGround(Protocol):
    """What of an open vault enrolment needs: `vault.recovery` has it."""

    def slot(self) -> tuple[int, tuple[str, ...]] | None:
        """(threshold, thumbprints) of the slot in the header, None without one. Raises TamperError slot.malformed."""

    def public_half(self, path: str) -> HolderLine:
        """Read the file of a public half. Raises RefusedError recovery.file, recovery.not-a-public-half."""

    def propose(self, threshold: int, publics: Sequence[str]) -> None:
        """Raises and audits as `vault.recovery.propose_holders`."""

    def enrol(self, threshold: int, publics: Sequence[str]) -> None:
        """Raises and audits as `vault.recovery.enrol_holders`."""


class RecoveryHolders:
    """Who may open this vault together, and enrolling others."""

    def __init__(self, world: World, ground: EnrolmentGround) -> None:
        self._world = world
        self._ground = ground

    @operation(Priority.QUERY, Lane.KEYS)
    def state(self) -> RecoveryState:
        """Tell the recovery slot, and what stands proposed. Raises RefusedError access.not-your-role; TamperError slot.malformed."""
        self._require()
        slot = self._ground.slot()
        return self._world.on_control(lambda: self._state(slot), Priority.QUERY)

    @operation(Priority.QUERY, Lane.KEYS)
    def public_half(self, path: str) -> HolderLine:
        """Read the file of a holder's public half. Raises RefusedError access.not-your-role, recovery.file, recovery.not-a-public-half."""
        self._require()
        return self._ground.public_half(path)

    @operation(Priority.CHANGE, Lane.KEYS)
    def propose(self, threshold: int, publics: tuple[str, ...]) -> RecoveryState:
        """Ask for these holders.

        Raises:
            RefusedError: access.not-your-role, recovery.threshold, recovery.same-holder, recovery.not-a-public-half.
        Audit: recovery.proposed.
        """
        self._ground.propose(threshold, publics)
        return self.state()

    @operation(Priority.CHANGE, Lane.KEYS)
    def enrol(self, threshold: int, publics: tuple[str, ...]) -> RecoveryState:
        """Agree to these holders; they replace those before.

        Raises:
            RefusedError: as `propose`, and recovery.not-proposed.
            UnavailableError: storage.*, header.*; the slot of before is untouched.
        Audit: recovery.enrolled.
        """
        self._ground.enrol(threshold, publics)
        return self.state()

    def _require(self) -> None:
        self._world.on_control(lambda: self._world.require(Role.ADMINISTRATOR, Role.SUPERVISOR), Priority.QUERY)

    def _state(self, slot: tuple[int, tuple[str, ...]] | None) -> RecoveryState:
        world = self._world
        kinds = (AuditKind.RECOVERY_PROPOSED, AuditKind.RECOVERY_ENROLLED)
        entries = world.store.audit_entries(AuditFilter(kinds=tuple(one.value for one in kinds)), 0, _LOOKED_AT)
        enrolled = next((one for one in entries if one.kind == AuditKind.RECOVERY_ENROLLED.value and _said(one) == slot), None)
        proposed = None
        for newest in entries[:1]:
            if newest.kind == AuditKind.RECOVERY_PROPOSED.value and newest.at_us > world.clock.now_us() - PROPOSAL_US:
                proposed = HoldersProposed(self._brief(newest), newest.at_us, newest.at_us + PROPOSAL_US, *_said(newest))
        threshold, thumbprints = slot or (0, ())
        if enrolled is None:
            return RecoveryState(threshold, thumbprints, 0, None, proposed)
        return RecoveryState(threshold, thumbprints, enrolled.at_us, self._brief(enrolled), proposed)

    def _brief(self, entry: AuditEntry) -> PersonBrief | None:
        return self._world.directory.brief(PersonId(entry.actor_id))


class Recovery:
    """The holders of the recovery slot at this workstation."""

    def __init__(self, ground: RecoveryGround, clock: Clock) -> None:
        self._ground = ground
        self._clock = clock
        self._turn = threading.Lock()
        self._given: list[HolderKey] = []
        self._given_us = 0  # boot time
        self._overdue = False

    @operation(Priority.QUERY, Lane.KEYS)
    def slot(self) -> RecoverySlotFacts:
        """Tell how many must come together. Raises RefusedError recovery.none; TamperError slot.malformed; UnavailableError header.*."""
        return self._ground.facts()

    @operation(Priority.CHANGE, Lane.KEYS)
    def give(self, path: str, passphrase: Passphrase) -> HoldersHere:
        """Take one holder's key.

        Args:
            path: of the holder's file, absolute.
            passphrase: the holder's own.

        Raises:
            RefusedError: recovery.file, recovery.not-a-holder-file, recovery.not-recognised, recovery.not-a-holder (of this slot),
                recovery.given-already, recovery.given-expired.
            TamperError, UnavailableError: as `slot`.
        """
        self._still_given()
        typed = secret_of(passphrase)
        try:
            key = self._ground.holder(path, typed)
        finally:
            typed.wipe()
        threshold = self._ground.facts().threshold
        with self._turn:
            if key.thumbprint in {one.thumbprint for one in self._given}:
                raise RefusedError("recovery.given-already", holder=key.thumbprint)
            self._given.append(key)
            self._given_us = self._clock.boot_us()
            return HoldersHere(tuple(one.name for one in self._given), threshold)

    @operation(Priority.CHANGE, Lane.KEYS)
    def open(self, hours: int) -> OpenedByHolders:
        """Open the vault with those who have come, so that this workstation opens it without its key servers for `hours`.

        Raises:
            RefusedError: recovery.too-few, recovery.none, recovery.given-expired.
            TamperError, UnavailableError: as `vault.assembly.open_vault`; those who have come may try again.
        Audit: vault.opened, recovery.opened, breach.recorded.
        """
        self._still_given()
        with self._turn:
            keys = tuple(self._given)
        opened = self._ground.open(keys, hours)
        with self._turn:
            self._given.clear()
        return opened

    def let_go_overdue(self) -> None:
        """Let go of those who have come and were not followed in time."""
        with self._turn:
            if self._given and self._clock.boot_us() - self._given_us >= GIVEN_SECONDS * 1_000_000:
                self._given.clear()
                self._overdue = True

    def _still_given(self) -> None:
        self.let_go_overdue()
        with self._turn:
            overdue, self._overdue = self._overdue, False
        if overdue:
            raise RefusedError("recovery.given-expired")


def _said(entry: AuditEntry) -> tuple[int, tuple[str, ...]]:
    """What an entry of a proposal or an enrolment says: (threshold, thumbprints)."""
    facts = dict(json.loads(entry.facts))
    return int(facts["threshold"]), tuple(str(facts["holders"]).split())
