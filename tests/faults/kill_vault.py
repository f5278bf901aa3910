"""Vault processes to be killed: ``python -m tests.faults.kill_vault``, and a line for each, the path of its plan.

Each opens the copy of a founded station its plan names and goes round for ever: check-out, page, signal, check-in, intake of the next file.
Before each act it appends ``? act`` and after the act returned ``! act id`` to the ledger, unbuffered: what stands behind a ``!`` was
acknowledged, and must be there when the vault is opened again. Sign-ins are left out: the session is put in place from a person slot,
and its key derived once.

They are forked from a process that did nothing but load the vault and derive that key, which takes longer than all they do. It answers
with the process id, and once that process has ended with its exit code.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from tests.fakes import MemorySecretKeeper
from tests.station import Station, derived_once, passphrase_of
from vault.crypto.slots import open_person_slot
from vault.domain.breach import SignalKind
from vault.domain.custody import Purpose
from vault.domain.identity import CaseId, PersonId, SessionId
from vault.secret import Secret
from vault.services.ports import SessionRow
from vault.services.views import FileState


def station_of(plan: dict[str, object]) -> Station:
    """The station of a plan, closed."""
    keeper = MemorySecretKeeper()
    keeper._values = {name: bytes.fromhex(value) for name, value in plan["keyring"].items()}  # type: ignore[attr-defined]
    station = Station(Path(str(plan["directory"])), keeper=keeper)
    station.clock.added_us = station.clock.boot_added_us = int(str(plan["clock_us"]))
    return station


def sit_down(station: Station, badge: str) -> None:
    """Put the officer's session in place without a second factor, which a killed process must not wait for."""
    vault = station.vault
    row = vault.store.person_by_badge(badge)
    assert row is not None
    with derived_once():
        keys = vault.world.locksmith.open_person(row.slot, row.person_id, Secret(passphrase_of(badge).encode()))
    session = SessionRow(SessionId("00" * 16), row.person_id, vault.world.station.workstation_id, vault.world.clock.now_us())
    vault.world.session = vault.session._session(session, row, keys)


def work(plan: dict[str, str]) -> None:
    """Go round until killed."""
    station = station_of(plan)  # type: ignore[arg-type]
    ledger = os.open(plan["ledger"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(line: str) -> None:
        os.write(ledger, (line + "\n").encode())

    sit_down(station, plan["badge"])
    vault = station.vault
    case_id = CaseId(plan["case_id"])
    for held in vault.store.held_by(vault.world.require().person.person_id):
        vault.custody.check_in(held.check_out_id, attested=True)
    note("! ready -")
    number = 0
    while True:
        number += 1
        note("? check-out")
        held = vault.custody.check_out(case_id, Purpose.ASSIGNED, 0, "")
        note(f"! check-out {held.check_out_id}")
        document_id = vault.store.documents_of(case_id)[0].document_id
        note("? view")
        seq = vault.world.on_control(lambda h=held, d=document_id: vault.reading._permit(h.check_out_id, d, 1)).audit_seq
        note(f"! view {seq}")
        note("? breach")
        notice = vault.breaches.report(SignalKind.COPY_KEY, (("turn", str(number)),), None, 0, vault.world.clock.now_us())
        note(f"! breach {notice.breach_id}")
        note("? intake")
        paper = Path(plan["file"]).with_name(f"paper-{number}.pdf")  # what the case has already is not taken in again
        paper.hardlink_to(plan["file"])
        view = vault.intake.start(case_id, (str(paper),))
        assert vault.intake.status(view.intake_no).files[0].state is FileState.DONE
        note(f"! intake {vault.store.documents_of(case_id)[-1].document_id}")
        note("? check-in")
        vault.custody.check_in(held.check_out_id, attested=True)
        note(f"! check-in {held.check_out_id}")
        if number % 3 == 0:
            vault.witness.seal_now()
        station.clock.step(60)


def main() -> None:
    for line in sys.stdin:
        plan = json.loads(Path(line.strip()).read_text())
        with derived_once():
            open_person_slot(bytes.fromhex(plan["slot"]), Secret(passphrase_of(plan["badge"]).encode()), PersonId(plan["person_id"]))
        pid = os.fork()
        if pid == 0:
            os.setsid()
            try:
                work(plan)
            finally:
                traceback.print_exc()
                os._exit(1)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
