"""Break-glass in the window: the recovery slot's holders come one after the other, and together they open the vault for hours.

Rules:

- Served by a vault process whose vault did not open, and only where its header has a recovery slot and no key server answers, or the
  keyring has nothing for it (`vault.premises.is_for_holders`).
- A holder's key is unwrapped here and stays here; the interface sends a path and a passphrase, and is told names and counts.
- Who is given is let go GIVEN_SECONDS after the last of them came, and with this process: whoever cancels ends it.
- What opens the vault is what the command line opens it with (`vault.recovery`); here it is only counted who has come.

Source: decision record 0018. Thread: the keys lane; `let_go_overdue` from any.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from vault.errors import RefusedError
from vault.secret import Passphrase, Secret, secret_of
from vault.services.operation import Lane, Priority, operation
from vault.services.ports import Clock

GIVEN_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class RecoverySlotFacts:
    """What the header says of its slot. Nothing vouches for it before the slot is open."""

    threshold: int  # so many holders open it together
    holders: int  # of so many
    usual_hours: int
    most_hours: int


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
