"""The witness: the audit head kept outside the database, in the OS keyring, so that a cut tail or an old copy
put back shows.

SQLCipher vouches for each page and never for freshness (DESIGN §7). After every checkpoint the head is written to the keyring, at the
latest every `witness_seconds`; at opening, the entry the witness names must still be there with that hash.

The header's generation is witnessed likewise: an older header that is put back is authentic, and would bring back a recovery slot or a
binding that was replaced. It is reported once, and the vault opens: a station that restored a backup must not be shut out by it.

LIMIT: who puts vault and keyring back together, as a snapshot of the whole machine does, puts the witness back too.
LIMIT: what was appended since the last witness can be cut off without this showing; the next checkpoint is at most `witness_seconds` away.
"""

from __future__ import annotations

import struct

from vault.domain.audit import ChainVerdict
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret
from vault.services.locksmith import WORKSTATION_CONTEXT
from vault.services.operation import Lane
from vault.services.ports import AuditFilter, SecretKeeper
from vault.services.world import World

_RECORD = struct.Struct(">Q32s")
_GENERATION = struct.Struct(">Q")


class Witness:
    """Writes and compares the witnessed head."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._name = witness_name(world.station.vault_id)
        self._known: tuple[int, bytes] | None = None

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

    def verify(self) -> ChainVerdict:
        """Verify the whole trail, its checkpoints and the witness (control thread)."""
        world = self._world
        public = world.locksmith.workstation_sign_public()

        def check(statement: bytes, signature: bytes) -> None:
            world.locksmith.verify(public, WORKSTATION_CONTEXT, statement, signature)

        return world.store.verify_chain(self._known, check)

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
