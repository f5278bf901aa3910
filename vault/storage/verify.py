"""The independent verifier of the audit trail: `casevault verify`, and `Store.verify_chain`.

It shares no code with the part that writes the trail: plain SQL, its own hashing, its own Merkle tree. What is hashed is what is stored, so
it need not know what an entry means. What it checks is written in `vault.domain.audit`; a test holds the two against each other.

Rules, in the order they are asked of each entry:

1. Numbers run 1, 2, 3 … A gap is ``missing`` (named: the first number that is not there).
2. ``hash_n = SHA-256(0x02 || hash_(n-1) || entry_n)``, and the entry begins with its row's number and time. Where that does not hold,
   entry n is ``edited``, unless the entry that belongs there is found later: then something was put before it (``inserted``) or they
   changed places (``reordered``).
3. At each checkpoint the head and the RFC 6962 root must be the signed ones, else ``checkpoint``. A chain recomputed by somebody with the
   key is consistent in itself, so what is named is the first entry the last good checkpoint does not vouch for.
4. With `Signers`, what people signed for custody holds, else ``signature``, and the register says of it what the trail says, else
   ``custody`` (`vault.storage.verify_custody`); asked slice by slice, once the slice holds.
5. The trail must reach the newest checkpoint (else ``truncated``) and the witness kept outside the database (else ``rolled-back``), and
   hold the witness's hash at the witness's number (else ``rolled-back``).

Runs on any thread, in memory logarithmic in the number of entries (of check-outs, only those that are out). Raises the errors of the room;
a bad trail is a verdict, not an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator
from json.encoder import encode_basestring_ascii
from pathlib import Path

from vault.domain.audit import ChainVerdict
from vault.errors import TamperError
from vault.secret import Secret
from vault.services.ports import CheckStatement, Signers
from vault.storage.engine import Lines, Row
from vault.storage.verify_custody import MARK, CustodyTrail

_CHECKPOINTS = "SELECT seq, head, root, at_us, workstation_id, signature FROM audit_checkpoint ORDER BY seq"
_SLICE = 16_384  # entries, some 50 ms
_LOOK_AHEAD = 100_000  # how far the entry that belongs at a broken place is looked for
_ZERO = bytes(32)
_BLOCK = 1024


def verify_file(
    path: Path, key: Secret, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
) -> ChainVerdict:
    """Verify the trail of a register file without the store: opened for reading only, nothing is changed, not even by a checkpoint.

    Args:
        path: the register.
        key: 32 raw bytes.
        witness: (seq, hash) kept outside the database, None if there is none.
        check_signature: raises TamperError if a statement was not signed by the workstation.
        signers: what custody signatures are checked with; None leaves them out.
    Raises:
        UnavailableError: storage.missing, storage.busy, storage.input-output.
        TamperError: storage.damaged.
    """
    from vault.storage.connection import REGISTER_FORMAT, Connection, Use  # noqa: PLC0415 - only this door needs the engine

    connection = Connection(path, key, REGISTER_FORMAT, Use.READ)
    try:
        return verify_trail(connection.lines, witness, check_signature, signers)
    finally:
        connection.close()


def verify_trail(
    lines: Lines, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
) -> ChainVerdict:
    """Verify the trail behind `lines`, which runs a SELECT and gives its rows one by one."""
    slices = verify_in_slices(lines, witness, check_signature, signers)
    while True:
        try:
            next(slices)
        except StopIteration as end:
            verdict: ChainVerdict = end.value
            return verdict


def verify_in_slices(
    lines: Lines, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
) -> Generator[int, None, ChainVerdict]:
    """Verify the trail; yields how many entries hold so far between slices, and between signatures, some 50 ms apart.

    No statement is open then: others may read and append.
    """
    with lines(_CHECKPOINTS) as found:
        checkpoints = list(found)
    count = 0
    good_checkpoints = 0
    vouched = 0
    previous = _ZERO
    tree = _Tree()
    custody = CustodyTrail(lines, signers)
    due = 0
    slice_end = 0
    while count == slice_end:  # the last slice was full
        slice_end += _SLICE
        with lines(_entries(f"WHERE seq > {count}" if count else "", _SLICE)) as rows:
            while True:
                stop = checkpoints[due][0] if due < len(checkpoints) else None
                if witness and witness[0] > count and (stop is None or witness[0] < stop):
                    stop = witness[0]
                count, previous, bad = _follow(rows, count, previous, tree, stop, custody)
                if bad is not None:
                    with lines(_entries(f"WHERE seq > {int(bad[0])}", _LOOK_AHEAD)) as further:
                        reason = _why(bad, count + 1, previous, further)
                    return ChainVerdict(count, count + 1, reason, good_checkpoints, 0)
                if stop is None or count < stop:
                    break
                if witness and count == witness[0] and previous != witness[1]:
                    return ChainVerdict(count, vouched + 1, "rolled-back", good_checkpoints, 0)
                while due < len(checkpoints) and checkpoints[due][0] == count:
                    if not _vouches(checkpoints[due], previous, tree.root(), check_signature):
                        return ChainVerdict(count, vouched + 1, "checkpoint", good_checkpoints, 0)
                    vouched = count
                    good_checkpoints += 1
                    due += 1
        fault = yield from custody.check(count, is_whole=count < slice_end)
        if fault is not None:
            return ChainVerdict(count, fault.seq, fault.reason, good_checkpoints, 0)
        if count == slice_end:
            yield count
    if due < len(checkpoints) or (witness and witness[0] > count):
        return ChainVerdict(count, count + 1, "truncated" if due < len(checkpoints) else "rolled-back", good_checkpoints, 0)
    witnessed = witness[0] if witness else 0
    return ChainVerdict(count, 0, "", good_checkpoints, witnessed, custody.signatures, custody.sealed_statements)


def _entries(where: str, most: int) -> str:
    return f"SELECT seq, at_us, entry, entry_hash FROM audit {where} ORDER BY seq LIMIT {most}"  # noqa: S608 - numbers of ours


def _follow(
    rows: Iterator[Row], count: int, previous: bytes, tree: _Tree, stop: int | None, custody: CustodyTrail
) -> tuple[int, bytes, Row | None]:
    """Follow the chain until entry `stop`, the end, or the first entry that does not hold, which is returned."""
    sha256 = hashlib.sha256
    append = tree.append
    mark = MARK if custody.is_asked else "\n"  # which no entry has
    for row in rows:
        seq, at_us, entry, entry_hash = row
        leaf = entry.encode("ascii", "replace")
        expected = sha256(b"\x02" + previous + leaf).digest()
        if expected != entry_hash or seq != count + 1 or not entry.startswith(f"[{seq},{at_us},"):
            return count, previous, row
        previous = expected
        count += 1
        append(leaf)
        if mark in entry:
            custody.take(seq, entry)
        if count == stop:
            break
    return count, previous, None


def _why(bad: Row, place: int, previous: bytes, rows: Iterator[Row]) -> str:
    """Say what happened at `place`, where `bad` stands instead of what follows from `previous`."""
    if bad[0] > place:
        return "missing"
    if bad[0] < place:
        return "inserted"
    for row in rows:
        if _belongs(row, place, previous):
            # What belongs here stands further on. If what stands here says it is a later entry, the two changed places.
            return "reordered" if _claimed(bad) > place else "inserted"
    return "edited"


def _belongs(row: Row, place: int, previous: bytes) -> bool:
    """Whether `row` is what was hashed as entry `place` after `previous`, wherever it stands now."""
    leaf = row[2].encode("ascii", "replace")
    return _claimed(row) == place and bool(hashlib.sha256(b"\x02" + previous + leaf).digest() == row[3])


def _claimed(row: Row) -> int:
    """The number an entry gives itself, 0 if none."""
    found = re.match(r"\[(\d{1,18}),", row[2])
    return int(found[1]) if found else 0


def _vouches(checkpoint: Row, head: bytes, root: bytes, check_signature: CheckStatement) -> bool:
    seq, signed_head, signed_root, at_us, workstation_id, signature = checkpoint
    if signed_head != head or signed_root != root:
        return False
    statement = f'[{seq},"{signed_head.hex()}","{signed_root.hex()}",{at_us},{encode_basestring_ascii(workstation_id)}]'
    try:
        check_signature(statement.encode("ascii"), signature)
    except TamperError:
        return False
    return True


class _Tree:
    """RFC 6962 tree head over leaves appended one by one; whole blocks of leaves are folded level by level, to be fast."""

    def __init__(self) -> None:
        self._block: list[bytes] = []  # hashes of the leaves since the last whole block
        self._peaks: list[tuple[int, bytes]] = []  # (leaf count, node) of the perfect trees over whole blocks, largest first

    def append(self, leaf: bytes) -> None:
        self._block.append(hashlib.sha256(b"\x00" + leaf).digest())
        if len(self._block) == _BLOCK:
            self._peaks.append((_BLOCK, _folded(self._block)))
            self._block = []
            while len(self._peaks) > 1 and self._peaks[-1][0] == self._peaks[-2][0]:
                (_, right), (count, left) = self._peaks.pop(), self._peaks.pop()
                self._peaks.append((2 * count, hashlib.sha256(b"\x01" + left + right).digest()))

    def root(self) -> bytes:
        nodes = [node for _, node in self._peaks]
        rest = self._block
        while rest:
            largest = 1 << (len(rest).bit_length() - 1)
            nodes.append(_folded(rest[:largest]))
            rest = rest[largest:]
        if not nodes:
            return hashlib.sha256(b"").digest()
        head = nodes.pop()
        while nodes:
            head = hashlib.sha256(b"\x01" + nodes.pop() + head).digest()
        return head


def _folded(hashes: list[bytes]) -> bytes:
    """The node over a power of two of leaf hashes."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]
