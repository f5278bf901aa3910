"""What is done about a vault that cannot be opened because somebody changed it: a report is sealed into the spool, and taken in later.

Rules:

- What smells of tampering is reported: a file that is not what was written, or not there; and an attempt to open the vault where its key
  servers do not answer; and whoever the recovery slot refuses. A keyring that is locked, a full disk or a file that is no holder's is
  nobody's attempt at anything.
- It is sealed to the supervisors' key as the header last vouched for it; where that was never witnessed, to the one in the unverified
  header, and the facts say so. Without either nothing can be sealed: the log says it.
- One report a cause (kind and code) in the joining window: whoever presses "Try again" twenty times is one report, as in the vault. A
  server that pretends to be the station's is another cause than one that is silent, however soon it comes after.
- Refused holders are each a cause of their own, for a report names one: whoever tries two files within the window is in both. Of more than
  `_MOST_REFUSED` in a window the rest is not named: the spool's room is not for whoever makes holders' files to fill.
- Each says where the workstation stood, as evidence that nobody has judged: the approved places lie in the vault.
- Taken in at the next opening, in order, each once; a number without a file is a report of its own, and so is a file that is none. One that
  cannot be recorded is put aside as such a file: it keeps no other from being taken in.
- What counts the reports lies in the keyring under a label that the folder's path gives; under the vault's own label stands which one that
  was at the last opening. A folder that was moved is told of, and what was counted at its place before counts on at the new one.
- Whoever is killed after sealing a report and before noting so sees the same thing again at its next start. What can be named (a copy, a
  killed desk's mark) has one id for all its reports, and the vault takes one in.
- What was counted then is told to the witness outside the machine (`vault.place_witness`), once all that waited is taken in: until then
  what stands there is neither compared nor written over.
- The desk and the sentinel write in turn: each holds the spool's own lock while it reads the number of reports and changes it.

Thread: `note` and `seal` while the vault is not open here, `take` beside the control thread; one at a time.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from vault import platform as system
from vault.crypto.keypairs import seal_to
from vault.crypto.sealing import bind, new_key
from vault.domain.breach import JOINING_WINDOW_US, Containment, Signal, SignalKind
from vault.domain.identity import BreachId
from vault.errors import TamperError, UnavailableError, VaultError
from vault.secret import Secret
from vault.sensors import screen
from vault.sensors.place import PlaceReader
from vault.services.breach import SealedFact, legible
from vault.services.operation import Priority
from vault.services.ports import Clock, Entropy, SecretKeeper
from vault.services.world import supervisors_place
from vault.storage.desk_mark import DeskMark, DeskState, read_mark
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.storage.spool import WITNESSES, Spool, SpooledReport

if TYPE_CHECKING:
    from vault.assembly import Vault  # not at run time: the sentinel writes here and carries no database engine

_SMELLS_OF_TAMPERING: Final = frozenset({"header.damaged", "header.missing", "header.wrong-workstation"})
_REFUSED_HOLDERS: Final = frozenset({"recovery.too-few", "recovery.not-recognised", "recovery.not-a-holder"})
_MOST_REFUSED: Final = 16
_CONTACT: Final = "premises-contact"
_NAMING: Final = "spool-naming"
_PLACE: Final = "spool-place"
_ID_BYTES: Final = 16
_LOCK_NAME: Final = "spool.lock"
_LOCK_SECONDS: Final = 10.0
_COUNTED: Final = (*WITNESSES, _NAMING)
_log = logging.getLogger(__name__)


class Spooling:
    """The spool of one vault's folder, joined to the services."""

    def __init__(self, directory: Path, keeper_for: Callable[[str], SecretKeeper], clock: Clock, entropy: Entropy) -> None:
        self._directory = directory
        self._label = f"place {hashlib.sha256(os.fsencode(os.path.realpath(directory))).hexdigest()[:32]}"  # whatever bytes a path has
        self._keeper_for = keeper_for
        self._clock = clock
        self._entropy = entropy
        self._place = PlaceReader(lambda: screen.examine(os.environ))

    def note(self, error: VaultError) -> bool:
        """Seal a report about a vault that does not open, if that smells of tampering. Raises nothing: the person is told of `error`.

        Returns:
            whether a sealed report stands for this attempt now: its own, or the one it joins.
        """
        kind = _kind(error)
        if kind is None:
            return False
        try:
            with self._in_turn():
                self._append(Spool(self._directory, self._keeper(self._directory)), kind, error)
        except VaultError as failure:
            _log.error("no report could be spooled: %s", failure)
            return False
        return True

    def seal(self, signal: Signal, unverified_public_kem: bytes, directory: Path, thing: str = "") -> int:
        """Seal what was seen while no desk has the vault; give the report's number. No repeat is joined here: that is the caller's part.

        Args:
            signal: what was seen.
            unverified_public_kem: the supervisors' key of the unverified header; used where none was ever witnessed.
            directory: where the vault's folder is now; it may have been moved since, and is known to the keyring by where it was.
            thing: a name of what was seen, where whoever was killed in the middle may see it again: of one thing, one report is taken in.

        Raises:
            UnavailableError: keyring.*, spool.full, storage.*: nothing is written.
        """
        with self._in_turn(directory):
            keeper = self._keeper(directory)
            facts = tuple((name, str(value)) for name, value in signal.facts)
            breach_id = _id_of(keeper, f"{signal.kind.value} {thing}") if thing else BreachId(self._entropy.token())
            return self._write(Spool(directory, keeper), breach_id, signal.kind, signal.observed_us, facts, unverified_public_kem)

    def seal_killed_desk(self) -> Signal | None:
        """Seal a report of the desk before this one, if its mark says that it was killed with a case file out.

        Called by whoever holds the vault's lock, before it leaves a mark of its own: the sentinel may not have come to this one.

        Returns:
            what could not be sealed and is the caller's to record; None if there is nothing, or it stands in the spool.
        """
        mark = read_mark(self._directory)
        if mark is None or mark.state is not DeskState.CASE_OUT:
            return None
        signal = killed_desk(mark, self._clock.now_us())
        try:
            unverified = read_unverified_header(self._directory / HEADER_NAME).supervisors_public_kem
            self.seal(signal, unverified, self._directory, thing_of(mark))
        except VaultError as error:
            _log.error("no report could be spooled: %s", error)
            return signal
        return None

    def contact(self) -> str:
        """Whom the station wants to be called away from its premises, as the last opening knew it; empty if none. Raises nothing.

        From the keyring, not from the unverified header: whoever can write into the folder must not put a telephone number on this screen.
        """
        try:
            kept = self._keeper_for(self._label).read(_CONTACT)
        except VaultError:
            return ""
        return kept.reveal().decode(errors="replace") if kept is not None else ""

    def take(self, vault: Vault) -> None:
        """Take what waits into the opened vault.

        Raises:
            UnavailableError: keyring.*, storage.*; what is left waits for the next opening.
        Audit: breach.recorded for each.
        """
        with self._in_turn():
            self._take(vault)

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _take(self, vault: Vault) -> None:
        world = vault.world
        self._follow(vault)
        spool = Spool(self._directory, self._keeper_for(self._label))
        spool.enrol(world.station.supervisors_kem_public)
        self._keep_contact(world.policy.premises_contact)
        waiting = spool.waiting()
        self._tell_of(vault, "spool.gap", waiting.missing)
        damaged = [*waiting.damaged, *self._record(vault, spool, waiting.reports)]
        self._tell_of(vault, "spool.damaged", damaged)
        spool.put_aside(damaged)
        if waiting.missing:
            spool.past(waiting.last)
        vault.place_witness.spooled(spool.count())

    def _record(self, vault: Vault, spool: Spool, reports: Sequence[SpooledReport]) -> list[int]:
        """Take reports in; give the numbers of those that cannot be."""
        world, failed = vault.world, []
        for report in reports:
            record = partial(
                vault.breaches.record_spooled, report.breach_id, report.kind, report.observed_us, report.facts_sealed, report.number
            )
            try:
                world.on_control(record, Priority.BREACH)
            except (UnavailableError, TamperError):  # the vault, not the report: it waits
                raise
            except Exception as error:  # whatever is in one file keeps no other from being taken in
                _log.error("report %d of the spool cannot be recorded: %s", report.number, type(error).__name__)
                failed.append(report.number)
                continue
            spool.taken(report.number)
        return failed

    def _follow(self, vault: Vault) -> None:
        """Count on here what was counted where the folder was at the last opening, and have it reported that it was moved."""
        own = self._keeper_for(vault.world.station.vault_id)
        before = _place_before(own)
        if before == self._label:
            return
        if before:
            there, here = self._keeper_for(before), self._keeper_for(self._label)
            # Sealed here while the header did not tell which vault it is: the key goes below.
            spool = Spool(self._directory, here)
            self._record(vault, spool, spool.apart_from(Spool(self._directory, there)))
            for name in _COUNTED:
                if (value := _read(there, name)) is not None:
                    here.write(name, value)
            self._tell(vault, SignalKind.STORE_CHANGED, (("code", "spool.moved"), ("file", self._directory.name), ("act", "moved")))
        own.write(_PLACE, Secret(self._label.encode()))
        if before:
            for name in (*_COUNTED, _CONTACT):
                there.erase(name)

    def _tell_of(self, vault: Vault, code: str, numbers: Sequence[int]) -> None:
        """Have it reported that files of the spool are not what was written."""
        if numbers:
            self._tell(vault, SignalKind.STORE_TAMPERED, (("code", code), ("first", min(numbers)), ("reports", len(numbers))))

    def _tell(self, vault: Vault, kind: SignalKind, facts: tuple[tuple[str, str | int], ...]) -> None:
        signal = Signal(kind, self._clock.now_us(), facts)
        vault.world.on_control(lambda: vault.breaches.record(signal), Priority.BREACH)

    @contextmanager
    def _in_turn(self, directory: Path | None = None) -> Iterator[None]:
        """Hold the spool's lock. Raises UnavailableError storage.busy if another process keeps it."""
        try:
            lock = system.single_instance((directory or self._directory) / _LOCK_NAME, _LOCK_SECONDS)
        except UnavailableError as error:
            if error.code != "vault.already-open":
                raise
            raise UnavailableError("storage.busy") from error
        with lock:
            yield

    def _keeper(self, directory: Path) -> SecretKeeper:
        """Where the reports in this folder are counted while the vault is shut: where they were at its last opening.

        LIMIT: of a folder that was moved its unverified header tells which vault it is; one that is damaged too is counted afresh.
        """
        own = self._keeper_for(self._label)
        if Spool(directory, own).is_witnessed():
            return own
        try:
            before = _place_before(self._keeper_for(read_unverified_header(directory / HEADER_NAME).vault_id))
        except VaultError:
            return own
        return self._keeper_for(before) if before else own

    def _keep_contact(self, contact: str) -> None:
        if contact == self.contact():
            return
        keeper = self._keeper_for(self._label)
        if contact:
            keeper.write(_CONTACT, Secret(contact.encode()))
        else:
            keeper.erase(_CONTACT)

    def _append(self, spool: Spool, kind: SignalKind, error: VaultError) -> None:
        now_us = self._clock.now_us()
        cause = _cause(error)
        if self._joins(spool, kind, cause, now_us):
            return
        facts = (("code", error.code), *((name, str(value)) for name, value in error.facts.items()))
        unverified = b""
        if spool.supervisors_public_kem() is None:
            unverified = read_unverified_header(self._directory / HEADER_NAME).supervisors_public_kem
        self._write(spool, BreachId(self._entropy.token()), kind, now_us, facts, unverified, cause)

    def _joins(self, spool: Spool, kind: SignalKind, cause: str, now_us: int) -> bool:
        """Whether a report that waits stands for this attempt too."""
        if kind is SignalKind.RECOVERY_REFUSED:
            refused = [one for one in spool.waiting().reports if one.kind is kind and abs(now_us - one.observed_us) <= JOINING_WINDOW_US]
            return len(refused) >= _MOST_REFUSED or any(one.code == cause for one in refused)
        latest = spool.latest()
        if latest is None or (latest.kind, latest.code) != (kind, cause):
            return False
        return abs(now_us - latest.observed_us) <= JOINING_WINDOW_US

    def _write(
        self,
        spool: Spool,
        breach_id: BreachId,
        kind: SignalKind,
        observed_us: int,
        facts: tuple[tuple[str, str], ...],
        unverified_public_kem: bytes,
        code: str = "",
    ) -> int:
        public = spool.supervisors_public_kem()
        if public is None:
            public = unverified_public_kem
            facts = (*facts, ("sealed_to", "unverified header"))
        told = tuple((name, legible(value)) for name, value in (*facts, *self._place.facts()))
        fact = SealedFact(observed_us, kind, "", "", 0, 0, Containment.NONE, told)
        sealed = seal_to(public, msgspec.json.encode(fact), bind(*supervisors_place("facts", breach_id)))
        return spool.append(breach_id, kind, observed_us, sealed, code)


