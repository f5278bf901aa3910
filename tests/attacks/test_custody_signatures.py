"""Custody records forged by somebody who has the vault key and the workstation's key: chain and checkpoints are theirs to make anew.

What is not theirs are the keys of the people who took a file, handed it over and attested its statement (DESIGN §3, §4).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2 as engine

from tests.conftest import COLLEAGUE, OFFICER
from tests.journeys.crew import LONG, Crew
from tests.station import CUSTODIAN, SUPERVISOR, Station
from vault.assembly import REGISTER_NAME, verified_header
from vault.crypto.directory import DirectoryEntry, sign_entry
from vault.crypto.keypairs import KeyPair, generate_key_pair, verify
from vault.crypto.locksmith import VaultLocksmith
from vault.crypto.sealing import bind
from vault.crypto.slots import Argon2Cost, WorkstationSecrets, vault_keys
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import FIRST_HASH, AuditKind, ChainVerdict, Checkpoint, MerkleFrontier
from vault.domain.identity import PersonId, Role, UnitId, WorkstationId
from vault.premises import open_slot
from vault.services.locksmith import WORKSTATION_CONTEXT
from vault.services.ports import Signers
from vault.storage import verify as verify_trail
from vault.storage import verify_custody
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.storage.verify import verify_file


@dataclass(frozen=True, slots=True)
class Scene:
    """A closed vault after a day, with the keys of its workstation, and which entry told what."""

    register: Path
    secrets: WorkstationSecrets
    signers: Signers
    seqs: dict[str, int]
    people: dict[str, str]  # badge: person id

    def verdict(self, register: Path, *, signatures: bool = True) -> ChainVerdict:
        """What `casevault verify` finds, without the keyring's witness: whoever has the workstation's key writes it anew."""
        public = self.secrets.key_pair.public.sign
        return verify_file(
            register,
            vault_keys(self.secrets.vault_key).register,
            None,
            lambda statement, signature: verify(public, WORKSTATION_CONTEXT, statement, signature),
            self.signers if signatures else None,
        )


@pytest.fixture(scope="module")
def scene(staffed: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Three statements attested, a file handed over, one fetched back, one still out."""
    folder = tmp_path_factory.mktemp("signatures")
    station = staffed.copy_to(folder / "vault")
    crew = Crew.of(station, folder, (CUSTODIAN, SUPERVISOR, COLLEAGUE, OFFICER))
    cases = [crew.new_case(CUSTODIAN, OFFICER, "page\n") for _ in range(3)]
    register = crew.at(CUSTODIAN).register
    register.grant(cases[0], Effect.ALLOW, GranteeKind.PERSON, crew.person_id(COLLEAGUE), 0, 0, LONG)
    for _ in range(2):
        held = crew.take(OFFICER, cases[0])
        reading = crew.vault.reading
        reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
        crew.vault.custody.check_in(held.check_out_id, attested=True)
    held = crew.take(OFFICER, cases[0])
    crew.vault.custody.hand_over(held.check_out_id, COLLEAGUE)
    following = crew.at(COLLEAGUE).store.active_check_out(cases[0])
    assert following is not None
    crew.vault.custody.check_in(following.check_out_id, attested=True)
    held = crew.take(OFFICER, cases[1])
    crew.at(SUPERVISOR).custody.force_return(held.check_out_id, LONG)
    crew.take(OFFICER, cases[2])
    seqs: dict[str, int] = {}
    for kind, names in (
        (AuditKind.CHECKED_OUT, ("first", "second", "third", "fetched", "out")),
        (AuditKind.HANDED_OVER, ("handed",)),
        (AuditKind.CHECKED_IN, ("attested", "attested again", "attested by the other")),
        (AuditKind.FORCED_RETURN, ("forced",)),
    ):
        seqs |= {name: entry.seq for name, entry in zip(names, crew.trail(kind), strict=True)}
    people = {badge: str(crew.person_id(badge)) for badge in (SUPERVISOR, COLLEAGUE, OFFICER)}
    station.close()
    unverified = read_unverified_header(station.directory / HEADER_NAME)
    secrets = open_slot(unverified, station.keeper, station.clock.now_us()).secrets
    roots = verified_header(unverified, secrets).directory_roots
    yield Scene(station.directory / REGISTER_NAME, secrets, Signers(VaultLocksmith(secrets, Argon2Cost()), roots), seqs, people)
    shutil.rmtree(folder, ignore_errors=True)


