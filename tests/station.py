"""A founded station for tests: real SQLCipher, real cryptography, real rendition workers; the services called without a pipe.

The keyring is the in-memory one, held to the real one's contract; time is a `SteppedClock`, so that expiry needs no waiting.

Whom a `Station` founds, enrols or signs in does not pay again for what this process derived before: Argon2id gives the same key for the
same passphrase, salt and cost. A test that calls the vault's own `sign_in` pays, as a person does.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pyotp

from tests.fakes import MemorySecretKeeper
from vault.assembly import Vault, found_vault, open_vault
from vault.crypto import slots
from vault.crypto.slots import Argon2Cost
from vault.domain.casefile import Marking
from vault.domain.identity import Role
from vault.domain.policy import Policy
from vault.errors import VaultError
from vault.secret import Secret
from vault.services.events import Event
from vault.services.page_memory import PageMemory
from vault.services.ports import SecretKeeper
from vault.services.views import CaseLine, Enrolment, Founder, SignedIn
from vault.spooling import Spooling
from vault.threads import InlineThreads

CHEAP = Argon2Cost(memory_kib=64 * 1024, iterations=3, lanes=4)
STATION = "Northgate Police, test station"
ADMINISTRATOR, SUPERVISOR, CUSTODIAN = "9001", "4001", "7001"


class SteppedClock:
    """`services.ports.Clock`: the real time plus what a test added."""

    def __init__(self) -> None:
        self.added_us = 0
        self.boot_added_us = 0

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.added_us

    def boot_us(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 + self.boot_added_us

    def step(self, seconds: float) -> None:
        self.added_us += int(seconds * 1_000_000)
        self.boot_added_us += int(seconds * 1_000_000)


class RealEntropy:
    """`services.ports.Entropy`."""

    def token(self) -> str:
        return secrets.token_hex(16)


def passphrase_of(badge_no: str) -> str:
    """A passphrase that passes the rule, without the badge number in it."""
    return "quiet harbour lantern " + "".join(chr(ord("a") + int(digit)) for digit in badge_no)


_derived: dict[tuple[bytes, bytes, Argon2Cost], bytes] = {}


@contextmanager
def derived_once() -> Iterator[None]:
    """Within it a key is derived from the same passphrase, salt and cost once in this process; every other one as ever."""
    really = slots.derive_passphrase_key

    def derive(passphrase: Secret, salt: bytes, cost: Argon2Cost) -> Secret:
        asked = passphrase.reveal(), salt, cost
        if asked not in _derived:
            _derived[asked] = really(passphrase, salt, cost).reveal()
        return Secret(_derived[asked])

    slots.derive_passphrase_key = derive
    try:
        yield
    finally:
        slots.derive_passphrase_key = really


@dataclass
class Station:
    """A vault on disk, and whoever is signed in."""

    directory: Path
    clock: SteppedClock = field(default_factory=SteppedClock)
    keeper: MemorySecretKeeper = field(default_factory=MemorySecretKeeper)
    policy: Policy = field(default_factory=Policy)
    secrets: dict[str, str] = field(default_factory=dict)  # badge -> TOTP secret
    events: list[Event] = field(default_factory=list)
    _vault: Vault | None = None
    _pages: PageMemory | None = None

    def found(self, policy_text: str = "") -> Station:
        founders = tuple(
            Founder(badge, name, passphrase_of(badge))
            for badge, name in ((ADMINISTRATOR, "Ada Marsh"), (SUPERVISOR, "Sven Okafor"), (CUSTODIAN, "Clara Reyes"))
        )
        with derived_once():
            made = found_vault(
                self.directory, STATION, founders, lambda _vault_id: self.keeper, self.clock, RealEntropy(), CHEAP, policy_text
            )
        for one in made:
            self.remember(one)
        return self

    def copy_to(self, directory: Path) -> Station:
        """The same vault on other files, with a keyring of its own; only while this one is closed."""
        assert self._vault is None
        shutil.copytree(self.directory, directory)
        copy = Station(directory, secrets=dict(self.secrets))
        copy.clock.added_us, copy.clock.boot_added_us = self.clock.added_us, self.clock.boot_added_us
        copy.keeper = self.keeper.copy()
        return copy

    def into_keyring(self, keeper: SecretKeeper) -> None:
        """Write what this station's keyring holds into another, the session's real one."""
        for name, value in self.keeper._values.items():
            keeper.write(name, Secret(value))

    def remember(self, enrolment: Enrolment) -> None:
        self.secrets[enrolment.badge_no] = parse_qs(urlparse(enrolment.provisioning_uri).query)["secret"][0]

    @property
    def vault(self) -> Vault:
        if self._vault is None:
            self._pages = PageMemory.create()
            self._vault = open_vault(
                self.directory,
                lambda _vault_id: self.keeper,
                self.clock,
                RealEntropy(),
                self.policy,
                InlineThreads(),
                self.events.append,
                self._pages,
            )
            self._vault.report_opening()
            self._vault.place_witness.look()
        return self._vault

    @property
    def pages(self) -> PageMemory:
        assert self._pages is not None
        return self._pages

    def close(self) -> None:
        try:
            if self._vault is not None:
                self._vault.witness.seal_now()
                self._vault.place_witness.last(*self._vault.store.audit_head())
        finally:
            if self._vault is not None:
                self._vault.close()
                self._vault = None
            if self._pages is not None:
                self._pages.close()
                self._pages = None

    def code(self, badge_no: str) -> str:
        """The code of a step that was not used yet: each call moves the clock one step on."""
        self.clock.step(30)
        return pyotp.TOTP(self.secrets[badge_no]).at(self.clock.now_us() // 1_000_000)

    def sign_in(self, badge_no: str) -> SignedIn:
        """Sign in, ending whatever session was open."""
        vault = self.vault
        if vault.world.session is not None:
            vault.session.sign_out()
        with derived_once():
            return vault.session.sign_in(badge_no, passphrase_of(badge_no), self.code(badge_no))

    def enrol(self, badge_no: str, name: str, role: Role, unit_name: str) -> None:
        """Enrol and cosign a person; a supervisor makes the unit if there is none of that name."""
        self.sign_in(SUPERVISOR)
        unit = next((one for one in self.vault.administration.units() if one.name == unit_name), None)
        unit = unit or self.vault.administration.add_unit(unit_name)
        self.sign_in(ADMINISTRATOR)
        with derived_once():
            made = self.vault.administration.enrol(badge_no, name, role, unit.unit_id, passphrase_of(badge_no))
        self.remember(made)
        self.sign_in(SUPERVISOR)
        self.vault.administration.cosign(made.person_id)

    def register_case(self, number: str, title: str, officer: str, unit_name: str = "Records") -> CaseLine:
        """Register a case as the records custodian."""
        self.sign_in(CUSTODIAN)
        unit = next(one for one in self.vault.register.units() if one.name == unit_name)
        return self.vault.register.register_case(
            number, title, "burglary", officer, unit.unit_id, Marking.OFFICIAL_SENSITIVE, ("Maja Lindqvist",), ("night",)
        )


def opening(station: Station) -> str:
    """Close the vault and open it again: the code of what keeps it shut, or ``opens``."""
    station.close()
    try:
        _ = station.vault
    except VaultError as error:
        return error.code
    return "opens"


def spooling(station: Station, keeper: MemorySecretKeeper | None = None) -> Spooling:
    """The sealed spool of a station's vault, with its keyring or another."""
    return Spooling(station.directory, lambda _label: keeper or station.keeper, station.clock, RealEntropy())