def killed_desk(mark: DeskMark, now_us: int) -> Signal:
    """What is told of a desk that left this mark and is gone."""
    return Signal(SignalKind.DESK_KILLED, now_us, (("pid", mark.pid), ("since_start", "yes" if mark.same_boot else "no")))


def thing_of(mark: DeskMark) -> str:
    """The name of what a mark stands for, for `Spooling.seal`: the desk and the sentinel both tell of it, and each may be killed then."""
    return f"{mark.pid} {mark.left_ns}"


def _read(keeper: SecretKeeper, name: str) -> Secret | None:
    try:
        return keeper.read(name)
    except TamperError:
        return None  # somebody else's value in its place


def _place_before(own: SecretKeeper) -> str:
    """The label of the vault's place at its last opening; empty if that was never noted."""
    kept = _read(own, _PLACE)
    return kept.reveal().decode("ascii", "replace") if kept is not None else ""


def _id_of(keeper: SecretKeeper, thing: str) -> BreachId:
    """Give the report's id for a thing, always the same. Keyed: an id that can be foretold lets whoever writes there take its place."""
    key = _read(keeper, _NAMING)
    if key is None:
        key = new_key()
        keeper.write(_NAMING, key)
    return BreachId(hmac.digest(key.reveal(), thing.encode(), "sha256")[:_ID_BYTES].hex())


def _cause(error: VaultError) -> str:
    """What tells one cause from another, and stands in clear: the code; of refused holders also their thumbprint or how many came."""
    if error.code not in _REFUSED_HOLDERS:
        return error.code
    return " ".join((error.code, *(str(error.facts[name]) for name in ("holder", "present") if name in error.facts)))


def _kind(error: VaultError) -> SignalKind | None:
    """What an error that keeps a vault shut is a sign of; None for what nobody did."""
    if error.code.startswith("premises."):
        return SignalKind.OFF_PREMISES
    if error.code in _REFUSED_HOLDERS:
        return SignalKind.RECOVERY_REFUSED
    return SignalKind.STORE_TAMPERED if isinstance(error, TamperError) or error.code in _SMELLS_OF_TAMPERING else None
