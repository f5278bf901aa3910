"""A workstation bound to its station's key servers: what opens its slot, how that is changed, and the lease of an open session.

Rules:

- The slot opens with the keyring's secret and, where the header holds a lock for this workstation, with what the key servers answer; there
  is no third way but the recovery slot.
- What the recovery slot's holders opened is a slot of its own, with a secret of its own in the keyring and its hours in its derivation. It
  is asked only where the key servers do not answer; once its hours are over, or a key server answered, its secret is erased.
- Each binding draws a new workstation secret, so that an older header with the keyring of today opens nothing. The new secret is in the
  keyring, under a second name, before the header changes, and under the first after: a crash between leaves one that opens.
- A binding is tried before it is written: whoever binds stands on the premises.
- The lease: every proof puts its end off, counted from when it was asked for: an answer may have waited for a machine to wake. A proof
  that fails is told at once; at the end without one the session is over. Time is boot time, suspend included, looked at every second: a
  workstation carried off asleep wakes with its lease gone, covers its page within that second, and only a new proof uncovers it.
- What wakes with its lease gone is asked every second for once as long as the lease, by the time awake since, before the session is over:
  the network of a workstation that woke at its own place comes up after it. Sleeping again gives no more of it. LIMIT: where the system's
  monotonic clock counts the sleep too, or the boot clock does not (elsewhere than on Linux), nobody knows that it slept.

Thread: `open_slot` and `Binding` from one thread; `Lease` and `keep_hours` run on their own.
"""

from __future__ import annotations

import http
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from vault.crypto import tang
from vault.crypto.premises import LockMember, PremisesLock, PremisesServer, make_lock, open_lock, prove_lock
from vault.crypto.recovery import HolderPublic, make_recovery_slot
from vault.crypto.sealing import bind, new_key
from vault.crypto.slots import WorkstationSecrets, make_workstation_slot, open_workstation_slot, vault_keys
from vault.crypto.tang import KeyServer
from vault.domain.identity import VaultId, WorkstationId
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.secret import Secret
from vault.services.ports import Clock, MetServer, PremisesFacts, SecretKeeper
from vault.services.witness import witness_generation
from vault.storage.header import HEADER_NAME, Header, UnverifiedHeader, read_unverified_header, write_header

_WORKSTATION_ID_CHARACTERS: Final = 32
_TELLING_SECONDS: Final = 0.25  # from a failed proof to the covered page
_SLICE_SECONDS: Final = 1.0  # a wait knows nothing of the time asleep
_ASLEEP_US: Final = 100_000  # shorter is no sleep
_HANGS_LOOKS: Final = 5  # a question is over after two seconds
_log = logging.getLogger(__name__)


def workstation_secret_name(vault_id: VaultId) -> str:
    """The keyring's name of the secret that opens this workstation's slot."""
    return f"workstation:{vault_id}"


def _next_name(vault_id: VaultId) -> str:
    return f"workstation-next:{vault_id}"


def _recovery_name(vault_id: VaultId) -> str:
    return f"workstation-recovery:{vault_id}"


class RecoveryOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the header for a workstation that its holders opened: the hours, and a slot that opens with them only."""

    began_us: int
    ends_us: int
    slot: bytes = b""

    def encode(self) -> str:
        """Write it for the header."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def decode(text: str) -> RecoveryOpening:
        """Read it back. Raises UnavailableError header.damaged."""
        try:
            return msgspec.json.decode(text, type=RecoveryOpening)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnavailableError("header.damaged") from error

    @property
    def binding(self) -> Secret:
        """What stands in the place of the premises in its slot's derivation. Not secret: hours that were altered open nothing."""
        return Secret(bind("recovery-opening", self.began_us, self.ends_us))


@dataclass(frozen=True, slots=True)
class OpenedSlot:
    """What the slot gave, and the lock it stood behind."""

    workstation_id: WorkstationId
    secrets: WorkstationSecrets
    lock: PremisesLock | None
    recovery: RecoveryOpening | None = None  # the holders of the recovery slot opened it, not the key servers


def is_for_holders(error: VaultError) -> bool:
    """Whether what keeps a vault shut is what the recovery slot is for: no key server answers, or the keyring has nothing for this header.

    A wrong answer in a key server's place is interference, not a dead server.
    """
    return isinstance(error, UnavailableError) and (error.code.startswith("premises.") or error.code == "header.wrong-workstation")