class Forger:
    """Has the file, the vault key and the workstation's key; our triggers are gone."""

    def __init__(self, scene: Scene, register: Path) -> None:
        self.scene = scene
        self._raw = engine.connect(str(register), isolation_level=None)
        self._raw.execute("PRAGMA cipher_log_level = NONE")
        self._raw.execute(f"PRAGMA key = \"x'{vault_keys(scene.secrets.vault_key).register.reveal().hex()}'\"")
        self._raw.execute("PRAGMA synchronous = OFF")
        self._raw.execute("BEGIN")  # one commit, however much is forged
        for (name,) in self._raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self._raw.execute(f"DROP TRIGGER {name}")

    def close(self) -> None:
        self._raw.execute("COMMIT")
        self._raw.close()

    def row(self, act: str, **columns: Any) -> None:
        """Change the check-out that an act named first."""
        for name, value in columns.items():
            self._raw.execute(f"UPDATE check_out SET {name} = ? WHERE check_out_id = ?", (value, self._facts(act)["check_out_id"]))

    def value(self, act: str, column: str) -> Any:
        return self._raw.execute(f"SELECT {column} FROM check_out WHERE check_out_id = ?", (self._facts(act)["check_out_id"],)).fetchone()[
            0
        ]

    def sql(self, statement: str, *values: Any) -> None:
        self._raw.execute(statement, values)

    def entry(self, act: str, *, kind: str = "", actor: str = "", **facts: Any) -> None:
        """Change what an entry says; a fact that is None goes."""
        said = self._entry(act)
        known = {**dict(json.loads(said[11])), **facts}
        said[4], said[5] = kind or said[4], actor or said[5]
        said[11] = json.dumps([[name, value] for name, value in known.items() if value is not None], separators=(",", ":"))
        self._raw.execute("UPDATE audit SET entry = ? WHERE seq = ?", (json.dumps(said, separators=(",", ":")), self.scene.seqs[act]))

    def make_the_chain_anew(self) -> None:
        """Hash every entry again, and sign one checkpoint over all of them as the workstation."""
        previous, tree, seq = FIRST_HASH, MerkleFrontier(), 0
        for seq, entry in self._raw.execute("SELECT seq, entry FROM audit ORDER BY seq").fetchall():
            previous = hashlib.sha256(b"\x02" + previous + entry.encode()).digest()
            tree.append(entry.encode())
            self._raw.execute("UPDATE audit SET entry_hash = ? WHERE seq = ?", (previous, seq))
        bare = Checkpoint(seq, previous, tree.root(), 7, WorkstationId("w"))
        signature = self.scene.secrets.key_pair.sign(WORKSTATION_CONTEXT, bare.statement())
        self._raw.execute("DELETE FROM audit_checkpoint")
        self._raw.execute("INSERT INTO audit_checkpoint VALUES (?, ?, ?, 7, 'w', ?, x'')", (seq, previous, bare.root, signature))

    def signed_by(self, key_pair: KeyPair, act: str) -> bytes:
        """The signature the check-out of an act would have by another key."""
        columns = ("check_out_id", "case_id", "holder_id", "purpose", "taken_us", "due_back_us")
        return key_pair.sign("check-out", bind(*(self.value(act, name) for name in columns)))

    def swap_key(self, badge: str, key_pair: KeyPair) -> None:
        self._raw.execute("UPDATE person SET sign_public = ? WHERE person_id = ?", (key_pair.public.sign, self.scene.people[badge]))

    def enrol(
        self, person_id: str, role: Role, key_pair: KeyPair, administrator: tuple[str, KeyPair], supervisor: tuple[str, KeyPair]
    ) -> None:
        """Put a person of one's own into the directory, vouched for by whom one likes."""
        self._raw.execute(
            "INSERT INTO person SELECT ?, ?, name, ?, unit_id, state, kem_public, ?, slot, enrolled_us, ?, ?, ?, ?, 0 FROM person LIMIT 1",
            (person_id, person_id, role.value, key_pair.public.sign, administrator[0], b"", supervisor[0], b""),
        )
        self.vouch(person_id, administrator[1], supervisor[1])

    def vouch(self, person_id: str, administrator: KeyPair, supervisor: KeyPair) -> None:
        """Sign a directory entry as an administrator and a supervisor."""
        row = self._raw.execute(
            "SELECT badge_no, name, role, unit_id, kem_public, sign_public FROM person WHERE person_id = ?", (person_id,)
        ).fetchone()
        badge_no, name, role, unit_id, kem_public, sign_public = row
        entry = DirectoryEntry(PersonId(person_id), badge_no, name, Role(role), (UnitId(unit_id),), kem_public, sign_public)
        self._raw.execute(
            "UPDATE person SET administrator_signature = ?, supervisor_signature = ? WHERE person_id = ?",
            (sign_entry(administrator, entry), sign_entry(supervisor, entry), person_id),
        )

    def _entry(self, act: str) -> list[Any]:
        found: list[Any] = json.loads(self._raw.execute("SELECT entry FROM audit WHERE seq = ?", (self.scene.seqs[act],)).fetchone()[0])
        return found

    def _facts(self, act: str) -> dict[str, Any]:
        return dict(json.loads(self._entry(act)[11]))


