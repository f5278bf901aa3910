"""The witness: the audit head kept outside the database, in the OS keyring, so that a cut tail or an old copy
put back shows.

SQLCipher vouches for each page and never for freshness (DESIGN §7). After every checkpoint the head is written to the keyring, at the
latest every `witness_seconds`; at opening, the entry the witness names must still be there with that hash.

The header's generation is witnessed likewise: an older header that is put back is authentic, and would bring back a recovery slot or a
binding that was replaced. It is reported once, and the vault opens: a station that restored a backup must not be shut out by it.

The whole trail is verified against its checkpoints and the witness, and what people signed for custody with it, once a day while the vault
is open, and whenever somebody asks; both go between other work. A trail that does not hold becomes a breach report.

LIMIT: a verification takes a minute for a million entries, in one session: a lock ends it, and the next one begins anew.
LIMIT: who puts vault and keyring back together, as a snapshot of the whole machine does, puts this witness back too; the place file at a
key server's front (`vault.place_witness`), where there is one, tells of that.
LIMIT: what was appended since the last witness can be cut off without this showing; the next checkpoint is at most `witness_seconds` away.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Generator

from vault.domain.audit import AuditDraft, AuditKind, ChainVerdict
from vault.domain.duration import HOUR_US
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret
from vault.services.locksmith import WORKSTATION_CONTEXT
from vault.services.operation import Lane, Priority
from vault.services.ports import AuditFilter, SecretKeeper, Signers
from vault.services.world import World

_RECORD = struct.Struct(">Q32s")
_GENERATION = struct.Struct(">Q")
VERIFY_EVERY_HOURS = 24


class Witness:
    """Writes and compares the witnessed head."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._name = witness_name(world.station.vault_id)
        self._known: tuple[int, bytes] | None = None
        self._slices: Generator[int, None, ChainVerdict] | None = None  # of a verification that is under way
        self._verified_us: int | None = None  # when the trail was last verified; None: not looked up yet

    def read(self) -> tuple[int, bytes] | None:
        """Return the witnessed (seq, hash); None where nothing was witnessed yet. Raises UnavailableError keyring.*."""
        record = self._world.keeper.read(self._name)
        self._known = unpack(record)
        return self._known

    def check_at_opening(self) -> None:
        """Compare the trail's end with the witness (control thread).

        Raises:
            TamperError: audit.rolled-back, with the witnessed seq and the seq found.
        """
        witnessed = self.read()
        if witnessed is None:
            return
        store = self._world.store
        head_seq, _ = store.audit_head()
        entries = store.audit_entries(AuditFilter(), witnessed[0] + 1, 1) if head_seq >= witnessed[0] else []
        if not entries or entries[0].seq != witnessed[0] or entries[0].entry_hash != witnessed[1]:
            raise TamperError("audit.rolled-back", witnessed_seq=witnessed[0], found_seq=head_seq)

    def verify(self, moved: Callable[[int, int], None] = lambda _entries, _of: None) -> ChainVerdict:
        """Verify the whole trail, its checkpoints and the witness: on the control thread, but one slice at a time, so that a report, a lock
        and everybody else's work go between (any lane; waits).

        Args:
            moved: told on the control thread before each slice how many entries were followed, and of how many; what it raises ends this.
        Raises:
            TamperError: storage.damaged.
        """
        world = self._world
        head_seq, slices = world.on_control(
            lambda: (world.store.audit_head()[0], world.store.verify_in_slices(self._known, self._check, self._signers())), Priority.QUERY
        )
        entries = 0

        def follow() -> ChainVerdict | None:
            nonlocal entries
            moved(min(entries, head_seq), head_seq)
            try:
                entries = next(slices)
            except StopIteration as end:
                verdict: ChainVerdict = end.value
                return verdict
            return None

        while (verdict := world.on_control(follow, Priority.QUERY)) is None:
            pass
        return verdict

    def verify_in_turn(self) -> None:
        """Verify the trail if nobody did for a day, one slice a call, so that nobody waits for it (control thread).

        Raises:
            TamperError: audit.chain-broken, with the first entry that does not hold and why; storage.damaged.
        Audit: audit.verified at the end, by nobody, with the verdict.
        """
        store, now_us = self._world.store, self._world.clock.now_us()
        if self._slices is None:
            if self._verified_us is None:
                self._verified_us = self._last_verified_us()
            if 0 <= now_us - self._verified_us < VERIFY_EVERY_HOURS * HOUR_US:
                return
            self._slices = store.verify_in_slices(self._known, self._check, self._signers())
        slices, self._slices = self._slices, None  # one that raises is over,
        self._verified_us = now_us - (VERIFY_EVERY_HOURS - 1) * HOUR_US  # and another is begun after an hour
        try:
            next(slices)
        except StopIteration as end:
            verdict: ChainVerdict = end.value
        else:
            self._slices = slices
            return
        facts = (("entries", verdict.entries), ("bad_seq", verdict.bad_seq), ("reason", verdict.reason))
        try:
            store.append_audit(AuditDraft(AuditKind.AUDIT_VERIFIED, facts=facts))
            self._verified_us = now_us
        finally:
            if not verdict.holds:  # also where the verdict cannot be written: what becomes a report is tried again until it can
                raise broken(verdict)

    def _last_verified_us(self) -> int:
        """When the trail was last found to hold; 0 if the last verdict was another, for nobody knows whether that was reported."""
        before = self._world.store.audit_entries(AuditFilter(kinds=(AuditKind.AUDIT_VERIFIED.value,)), 0, 1)
        return before[0].at_us if before and not dict(json.loads(before[0].facts)).get("reason") else 0

    def _check(self, statement: bytes, signature: bytes) -> None:
        locksmith = self._world.locksmith
        locksmith.verify(locksmith.workstation_sign_public(), WORKSTATION_CONTEXT, statement, signature)

    def _signers(self) -> Signers:
        return Signers(self._world.locksmith, self._world.station.root_sign_publics)

    def checkpoint(self) -> None:
        """Sign the trail as it stands and witness it (control thread; the keyring is written on the keys lane)."""
        world = self._world
        made = world.store.make_checkpoint(world.locksmith.sign_as_workstation)
        head = (made.seq, made.head)
        if made.seq == 0 or head == self._known:
            return
        self._known = head
        world.later(Lane.KEYS, lambda: self.write(head))

    def seal_now(self) -> None:
        """Checkpoint and witness before this returns: the process is about to end (control thread)."""
        made = self._world.store.make_checkpoint(self._world.locksmith.sign_as_workstation)
        if made.seq:
            self.write((made.seq, made.head))

    def write(self, head: tuple[int, bytes]) -> None:
        """Put a head into the keyring. A keyring that went away is a protection that became UNAVAILABLE, not a lost entry."""
        try:
            self._world.keeper.write(self._name, Secret(_RECORD.pack(*head)))
        except UnavailableError:
            self._known = None