def open_slot(unverified: UnverifiedHeader, keeper: SecretKeeper, now_us: int) -> OpenedSlot:
    """Open this workstation's slot; where the key servers do not answer, what the holders of the recovery slot opened for these hours.

    Raises:
        UnavailableError: keyring.missing, keyring.locked, header.wrong-workstation, header.damaged; premises.* where a lock is and its key
            servers do not answer.
        TamperError: premises.wrong-answer, slot.malformed.
    """
    try:
        opened = _open_bound(unverified, keeper)
    except UnavailableError as error:
        if not is_for_holders(error):
            raise
        recovered = _open_recovered(unverified, keeper, now_us)
        if recovered is None:
            raise
        return recovered
    if unverified.recovery_opening(opened.workstation_id) is not None:  # a key server answers: what the holders opened is over
        keeper.erase(_recovery_name(unverified.vault_id))
    return opened


def _open_recovered(unverified: UnverifiedHeader, keeper: SecretKeeper, now_us: int) -> OpenedSlot | None:
    vault_id = unverified.vault_id
    held = _read(keeper, _recovery_name(vault_id))
    text = unverified.recovery_opening(held[0]) if held is not None else None
    if held is None or text is None:
        return None
    workstation_id, secret = held
    opening = RecoveryOpening.decode(text)
    if now_us >= opening.ends_us:
        keeper.erase(_recovery_name(vault_id))
        return None
    if now_us < opening.began_us:
        return None
    try:
        secrets = open_workstation_slot(opening.slot, secret, opening.binding, vault_id, workstation_id)
    except UnavailableError:
        return None
    locked = unverified.premises_lock(workstation_id)
    return OpenedSlot(workstation_id, secrets, PremisesLock.decode(locked) if locked is not None else None, opening)


def _open_bound(unverified: UnverifiedHeader, keeper: SecretKeeper) -> OpenedSlot:
    vault_id = unverified.vault_id
    lock: PremisesLock | None = None
    premises_secret: Secret | None = None
    for name in (workstation_secret_name(vault_id), _next_name(vault_id)):
        if (held := _read(keeper, name)) is None:
            continue
        workstation_id, secret = held
        slot, locked = unverified.workstation_slot(workstation_id), unverified.premises_lock(workstation_id)
        if slot is None:
            continue
        if locked is not None and premises_secret is None:
            lock = PremisesLock.decode(locked)
            premises_secret = open_lock(lock, vault_id, workstation_id)
        try:
            opened = open_workstation_slot(slot, secret, premises_secret, vault_id, workstation_id)
        except UnavailableError:
            continue
        if name == _next_name(vault_id):  # a binding was interrupted after the header changed
            _settle(keeper, vault_id, workstation_id, secret)
        return OpenedSlot(workstation_id, opened, lock)
    raise UnavailableError("header.wrong-workstation")


def keep_workstation_secret(keeper: SecretKeeper, vault_id: VaultId, workstation_id: WorkstationId, secret: Secret) -> None:
    """Put a workstation's id and secret into the keyring."""
    keeper.write(workstation_secret_name(vault_id), Secret(workstation_id.encode() + secret.reveal()))