def _another_took_it(forger: Forger) -> None:
    colleague = forger.scene.people[COLLEAGUE]
    forger.row("out", holder_id=colleague)
    forger.entry("out", actor=colleague)


def _another_purpose(forger: Forger) -> None:
    forger.row("first", purpose="court-preparation")
    forger.entry("first", purpose="court-preparation")


def _a_flag(forger: Forger) -> None:
    forger.row("first", flagged=1)
    forger.entry("first", flagged=1)


def _cut_an_entry(forger: Forger) -> None:
    forger.sql("UPDATE audit SET entry = substr(entry, 1, length(entry) - 1) WHERE seq = ?", forger.scene.seqs["third"])


def _fetched_is_attested(forger: Forger) -> None:
    officer = forger.scene.people[OFFICER]
    forger.row("forced", return_kind="checked-in", returned_by=officer)
    forger.entry(
        "forced",
        kind="custody.checked-in",
        actor=officer,
        pages=0,
        documents=0,
        reading_seconds=0,
        held_seconds=1,
        copy_attempts=0,
        signature=forger.scene.secrets.key_pair.sign("check-in", b"").hex(),
    )


def _add_a_check_out(forger: Forger) -> None:
    forger.sql(
        "INSERT INTO check_out SELECT 99, 'forged', case_id, holder_id, workstation_id, purpose, flagged, taken_us, due_back_us,"
        " recalled_us, returned_us, return_kind, returned_by, signature, statement_sealed, opened_seq FROM check_out WHERE check_out_no = 1"
    )


def _key_of_my_own(forger: Forger) -> None:
    mine = generate_key_pair()
    forger.swap_key(OFFICER, mine)
    for act in ("first", "second", "third", "fetched", "out"):
        forger.row(act, signature=forger.signed_by(mine, act))


def _directory_of_my_own(forger: Forger) -> None:
    """An administrator and a supervisor who vouch for each other, and for a key of the forger's."""
    _key_of_my_own(forger)
    administrator, supervisor = generate_key_pair(), generate_key_pair()
    forger.enrol("a", Role.ADMINISTRATOR, administrator, ("a", administrator), ("s", supervisor))
    forger.enrol("s", Role.SUPERVISOR, supervisor, ("a", administrator), ("s", supervisor))
    officer = forger.scene.people[OFFICER]
    forger.sql("UPDATE person SET administrator_id = 'a', supervisor_id = 's' WHERE person_id = ?", officer)
    forger.vouch(officer, administrator, supervisor)


# what was done, the act that is named, the reason
FORGERIES: list[tuple[str, Callable[[Forger], None], str, str]] = [
    ("another holder in the register", lambda f: f.row("out", holder_id=f.scene.people[COLLEAGUE]), "out", "custody"),
    ("another holder in register and trail", _another_took_it, "out", "signature"),
    ("due back later", lambda f: f.row("out", due_back_us=f.value("out", "due_back_us") + 1), "out", "signature"),
    ("taken earlier", lambda f: f.row("first", taken_us=f.value("first", "taken_us") - 1), "first", "signature"),
    ("another purpose", lambda f: f.row("first", purpose="court-preparation"), "first", "custody"),
    ("another purpose in both", _another_purpose, "first", "signature"),
    ("a flag in both", _a_flag, "first", "custody"),
    ("another signature", lambda f: f.row("second", signature=bytes(64)), "second", "signature"),
    ("no signature", lambda f: f.row("second", signature=b""), "second", "signature"),
    ("a signature of another act", lambda f: f.row("second", signature=f.value("first", "signature")), "second", "signature"),
    ("signed by the workstation", lambda f: f.row("out", signature=f.signed_by(f.scene.secrets.key_pair, "out")), "out", "signature"),
    ("a key of the forger's", _key_of_my_own, "first", "signature"),
    ("a directory of the forger's", _directory_of_my_own, "first", "signature"),
    ("nobody took it", lambda f: f.entry("out", actor="nobody"), "out", "custody"),
    ("handed to somebody else", lambda f: f.entry("handed", to=f.scene.people[SUPERVISOR]), "handed", "custody"),
    ("fewer pages attested", lambda f: f.entry("attested", pages=0), "attested", "signature"),
    ("fewer documents attested", lambda f: f.entry("attested again", documents=0), "attested again", "signature"),
    ("less reading attested", lambda f: f.entry("attested", reading_seconds=99), "attested", "signature"),
    ("longer held", lambda f: f.entry("attested", held_seconds=99_999), "attested", "signature"),
    ("attempts attested", lambda f: f.entry("attested", copy_attempts=7), "attested", "signature"),
    ("words for a number", lambda f: f.entry("attested", pages="one"), "attested", "signature"),
    ("a signature that is none", lambda f: f.entry("attested", signature="x"), "attested", "signature"),
    ("the signature of a later statement gone", lambda f: f.entry("attested again", signature=None), "attested again", "signature"),
    ("attested by somebody else", lambda f: f.entry("attested", actor=f.scene.people[COLLEAGUE]), "attested", "custody"),
    ("a forced return as a check-in", _fetched_is_attested, "forced", "signature"),
    ("ended otherwise in the register", lambda f: f.row("forced", return_kind="checked-in"), "forced", "custody"),
    ("ended by nobody", lambda f: f.row("forced", returned_by=None), "forced", "custody"),
    ("out again in the register", lambda f: f.row("forced", returned_us=0, return_kind=None), "forced", "custody"),
    ("returned in the register alone", lambda f: f.row("out", returned_us=1, return_kind="checked-in"), "out", "custody"),
    ("a check-out removed", lambda f: f.sql("DELETE FROM check_out WHERE check_out_no = 2"), "second", "custody"),
    ("the last check-out removed", lambda f: f.sql("DELETE FROM check_out WHERE check_out_no = 6"), "out", "custody"),
    ("a check-out added", _add_a_check_out, "", "custody"),
    ("begun after another entry", lambda f: f.row("first", opened_seq=1), "first", "custody"),
    ("an entry that is none", _cut_an_entry, "third", "custody"),
]  # fmt: skip


