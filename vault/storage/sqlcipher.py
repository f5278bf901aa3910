"""The register in one SQLCipher file: `services.ports.Store` for one workstation.

Rules:

- One connection, one thread (the control thread); no other process opens the file while the vault runs.
- Each changing operation is one transaction with its audit entries (`trail.Trail.recorded`); it is durable when the call returns.
- Everything is in this one file's transaction; the content store is another file, and commits first (docs/adr/0010-two-files.md).
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import bindparam

from vault.domain.audit import AuditDraft, AuditEntry, ChainVerdict, Checkpoint
from vault.domain.identity import VaultId, WorkstationId
from vault.errors import TamperError
from vault.secret import Secret
from vault.services.ports import AuditFilter, CheckStatement, Clock, Signers, SignStatement
from vault.storage.authorizer import OnDenied
from vault.storage.breaches import Breaches
from vault.storage.cases import Cases
from vault.storage.connection import BUSY_TIMEOUT_MS, REGISTER_FORMAT, Connection, Use
from vault.storage.custody import Custody
from vault.storage.migrations import History
from vault.storage.opening import found, opened
from vault.storage.people import People
from vault.storage.schema import vault
from vault.storage.statements import compiled
from vault.storage.trail import Trail
from vault.storage.verify import verify_in_slices, verify_trail

_FOUND = compiled(sa.insert(vault).values(vault_id=bindparam("vault_id"), founded_us=bindparam("founded_us")))
_VAULT = compiled(sa.select(vault.c.vault_id))


class SqlCipherStore(People, Cases, Custody, Breaches):
    """The register: people, cases, custody, breaches, audit. See `services.ports.Store`.

    Raises, from any operation:
        UnavailableError: storage.busy, storage.full, storage.read-only, storage.input-output.
        TamperError: storage.damaged, storage.denied, audit.chain-broken.
        DefectError: storage.constraint, storage.unforeseen.
    """

    def __init__(self, connection: Connection, workstation_id: WorkstationId, clock: Clock) -> None:
        """Take over an open connection; use `create` or `open`."""
        self._db = connection
        self._workstation_id = workstation_id
        row = connection.first(_VAULT)
        if row is None:
            raise TamperError("storage.damaged")
        self._vault_id = VaultId(row[0])
        self._trail = Trail(connection, workstation_id, clock)

    @classmethod
    def create(
        cls,
        path: Path,
        key: Secret,
        vault_id: VaultId,
        workstation_id: WorkstationId,
        clock: Clock,
        on_denied: OnDenied | None = None,
    ) -> SqlCipherStore:
        """Make a new register and open it.

        Raises:
            RefusedError: storage.exists.
            UnavailableError: storage.*; no file is left.
        """
        found(path, key, REGISTER_FORMAT, History.REGISTER, _FOUND, vault_id=vault_id, founded_us=clock.now_us())
        return cls.open(path, key, workstation_id, clock, on_denied)

    @classmethod
    def open(
        cls,
        path: Path,
        key: Secret,
        workstation_id: WorkstationId,
        clock: Clock,
        on_denied: OnDenied | None = None,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    ) -> SqlCipherStore:
        """Open a register whose key slot has been authenticated, and verify the tail of its trail.

        Args:
            path: the file; its directory also holds the WAL and its index.
            key: 32 raw bytes; may be wiped when this returns.
            workstation_id: who writes the audit entries.
            clock: their time.
            on_denied: told the name of every SQL action the authorizer denied.
            busy_timeout_ms: how long another process's lock is waited for.
        Raises:
            UnavailableError: storage.missing, storage.newer, storage.busy, storage.read-only, storage.input-output.
            TamperError: storage.damaged, storage.setting, audit.chain-broken (with the seq).
        """
        limits = {"busy_timeout_ms": busy_timeout_ms}
        connection = opened(path, key, REGISTER_FORMAT, History.REGISTER, Use.SERVE, on_denied, limits)
        try:
            return cls(connection, workstation_id, clock)
        except BaseException:
            connection.close()
            raise

    def workstation_id(self) -> WorkstationId:
        """The workstation this connection writes for."""
        return self._workstation_id

    def vault_id(self) -> VaultId:
        """The vault the file belongs to."""
        return self._vault_id

    def append_audit(self, *drafts: AuditDraft) -> int:
        """Commit entries by themselves; return the seq of the last."""
        return self._trail.append(drafts)

    def latest_entry_time_us(self) -> int:
        """The wall-clock time of the newest audit entry, 0 if none."""
        return self._trail.latest_entry_time_us()

    def audit_entries(self, wanted: AuditFilter, before_seq: int, limit: int) -> list[AuditEntry]:
        """Newest first, below `before_seq` (0 = from the end)."""
        return self._trail.entries(wanted, before_seq, limit)

    def audit_head(self) -> tuple[int, bytes]:
        """(seq, hash) of the newest entry; (0, 32 zero bytes) when empty."""
        return self._trail.head()

    def make_checkpoint(self, sign: SignStatement) -> Checkpoint:
        """Sign the trail as it stands and commit the checkpoint; without entries since the last one, return that.

        Raises:
            TamperError: audit.chain-broken, an entry since the last checkpoint does not hold: it is not signed.
        """
        return self._trail.make_checkpoint(sign)

    def verify_chain(
        self, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
    ) -> ChainVerdict:
        """Read the whole trail and name the first entry that does not hold (1 M entries: a few seconds)."""
        return verify_trail(self._db.lines, witness, check_signature, signers)

    def verify_in_slices(
        self, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
    ) -> Generator[int, None, ChainVerdict]:
        """The same; yields between slices of some 50 ms how many entries hold so far, and entries may be appended meanwhile."""
        return verify_in_slices(self._db.lines, witness, check_signature, signers)

    def health(self) -> tuple[str, ...]:
        """What the engine's own checks of every page find, empty if nothing. Reads the whole file."""
        return self._db.health()

    def close(self) -> None:
        """Move the WAL into the file and let go of it."""
        self._db.close()