def broken(verdict: ChainVerdict) -> TamperError:
    """Say that a trail does not hold: what becomes a report."""
    return TamperError("audit.chain-broken", seq=verdict.bad_seq, reason=verdict.reason)


def witness_name(vault_id: str) -> str:
    """The keyring's name of a vault's witness."""
    return f"witness:{vault_id}"


def witness_generation(keeper: SecretKeeper, vault_id: str, generation: int) -> None:
    """Put a header's generation into the keyring, and compare it with the one before (any thread).

    Raises:
        UnavailableError: keyring.*.
        TamperError: header.rolled-back, with both generations; once, for this one is witnessed from now on.
    """
    name = f"header-generation:{vault_id}"
    record = keeper.read(name)
    witnessed = _GENERATION.unpack(record.reveal())[0] if record is not None and len(record) == _GENERATION.size else 0
    if witnessed != generation:
        keeper.write(name, Secret(_GENERATION.pack(generation)))
    if witnessed > generation:
        raise TamperError("header.rolled-back", generation=generation, witnessed=witnessed)


def unpack(record: Secret | None) -> tuple[int, bytes] | None:
    """Read a witness record; None if there is none or it is not one."""
    if record is None or len(record) != _RECORD.size:
        return None
    seq, head = _RECORD.unpack(record.reveal())
    return seq, head