@pytest.mark.parametrize(("forge", "act", "reason"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES])
def test_a_forged_custody_act_is_named(scene: Scene, tmp_path: Path, forge: Callable[[Forger], None], act: str, reason: str) -> None:
    register = Path(shutil.copy(scene.register, tmp_path))
    with closing(Forger(scene, register)) as forger:
        forge(forger)
        forger.make_the_chain_anew()
    alone = scene.verdict(register, signatures=False)
    assert alone.holds, "a chain made anew holds by itself"
    verdict = scene.verdict(register)
    assert (verdict.bad_seq, verdict.reason) == (scene.seqs.get(act, alone.entries + 1), reason)


@pytest.mark.parametrize("slice_entries", [verify_trail._SLICE, 1, 3])
def test_what_nobody_forged_holds_in_slices_of_any_size(scene: Scene, monkeypatch: pytest.MonkeyPatch, slice_entries: int) -> None:
    monkeypatch.setattr(verify_trail, "_SLICE", slice_entries)
    monkeypatch.setattr(verify_custody, "_SIGNED_AT_A_TIME", 2)
    verdict = scene.verdict(scene.register)
    assert verdict.holds, verdict
    assert (verdict.signatures, verdict.sealed_statements) == (9, 0)


def test_a_forgery_is_named_in_small_slices_too(scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(verify_trail, "_SLICE", 2)
    register = Path(shutil.copy(scene.register, tmp_path))
    with closing(Forger(scene, register)) as forger:
        forger.row("forced", return_kind="checked-in")  # begun in one slice, ended in another
        forger.make_the_chain_anew()
    verdict = scene.verdict(register)
    assert (verdict.bad_seq, verdict.reason) == (scene.seqs["forced"], "custody")


def test_a_vault_used_before_a_statement_stood_in_the_trail_holds(scene: Scene, tmp_path: Path) -> None:
    register = Path(shutil.copy(scene.register, tmp_path))
    with closing(Forger(scene, register)) as forger:
        forger.entry("attested", documents=None, held_seconds=None, signature=None)  # as it was written then
        forger.make_the_chain_anew()
    verdict = scene.verdict(register)
    assert (verdict.holds, verdict.signatures, verdict.sealed_statements) == (True, 8, 1), verdict


def test_who_makes_all_anew_can_say_statements_are_sealed_and_it_shows(scene: Scene, tmp_path: Path) -> None:
    """LIMIT: as if they were attested before signatures stood in the trail; they are counted as not verified."""
    register = Path(shutil.copy(scene.register, tmp_path))
    with closing(Forger(scene, register)) as forger:
        for act in ("attested", "attested again", "attested by the other"):
            forger.entry(act, signature=None, pages=0)
        forger.make_the_chain_anew()
    verdict = scene.verdict(register)
    assert (verdict.holds, verdict.signatures, verdict.sealed_statements) == (True, 6, 3)
