"""The witness outside the machine: audit head and count of the sealed spool, kept with the fronts of the station's key servers.

Rules:

- Compared and written again and again: every front of the binding of now is asked, at the opening and every `witness_seconds`, sooner while
  none keeps it. Where the binding has no front (a bare key server, none at all, or the holders of the recovery slot opened), there is no
  place file; the strip says so.
- First fetched and compared, then written; what was found stands in a committed report before it is written over. A report that cannot be
  committed leaves the file as it is, for the next time.
- What is written was committed before. So is what it is compared with: a lag is nobody's attempt, another history is.
- The spool is counted once what waited there was taken in (`vault.spooling`), and that may be later than the first look: until then the
  count that a front keeps is kept as it is. Then this looks again at once.
- A front that is silent, or refuses, is a state of the strip and a line of the log. Nothing waits for it: the thread is its own, the proofs
  of the lease go their own way, and an opening does not wait.
- Whoever restored a backup is told of, and goes on: after the report the front keeps what there is now.
- What a front was known to keep is remembered in the keyring, by its address and this workstation's identity there: another identity begins
  with no file. So the last identity with each server is remembered too, and another one is reported: a machine that was put back could
  otherwise begin anew with somebody else's certificate.

LIMIT: what is sealed while no vault is open stands nowhere outside the machine until the next opening has taken it in (ADR 0020).
LIMIT: nothing is seen of a twin that runs other software, which does not write there. LIMIT: who puts the front's files back together with
the machine, puts this witness back too. LIMIT: who can also take single entries out of the keyring, takes out which identity was the last.

Thread: `look` on any but the control thread where the vault has one, `last` on any; one at a time.
"""

from __future__ import annotations

import hashlib
import logging
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from vault.crypto import tang
from vault.crypto.place_file import fetch_place_file, front_identity, open_record, put_place_file, seal_record
from vault.crypto.premises import LockMember, PremisesLock
from vault.domain.breach import Signal
from vault.domain.duration import HOUR_US
from vault.domain.place_file import KINDS, KnownHere, PlaceFinding, PlaceRecord, facts_of, judge, spooled_to_keep
from vault.errors import TamperError, UnavailableError, VaultError
from vault.secret import Secret
from vault.services.operation import Priority
from vault.services.ports import AuditFilter, SecretKeeper
from vault.services.world import World

CERTIFICATE_ENDS_SOON_DAYS: Final = 30
LAST_SECONDS: Final = 1.0  # for the end of the trail: the keys must not outlive a lock by much
_AGAIN_SECONDS: Final = 10.0
_KEPT: Final = struct.Struct(">Q")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Front:
    """What is known of one front, under one identity."""

    identity: str
    name: str  # the keyring's, of what it keeps
    kept_seq: int | None
    written: bytes = b""  # what this process put there last, and it took
    record: PlaceRecord | None = None  # the same, unsealed
    told: bytes | None = None  # what was found there when a report was made; written over since, unless the front refused