class Binding:
    """`services.ports.PremisesBinding` and `PolicyPlace` over this workstation's header and keyring."""

    def __init__(
        self,
        directory: Path,
        header: Header,
        opened: OpenedSlot,
        keeper: SecretKeeper,
        own_open: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Hold what was opened; `own_open` is entered around each change of the header: the store-access sensor knows it as ours."""
        self._path = directory / HEADER_NAME
        self._header = header
        self._opened = opened
        self._keeper = keeper
        self._own_open = own_open

    @property
    def lock(self) -> PremisesLock | None:
        """What this open vault has to prove now; nothing while its holders keep it open."""
        return None if self._opened.recovery is not None else self._opened.lock

    @property
    def generation(self) -> int:
        """The header's, as it was opened, or last written here."""
        return self._header.generation

    @property
    def recovery_ends_us(self) -> int:
        """When what the holders opened is over, 0 where they did not open it."""
        return self._opened.recovery.ends_us if self._opened.recovery is not None else 0

    @property
    def recovery_slot(self) -> bytes | None:
        """The recovery slot as the header had it when it was opened, or last written here; None without one."""
        return self._header.recovery_slot

    @property
    def policy_text(self) -> str:
        """The station's own settings as the header had them when it was opened, or last written here."""
        return self._header.policy

    def keep_policy(self, text: str) -> None:
        """Replace the station's own settings in the header; they are checked. Raises UnavailableError storage.*, header.*; TamperError."""
        on_disk = self._on_disk()
        self._write(replace(on_disk, generation=on_disk.generation + 1, policy=text))

    def enrol_recovery(self, threshold: int, holders: Sequence[HolderPublic]) -> None:
        """Put a recovery slot for these holders into the header, in the place of the one before.

        Raises:
            RefusedError: recovery.threshold, recovery.same-holder; UnavailableError: storage.*, header.*.
        """
        opened = self._opened
        slot = make_recovery_slot(threshold, holders, self._header.vault_id, opened.workstation_id, opened.secrets)
        on_disk = self._on_disk()
        self._write(replace(on_disk, generation=on_disk.generation + 1, recovery_slot=slot))

    def open_recovery(self, began_us: int, ends_us: int) -> None:
        """Let this workstation open without its key servers within these hours. Raises UnavailableError keyring.*, storage.*, header.*."""
        vault_id, workstation_id = self._header.vault_id, self._opened.workstation_id
        secret, opening = new_key(), RecoveryOpening(began_us, ends_us)
        slot = make_workstation_slot(secret, opening.binding, vault_id, workstation_id, self._opened.secrets)
        text = RecoveryOpening(began_us, ends_us, slot).encode()
        on_disk = self._on_disk()
        openings = {**on_disk.recovery_openings, workstation_id: text}
        self._keeper.write(_recovery_name(vault_id), Secret(workstation_id.encode() + secret.reveal()))
        self._write(replace(on_disk, generation=on_disk.generation + 1, recovery_openings=openings))

    def facts(self) -> PremisesFacts:
        """Tell what this workstation is bound to."""
        lock = self._opened.lock
        if lock is None:
            return PremisesFacts(0, ())
        return PremisesFacts(lock.threshold, tuple(_met(one) for one in lock.members))

    def add(self, server: MetServer, thumbprint: str, threshold: int) -> PremisesFacts:
        """Meet a key server, trusting the signing key of that thumbprint, and bind to it besides the others.

        Raises:
            RefusedError: premises.address, premises.threshold, premises.name-taken.
            UnavailableError: premises.others, the new one answers and too few of all do; premises.not-let-in, what is there answers nobody
                who asks so.
            UnavailableError, TamperError: premises.*, storage.*, keyring.*.
        """
        place = KeyServer(server.url, server.certificate, server.authority)
        try:
            said = tang.first_advertisement(place, thumbprint)
        except TamperError as error:  # a mistyped thumbprint or another address: nobody has done anything to the vault
            raise UnavailableError(error.code) from error
        except UnavailableError as error:  # another status than for a key that is not there: a front, and none of what it asks for
            if error.code != "premises.refused" or error.facts["status"] == http.HTTPStatus.NOT_FOUND:
                raise
            raise UnavailableError("premises.not-let-in", **error.facts) from error
        return self._bind(threshold, [*self._servers(), PremisesServer(server.name, place, said.signing_keys, said.exchange_keys[0])])

    def remove(self, name: str, threshold: int) -> PremisesFacts:
        """Bind to the others alone; without the last one the workstation is bound to none. Raises RefusedError premises.unknown."""
        servers = self._servers()
        left = [one for one in servers if one.name != name]
        if len(left) == len(servers):
            raise RefusedError("premises.unknown", server=name)
        return self._bind(threshold, left)

    def rotate(self) -> PremisesFacts:
        """Bind anew to the keys the servers have now, believed under the keys pinned before.

        Raises:
            RefusedError: premises.unknown, bound to none; UnavailableError, TamperError: premises.*: all of them must answer, and
                premises.others says that one of several does not.
        """
        lock = self._opened.lock
        if lock is None:
            raise RefusedError("premises.unknown", server="")
        fresh, servers = [], self._servers()
        for one in servers:
            with _told_among(len(servers), len(servers)):
                said = tang.fetch_advertisement(one.server, one.pinned)
            fresh.append(replace(one, pinned=said.signing_keys, exchange_key=said.exchange_keys[0]))
        return self._bind(lock.threshold, fresh)

    def test(self) -> tuple[tuple[str, str], ...]:
        """Have each server prove itself: (name, "" or the code of what is wrong)."""
        told = []
        for one in self._opened.lock.members if self._opened.lock is not None else ():
            try:
                tang.prove(one.server, one.binding)
                told.append((one.name, ""))
            except VaultError as error:
                told.append((one.name, error.code))
        return tuple(told)

    def _servers(self) -> list[PremisesServer]:
        members = self._opened.lock.members if self._opened.lock is not None else ()
        return [PremisesServer(one.name, one.server, one.pinned, one.server_key) for one in members]

    def _bind(self, threshold: int, servers: Sequence[PremisesServer]) -> PremisesFacts:
        vault_id, workstation_id, secrets = self._header.vault_id, self._opened.workstation_id, self._opened.secrets
        lock, premises_secret = make_lock(threshold, servers, vault_id, workstation_id) if servers else (None, None)
        if lock is not None:
            with _told_among(threshold, len(servers)):
                open_lock(lock, vault_id, workstation_id)
        secret = new_key()
        slot = make_workstation_slot(secret, premises_secret, vault_id, workstation_id, secrets)
        on_disk = self._on_disk()
        others = {name: text for name, text in on_disk.premises.items() if name != workstation_id}
        header = replace(
            on_disk,
            generation=on_disk.generation + 1,
            workstation_slots={**on_disk.workstation_slots, workstation_id: slot},
            premises=others if lock is None else {**others, workstation_id: lock.encode()},
            recovery_openings={name: text for name, text in on_disk.recovery_openings.items() if name != workstation_id},
        )
        self._keeper.write(_next_name(vault_id), Secret(workstation_id.encode() + secret.reveal()))
        self._write(header)
        _settle(self._keeper, vault_id, workstation_id, secret)
        if on_disk.recovery_openings:
            self._keeper.erase(_recovery_name(vault_id))
        self._opened = replace(self._opened, lock=lock, recovery=None)
        return self.facts()

    def _on_disk(self) -> Header:
        """The header as it is on disk now: another workstation may have changed it meanwhile.

        Raises:
            TamperError: header.rolled-back; what is written over an old one would pass for the next.
        """
        with self._own_open():
            found = read_unverified_header(self._path).verify(vault_keys(self._opened.secrets.vault_key).header_mac)
        if found.generation < self._header.generation:
            raise TamperError("header.rolled-back", generation=found.generation, witnessed=self._header.generation)
        return found

    def _write(self, header: Header) -> None:
        with self._own_open():
            write_header(self._path, header, vault_keys(self._opened.secrets.vault_key).header_mac)
        self._header = header
        with suppress(UnavailableError):  # the header stands; the next opening witnesses it
            witness_generation(self._keeper, header.vault_id, header.generation)


class Lease:
    """Proves the premises again and again while a vault is open.

    Args:
        lock: asked before every proof what the workstation is bound to; None proves nothing and loses nothing.
        clock: boot time counts.
        proof_seconds: from proof to proof.
        lease_seconds: without a proof for this long, `over` is called, once; where it ran out asleep, this long after waking.
        changed: told True when a proof failed, the lease ran out asleep or its thread hangs, and False when a proof held again (a thread of
            the lease's, one at a time).
        over: the lease has run out, also in the middle of a proof that nobody answers (a thread of the lease's).
    """

    def __init__(
        self,
        lock: Callable[[], PremisesLock | None],
        clock: Clock,
        proof_seconds: float,
        lease_seconds: float,
        changed: Callable[[bool], None],
        over: Callable[[], None],
    ) -> None:
        self._lock = lock
        self._clock = clock
        self._proof_seconds = proof_seconds
        self._lease_us = int(lease_seconds * 1_000_000)
        self._changed = changed
        self._over = over
        self._proven_us = 0
        self._lost = False
        self._apart_seconds: int | None = None
        self._asleep_us = 0  # as far as it is known
        self._woke_us: int | None = None  # by the awake clock: since then the lease is gone
        self._turns = 0  # of the lease's thread, which is seen by it to go on
        self._stopping = threading.Event()
        self._hangs = threading.Event()
        self._telling = threading.Lock()
        self._ending = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def holds(self) -> bool:
        """Whether the last proof held, and is not older than the lease."""
        return not self._lost and (self._lock() is None or self._clock.boot_us() - self._proven_us < self._lease_us)

    @property
    def lost(self) -> bool:
        """Whether the last proof failed."""
        return self._lost

    @property
    def apart_seconds(self) -> int | None:
        """How far this clock was ahead of the key server's at the last proof that told its time; None before one did."""
        return self._apart_seconds

    @property
    def left_seconds(self) -> int:
        """How long until it is over if no proof holds, in whole seconds, never below 0."""
        return max(0, self._to_end_us() // 1_000_000)

    def start(self) -> None:
        """Begin; the slot has just opened, which was a proof."""
        self._proven_us = self._clock.boot_us()
        self._asleep_us = self._asleep_at_most_us()
        self._thread = threading.Thread(target=self._run, name="premises-lease", daemon=True)
        self._thread.start()
        threading.Thread(target=self._cover, name="premises-lease-cover", daemon=True).start()
        threading.Thread(target=self._watch_over, name="premises-lease-end", daemon=True).start()

    def stop(self) -> None:
        """End the thread; a proof under way is left to its deadline."""
        self._stopping.set()
        self._hangs.set()

    def _run(self) -> None:
        try:
            self._prove_on()
        except Exception as error:  # the last net, as where no memory is left: a lease that nobody keeps is over
            _log.error("the lease failed: %s", type(error).__name__)
            self._end()

    def _watch_over(self) -> None:
        """End what the lease's own thread does not, if it hangs: where no memory is left, whoever starts a thread waits for it for good."""
        seen, looks = -1, 0
        while not self._stopping.wait(_SLICE_SECONDS):
            seen, looks = self._turns, looks + 1 if self._turns == seen else 0
            if looks < _HANGS_LOOKS:
                continue
            self._hangs.set()
            if self._to_end_us() <= 0:
                self._end()

    def _cover(self) -> None:
        """Have the page covered while the lease's own thread hangs; here, so that whatever holds this up too keeps no end from coming."""
        while self._hangs.wait() and not self._stopping.is_set():
            self._hangs.clear()
            self._tell(lost=True)

    def _prove_on(self) -> None:
        # A proof that fails is known at its deadline: so much earlier it is begun, that what is lost is told within the interval.
        pause = max(0.5, self._proof_seconds - tang.DEADLINE_SECONDS - _TELLING_SECONDS)
        while True:
            failed = self._lost
            if self._stops_within(self._until_next(pause)):
                return
            if failed and self._to_end_us() <= 0:
                self._end()
                return
            lock, asked_us = self._lock(), self._clock.boot_us()
            proven = lock is None or self._proves(lock)
            if self._stopping.is_set():
                return
            if proven:
                self._proven_us = asked_us
            self._note_waking()
            self._tell(lost=not proven or self._left_us() <= 0)
            if self._to_end_us() <= 0:
                self._end()

    def _stops_within(self, seconds: float) -> bool:
        """Wait so long by the boot clock, no longer than the lease holds; cover the page where it no longer does."""
        until_us = self._clock.boot_us() + int(seconds * 1_000_000)
        while (left_us := until_us - self._clock.boot_us()) > 0:
            if self._stopping.wait(min(_SLICE_SECONDS, left_us / 1_000_000)):
                return True
            self._note_waking()
            if not self._lost and not self.holds:
                self._tell(lost=True)
                break
        return self._stopping.is_set()

    def _tell(self, *, lost: bool) -> None:
        with self._telling:
            if self._lost != lost:
                self._lost = lost
                self._changed(lost)

    def _end(self) -> None:
        with self._ending:
            if self._stopping.is_set():
                return
            self._stopping.set()
            self._hangs.set()
        self._over()

    def _left_us(self) -> int:
        return self._lease_us - (self._clock.boot_us() - self._proven_us)

    def _to_end_us(self) -> int:
        """How long until it is over: until the lease's end, or, if that came asleep, as long as the lease from waking."""
        return self._left_us() if self._woke_us is None else self._lease_us - (_awake_us() - self._woke_us)

    def _note_waking(self) -> None:
        """See whether the machine slept since the last look, and whether the lease is gone with it."""
        self._turns += 1
        slept, self._asleep_us = self._slept_since(self._asleep_us), self._asleep_at_most_us()
        if self._left_us() > 0:
            self._woke_us = None
        elif slept and self._woke_us is None:
            self._woke_us = _awake_us()

    def _asleep_at_most_us(self) -> int:
        awake_us = _awake_us()  # before the other clock: a thread that has to wait between the two has not slept
        return self._clock.boot_us() - awake_us

    def _slept_since(self, asleep_us: int) -> bool:
        boot_us = self._clock.boot_us()
        return boot_us - _awake_us() - asleep_us > _ASLEEP_US

    def _until_next(self, pause: float) -> float:
        if not self._lost:
            return pause
        # While it is lost: as soon as the cable is back, and not past the end.
        return max(0.05, min(1.0, self._to_end_us() / 1_000_000))

    def _proves(self, lock: PremisesLock) -> bool:
        # A question that nobody answers lasts until its deadline; the lease does not wait for that.
        left, asleep_us, is_last = self._to_end_us() / 1_000_000, self._asleep_us, self._woke_us is not None

        def over() -> None:
            if is_last or not self._slept_since(asleep_us):  # asleep meanwhile: what the question comes to decides
                self._end()

        end = threading.Timer(max(0.0, left), over)
        end.daemon = True
        try:
            if left > 0:
                end.start()
            seconds = prove_lock(lock)
        except (VaultError, RuntimeError):  # RuntimeError: no thread can be started, whoever took them all
            return False
        finally:
            end.cancel()
        if seconds is not None:
            self._apart_seconds = self._clock.now_us() // 1_000_000 - seconds
        return True


class Hours:
    """For how long the holders opened a vault: over by wall or boot clock, whichever says so first. Nobody sets the boot clock back."""

    def __init__(self, ends_us: int, clock: Clock) -> None:
        """`ends_us`: when they are over, `Binding.recovery_ends_us`."""
        self._ends_us, self._clock = ends_us, clock
        self._ends_boot_us = clock.boot_us() + ends_us - clock.now_us()

    @property
    def are_over(self) -> bool:
        """Asked of both clocks."""
        return self._clock.now_us() >= self._ends_us or self._clock.boot_us() >= self._ends_boot_us


def keep_hours(ends_us: int, clock: Clock, over: Callable[[], object]) -> Callable[[], None]:
    """Call `over` (a thread's own) once the hours for which the holders opened a vault are over.

    Args:
        ends_us: when they are over, `Binding.recovery_ends_us`; 0 where no holders opened it: nothing is called.
        clock: asked every second.
        over: ends this process.

    Returns:
        what stops it.
    """
    stopping, hours = threading.Event(), Hours(ends_us, clock)

    def watch() -> None:
        while not stopping.wait(_SLICE_SECONDS):
            if hours.are_over:
                over()
                return

    if ends_us:
        threading.Thread(target=watch, name="recovery-hours", daemon=True).start()
    return stopping.set


def _awake_us() -> int:
    return time.monotonic_ns() // 1000


def _read(keeper: SecretKeeper, name: str) -> tuple[WorkstationId, Secret] | None:
    record = keeper.read(name)
    if record is None or len(record) <= _WORKSTATION_ID_CHARACTERS:
        return None
    plain = record.reveal()
    return WorkstationId(plain[:_WORKSTATION_ID_CHARACTERS].decode("ascii", errors="replace")), Secret(plain[_WORKSTATION_ID_CHARACTERS:])


def _settle(keeper: SecretKeeper, vault_id: VaultId, workstation_id: WorkstationId, secret: Secret) -> None:
    keep_workstation_secret(keeper, vault_id, workstation_id, secret)
    keeper.erase(_next_name(vault_id))


@contextmanager
def _told_among(threshold: int, servers: int) -> Iterator[None]:
    """Where several servers stand in a lock, who does not answer need not be the one that was just met, nor is this off the premises."""
    try:
        yield
    except UnavailableError as error:
        if servers == 1:
            raise
        raise UnavailableError("premises.others", threshold=threshold, servers=servers) from error


def _met(one: LockMember) -> MetServer:
    return MetServer(one.name, one.url, one.certificate, one.authority, tuple(key.thumbprint for key in one.pinned))
