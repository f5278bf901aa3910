"""The independent verifier of custody: who signed what, and whether the register of check-outs says what the trail says.

It follows the custody entries of a trail that was found to hold, in order, beside `vault.storage.verify`. A chain recomputed by somebody
with the vault key and the workstation's key is consistent in itself; a person's signature is not theirs to make.

Rules, in the order they are asked of each entry:

1. The check-out an entry names is there, in its place and in the state the entry left it in, with the case, holder, purpose, workstation
   and first entry the trail has; else ``custody``. At the end the check-outs that are out are those the trail left out, and there are no
   others.
2. Who took a file, handed it over or attested its statement is a person of the directory: an administrator and a supervisor signed their
   key, whose own keys were signed likewise, down to the keys of founding; else ``signature``.
3. Their signature is over exactly that check-out, and over exactly that statement; else ``signature``.

LIMIT: recall, forced return, expiry, containment and withdrawal are signed by nobody: of them rule 1, the chain and its checkpoints vouch.
The same goes for the workstation of a check-out, its number and the time it ended, which no signature covers.
LIMIT: a statement attested before its signature stood in the trail is sealed with it under the case's key. Such are counted, not verified;
once a signature stands in the trail, every later statement must have one. Who makes the whole chain anew can make all of them such,
or leave an act out of trail and register altogether: only a witness elsewhere tells of that.

Runs on the thread of whoever follows; memory grows with the check-outs that are out, not with the trail.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass

import msgspec

from vault.domain.custody import CheckInStatement, Purpose
from vault.domain.identity import PersonId, Role, UnitId
from vault.errors import TamperError
from vault.services.locksmith import DirectoryFacts
from vault.services.ports import SignatureKeys, Signers
from vault.storage.engine import Lines, Row

MARK = ',"custody.'  # stands in every custody entry

_SIGNED_AT_A_TIME = 128  # some 30 ms
_CHECK_OUTS = (
    "SELECT check_out_no, check_out_id, case_id, holder_id, workstation_id, purpose, flagged, taken_us, due_back_us, returned_us,"
    " return_kind, returned_by, signature, opened_seq FROM check_out"
)
_PEOPLE = (
    "SELECT person_id, badge_no, name, role, unit_id, kem_public, sign_public, administrator_id, administrator_signature, supervisor_id,"
    " supervisor_signature FROM person"
)
_RETURNS = {  # kind of the entry, how the check-out ended
    "custody.checked-in": "checked-in",
    "custody.handed-over": "handed-over",
    "custody.expired": "expired",
    "custody.forced-return": "forced",
    "custody.contained": "contained",
    "custody.withdrawn": "withdrawn",
}
_TAKEN, _NO_KIND = "custody.checked-out", ""
_ROLES = frozenset(one.value for one in Role)
_BY_NOBODY = frozenset({"custody.expired", "custody.contained"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a custody entry says."""

    seq: int
    workstation_id: str
    kind: str
    actor_id: str
    case_id: str
    facts: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class _CheckOut:
    """A row of the register."""

    number: int
    check_out_id: str
    case_id: str
    holder_id: str
    workstation_id: str
    purpose: str
    flagged: int
    taken_us: int
    due_back_us: int
    returned_us: int
    return_kind: str | None
    returned_by: str | None
    signature: bytes
    opened_seq: int


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature to check."""

    seq: int
    signer_id: str
    context: str
    message: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """The first custody entry that does not hold, and why."""

    seq: int
    reason: str  # custody, signature


class CustodyTrail:
    """Follows the custody entries of one verification."""

    def __init__(self, lines: Lines, signers: Signers | None) -> None:
        self._lines = lines
        self._signers = signers
        self._entries: list[_Entry] = []
        self._to_check: list[_Signed] = []
        self._opened = 0
        self._out: dict[str, tuple[int, int]] = {}  # check-outs that are out by the trail so far: number, and the entry that began them
        self._attests = False  # a statement's signature stood in the trail
        self._people: dict[str, Row] = {}
        self._trusted: dict[str, bytes] = {}
        self.signatures = 0  # that hold
        self.sealed_statements = 0  # that cannot be verified here

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to check with."""
        return self._signers is not None

    @property
    def _keys(self) -> SignatureKeys:
        assert self._signers is not None
        return self._signers.keys

    def take(self, seq: int, entry: str) -> None:
        """Take an entry of the trail, as stored, that has `MARK`."""
        try:
            _, _, _, workstation_id, kind, actor_id, _, case_id, _, _, _, facts = json.loads(entry)
            said = dict(json.loads(facts))
        except (TypeError, ValueError):  # nobody wrote it so but who made the chain anew
            kind, workstation_id, actor_id, case_id, said = _NO_KIND, "", "", "", {}
        if kind in (_TAKEN, _NO_KIND) or kind in _RETURNS:
            self._entries.append(_Entry(seq, workstation_id, kind, actor_id, case_id, said))

    def check(self, count: int, *, is_whole: bool) -> Generator[int, None, Fault | None]:
        """Check what was taken; returns the first fault.

        Args:
            count: entries of the trail so far; yielded now and then between signatures.
            is_whole: all of the trail was taken.
        """
        if not self.is_asked:
            return None
        fault = self._compared()  # before anything is yielded: nothing may be committed since the entries were read
        if fault is None and is_whole:
            fault = self._left_out(count)
        to_check, self._to_check = self._to_check, []
        for number, one in enumerate(to_check, 1):
            if not self._holds(one):
                return Fault(one.seq, "signature")  # never later than what was compared
            self.signatures += 1
            if number % _SIGNED_AT_A_TIME == 0:
                yield count
        return fault

    def _compared(self) -> Fault | None:
        """Compare what was taken with the register."""
        entries, self._entries = self._entries, []
        rows = self._rows(entries)
        return next((Fault(entry.seq, "custody") for entry in entries if not self._follows(entry, rows)), None)

    # -- the register ----------------------------------------------------------------------------------------------------------------

    def _rows(self, entries: list[_Entry]) -> dict[int, _CheckOut]:
        """The check-outs of these entries, by number: those they begin and those of before that they end."""
        begun = sum(one.kind == _TAKEN or "next_check_out_id" in one.facts for one in entries)
        ended = [self._out[name][0] for one in entries if (name := str(one.facts.get("check_out_id"))) in self._out]
        numbers = [*range(self._opened + 1, self._opened + begun + 1), *ended]
        rows: dict[int, _CheckOut] = {}
        if numbers:
            wanted = ",".join(map(str, numbers))
            with self._lines(f"{_CHECK_OUTS} WHERE check_out_no IN ({wanted})") as found:  # numbers of ours
                rows = {row[0]: _CheckOut(*row) for row in found}
        return rows

    def _follows(self, entry: _Entry, rows: dict[int, _CheckOut]) -> bool:
        check_out_id = str(entry.facts.get("check_out_id"))
        if entry.kind == _TAKEN:
            return self._begins(entry, check_out_id, entry.actor_id, rows)
        if entry.kind == _NO_KIND or not self._ends(entry, check_out_id, rows):
            return False
        if entry.kind == "custody.handed-over":
            return self._begins(entry, str(entry.facts.get("next_check_out_id")), str(entry.facts.get("to")), rows)
        return True

    def _begins(self, entry: _Entry, check_out_id: str, holder_id: str, rows: dict[int, _CheckOut]) -> bool:
        self._opened += 1
        row = rows.get(self._opened)
        if row is None or (row.check_out_id, row.case_id, row.holder_id) != (check_out_id, entry.case_id, holder_id):
            return False
        said = (entry.facts.get("purpose"), entry.facts.get("flagged"), entry.workstation_id, entry.seq - 1)
        if (row.purpose, row.flagged, row.workstation_id, row.opened_seq) != said or row.flagged != (row.purpose == Purpose.OTHER.value):
            return False
        self._out[check_out_id] = row.number, entry.seq
        self._to_check.append(_Signed(entry.seq, entry.actor_id, "check-out", self._act(row), row.signature))
        return True

    def _ends(self, entry: _Entry, check_out_id: str, rows: dict[int, _CheckOut]) -> bool:
        number, _ = self._out.pop(check_out_id, (0, 0))
        row = rows.get(number)
        by = None if entry.kind in _BY_NOBODY else entry.actor_id or None
        if row is None or row.returned_us == 0 or (row.return_kind, row.returned_by) != (_RETURNS[entry.kind], by):
            return False
        if entry.case_id != row.case_id:
            return False
        if entry.kind in ("custody.checked-in", "custody.handed-over") and entry.actor_id != row.holder_id:
            return False
        if entry.kind == "custody.checked-in":
            self._attested(entry, row)
        return True

    def _attested(self, entry: _Entry, row: _CheckOut) -> None:
        signature = entry.facts.get("signature")
        if signature is None and not self._attests:
            self.sealed_statements += 1
            return
        self._attests = True
        names = ("pages", "documents", "reading_seconds", "held_seconds", "copy_attempts")
        said = [entry.facts.get(name) for name in names]
        statement = CheckInStatement(*(one if isinstance(one, int) else -1 for one in said))
        try:
            signed = bytes.fromhex(str(signature))
        except ValueError:
            signed = b""
        self._to_check.append(_Signed(entry.seq, entry.actor_id, "check-in", self._act(row) + msgspec.json.encode(statement), signed))

    def _left_out(self, last_seq: int) -> Fault | None:
        """Compare what is out by the trail with what is out by the register, and how many check-outs there are."""
        with self._lines("SELECT check_out_no FROM check_out WHERE returned_us = 0") as found:
            active = {int(row[0]) for row in found}
        with self._lines("SELECT count(*) FROM check_out") as found:
            count = int(next(found)[0])
        lost = [seq for number, seq in self._out.values() if number not in active]
        if lost:
            return Fault(min(lost), "custody")
        return Fault(last_seq + 1, "custody") if len(active) != len(self._out) or count != self._opened else None

    def _act(self, row: _CheckOut) -> bytes:
        """What the signature of a check-out covers."""
        return self._keys.bind(row.check_out_id, row.case_id, row.holder_id, row.purpose, row.taken_us, row.due_back_us)

    # -- people ----------------------------------------------------------------------------------------------------------------------

    def _holds(self, one: _Signed) -> bool:
        try:
            self._keys.verify(self._key_of(one.signer_id, ()), one.context, one.message, one.signature)
        except TamperError:
            return False
        return True

    def _key_of(self, person_id: str, path: tuple[str, ...]) -> bytes:
        """The key a person signs with. Raises TamperError directory.unsigned where it is not vouched for down to the founding's keys."""
        if (known := self._trusted.get(person_id)) is not None:
            return known
        if person_id not in self._people:
            with self._lines(_PEOPLE) as found:
                self._people = {str(row[0]): row for row in found}
        row = self._people.get(person_id)
        administrator, supervisor = (self._people.get(row[7]), self._people.get(row[9])) if row is not None else (None, None)
        if row is None or administrator is None or supervisor is None or person_id in path:
            raise TamperError("directory.unsigned", person_id=person_id)
        if administrator[3] != Role.ADMINISTRATOR.value or supervisor[3] != Role.SUPERVISOR.value or row[3] not in _ROLES:
            raise TamperError("directory.unsigned", person_id=person_id)
        facts = DirectoryFacts(PersonId(row[0]), row[1], row[2], Role(row[3]), UnitId(row[4]), row[5], row[6])
        self._keys.verify_directory(facts, administrator[6], row[8], supervisor[6], row[10])
        if self._signers is None or row[6] not in self._signers.roots:
            for voucher in (administrator, supervisor):
                self._key_of(voucher[0], (*path, person_id))
        key: bytes = row[6]
        self._trusted[person_id] = key
        return key