class PlaceWitness:
    """The place files of one open vault."""

    def __init__(
        self,
        world: World,
        key: Secret,
        keeper: SecretKeeper,
        lock: Callable[[], PremisesLock | None],
        generation: Callable[[], int],
        record: Callable[[Signal], object],
    ) -> None:
        """Make the witness of an open vault; nothing is asked yet.

        Args:
            world: what the services share.
            key: `place_file_key`.
            keeper: the keyring, for this witness alone: it is asked on this one's thread.
            lock: what the workstation is bound to now.
            generation: of the header now.
            record: makes a report, committed when it returns (control thread).
        """
        self._world = world
        self._key = key
        self._keeper = keeper
        self._lock = lock
        self._generation = generation
        self._record = record
        self._fronts: dict[str, _Front] = {}
        self._identities: dict[str, str] = {}  # the last one with each server, by the keyring's name for it
        self._ends_us: dict[str, int] = {}  # when the certificate shown at each server ends, as it was last read
        self._kept_us: int | None = None  # since boot, of the last look to its end; None: that one found nobody to keep it
        self._spooled: int | None = None
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._due = threading.Event()  # set: look now, or end

    @property
    def has_front(self) -> bool:
        """Whether the binding of now has a front that could keep a place file."""
        return bool(self._members())

    @property
    def keeps(self) -> bool:
        """Whether a front kept the place file when it was last asked, and that is no longer ago than it should be."""
        kept_us, fronts = self._kept_us, len(self._members())
        most_seconds = self._world.policy.witness_seconds + 2 * tang.DEADLINE_SECONDS * fronts
        return kept_us is not None and fronts > 0 and self._world.clock.boot_us() - kept_us <= most_seconds * 1_000_000

    @property
    def certificate_ends_soon(self) -> bool:
        """Whether a certificate with which this workstation asks its fronts ends within CERTIFICATE_ENDS_SOON_DAYS, or has ended."""
        until_us = self._world.clock.now_us() + CERTIFICATE_ENDS_SOON_DAYS * 24 * HOUR_US
        return any(self._ends_us.get(one.url, until_us) < until_us for one in self._members())

    def start(self) -> None:
        """Begin, on a thread of its own: at once, and then at the policy's rhythm."""
        threading.Thread(target=self._run, name="place-witness", daemon=True).start()

    def stop(self) -> None:
        """End the thread; a request under way is left to its deadline."""
        self._stopping.set()
        self._due.set()

    def spooled(self, count: int) -> None:
        """Be told how many reports the spool has had, now that what waited is taken in (any thread); looked at again at once."""
        self._spooled = count
        self._due.set()

    def look(self) -> None:
        """Fetch, compare, report and write, at every front. Raises nothing; blocks up to two deadlines a front."""
        with self._turn:
            spooled = self._spooled  # one for the whole look: what is written was compared
            kept = [self._look(one, spooled) for one in self._members()]
        self._kept_us = self._world.clock.boot_us() if any(kept) else None

    def last(self, seq: int, entry_hash: bytes) -> None:
        """Write the end of the trail at the fronts that have what this process wrote there; anything else is the next opening's to judge.

        Raises nothing; blocks for LAST_SECONDS at most, and not at all where the fronts were silent before.
        """
        if self._kept_us is None or not self.has_front:  # however long ago: the command line looks once
            return
        # A thread, for the resolver of a name has no deadline of its own.
        writing = threading.Thread(target=self._write_last, args=(seq, entry_hash), name="place-last", daemon=True)
        writing.start()
        writing.join(LAST_SECONDS)

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:  # the last net: the thread goes on, and the log has no value in it
                self._kept_us = None
                _log.error("the place file was not looked at: %s", type(error).__name__)
            rhythm_seconds = float(self._world.policy.witness_seconds)
            self._due.wait(rhythm_seconds if self._kept_us is not None or not self.has_front else min(_AGAIN_SECONDS, rhythm_seconds))
            self._due.clear()

    def _write_last(self, seq: int, entry_hash: bytes) -> None:
        if not self._turn.acquire(timeout=LAST_SECONDS):
            return
        try:
            for one in self._members():
                with suppress(VaultError):
                    front = self._front(one)
                    if front.written and fetch_place_file(one.server, self._world.station.vault_id, LAST_SECONDS) == front.written:
                        self._put(one, front, seq, entry_hash, front.record.spooled if front.record else None, LAST_SECONDS)
        finally:
            self._turn.release()

    def _members(self) -> tuple[LockMember, ...]:
        lock = self._lock()
        return tuple(one for one in lock.members if one.certificate) if lock is not None else ()

    def _look(self, member: LockMember, spooled: int | None) -> bool:
        """Whether this front keeps the place file of now."""
        world = self._world
        try:
            front = self._front(member)
            self._same_identity(member, front)  # whatever the front says: it may be kept from answering
            found = fetch_place_file(member.server, world.station.vault_id, tang.DEADLINE_SECONDS)
            own = front.record if found == front.written else None  # what this process wrote last, and nothing else
            is_same = own is not None and spooled in (None, own.spooled)
            keep = own.spooled if own is not None and is_same else self._compare(member, front, found, spooled)
            seq, entry_hash = world.on_control(world.store.audit_head, Priority.QUERY)
            if own is not None and (own.seq, own.generation, own.spooled) == (seq, self._generation(), keep):
                return True
            self._put(member, front, seq, entry_hash, keep, tang.DEADLINE_SECONDS)
        except TamperError as error:  # the trail itself cannot be read
            world.tampered(error)
            return False
        except VaultError as error:
            _log.warning("no place file at %s: %s", member.name, error.code)
            return False
        return True

    def _same_identity(self, member: LockMember, front: _Front) -> None:
        """Report an identity that is not the last one with this server; returns when that is committed, and remembered."""
        world = self._world
        named = _digest(f"{member.name}\n{member.url}")  # both: two servers of the binding may be the same front's, under an identity each
        name = f"place-identity:{world.station.vault_id}:{named}"
        if name not in self._identities:
            last = self._remembered(name)
            self._identities[name] = last.reveal().decode(errors="replace") if last is not None else ""
        before = self._identities[name]
        if before == front.identity:
            return
        if before:
            seq, _ = world.on_control(world.store.audit_head, Priority.QUERY)
            known = KnownHere(b"", self._generation(), front.kept_seq, bool(front.written))
            facts = (*facts_of(PlaceFinding.OTHER_IDENTITY, None, known, seq), ("identity", front.identity), ("identity_before", before))
            self._report(PlaceFinding.OTHER_IDENTITY, (*facts, ("server", member.name)))
        self._identities[name] = front.identity
        with suppress(UnavailableError):  # a keyring that went away: the next opening tells of it again
            self._keeper.write(name, Secret(front.identity.encode()))

    def _report(self, finding: PlaceFinding, facts: tuple[tuple[str, str | int], ...]) -> None:
        signal = Signal(KINDS[finding], self._world.clock.now_us(), facts)
        self._world.on_control(lambda: self._record(signal), Priority.BREACH)

    def _compare(self, member: LockMember, front: _Front, found: bytes | None, spooled: int | None) -> int | None:
        """Report what should not be there; returns when that is committed, with the count of the spool to be kept there."""
        if found is not None and found == front.told:
            return spooled  # the front refuses to have it written over; it was told of
        world, outside, finding = self._world, None, None
        if found is not None:
            try:
                outside = open_record(self._key, found, world.station.vault_id, world.station.workstation_id)
            except TamperError:
                finding = PlaceFinding.ALTERED
        (found_seq, _), own = world.on_control(lambda: (world.store.audit_head(), self._hash_of(outside)), Priority.QUERY)
        known = KnownHere(own, self._generation(), front.kept_seq, bool(front.written), spooled)
        finding = finding or judge(outside, known)
        if finding is None:
            return spooled_to_keep(outside, known)
        self._report(finding, (*facts_of(finding, outside, known, found_seq), ("server", member.name)))
        front.told = found
        if finding is PlaceFinding.MISSING:  # told once, also by a front that takes no place files any more
            front.kept_seq = None
            with suppress(UnavailableError):
                self._keeper.erase(front.name)
        return spooled

    def _hash_of(self, outside: PlaceRecord | None) -> bytes:
        """The hash of this trail's entry with the number that a place file names; empty if there is none (control thread)."""
        if outside is None:
            return b""
        entries = self._world.store.audit_entries(AuditFilter(), outside.seq + 1, 1)
        return entries[0].entry_hash if entries and entries[0].seq == outside.seq else b""

    def _put(self, member: LockMember, front: _Front, seq: int, entry_hash: bytes, spooled: int | None, deadline_seconds: float) -> None:
        station = self._world.station
        record = PlaceRecord(seq, entry_hash, self._generation(), self._world.clock.now_us(), spooled)
        sealed = seal_record(self._key, record, station.vault_id, station.workstation_id)
        put_place_file(member.server, station.vault_id, sealed, deadline_seconds)
        front.written, front.record, front.told = sealed, record, None
        if front.kept_seq != seq:
            front.kept_seq = seq
            with suppress(UnavailableError):  # a keyring that went away: less is known to be kept there than is
                self._keeper.write(front.name, Secret(_KEPT.pack(seq)))

    def _front(self, member: LockMember) -> _Front:
        said = front_identity(member.server)
        identity = said.subject
        named = _digest(f"{member.url}\n{identity}")
        self._ends_us[member.url] = said.ends_us
        if named not in self._fronts:
            name = f"place-file:{self._world.station.vault_id}:{named}"
            record = self._remembered(name)
            kept = _KEPT.unpack(record.reveal())[0] if record is not None and len(record) == _KEPT.size else None
            self._fronts[named] = _Front(identity, name, kept)
        return self._fronts[named]

    def _remembered(self, name: str) -> Secret | None:
        try:
            return self._keeper.read(name)
        except TamperError:
            return None  # somebody else's value in its place


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:32]
