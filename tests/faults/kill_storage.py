"""Kill -9 at random points of the store's work: after each, nothing acknowledged is lost and no half document is visible.

`run` plays a number of kills; test_storage.py plays a few, `make test-slow` two hundred. A child opens the store, does intake, check-outs,
breaches and audit entries as fast as it can and writes one line a fact *after* the call returned; the parent kills it at a random moment,
opens the store again as the vault would, and compares.

    python -m tests.faults.kill_storage FOLDER KILLS
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.contract.store_facts import (
    DESK,
    KEY,
    RealClock,
    a_case,
    a_person,
    breach_row,
    case_row,
    check_out_row,
    document_row,
    draft,
    hexed,
    intake,
    new_contents,
    new_register,
)
from vault.domain.audit import AuditKind
from vault.domain.breach import TriageState
from vault.domain.custody import ReturnKind
from vault.domain.identity import BreachId, CheckOutId, DocumentId
from vault.storage import mover
from vault.storage.content import SqlCipherContentStore
from vault.storage.sqlcipher import SqlCipherStore

CASES = 3
CHUNKS = 6
LONGEST_SECONDS = 0.25
MOVER_STEP_BYTES, MOVER_TURN_BYTES = 128 * 1024, 512 * 1024  # so that a quarter of a second meets the mover at every stage of its work


@dataclass
class Acknowledged:
    """What the killed children were told had happened."""

    entries: int = 0
    opened: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    breaches: set[int] = field(default_factory=set)
    documents: set[int] = field(default_factory=set)


def _work(folder: Path, out: int, first: int) -> None:
    """Do everything over and over, telling each fact once it is done."""

    def told(line: str) -> None:
        os.write(out, line.encode() + b"\n")

    mover.STEP_BYTES, mover.TURN_BYTES = MOVER_STEP_BYTES, MOVER_TURN_BYTES
    store = SqlCipherStore.open(folder / "register.db", KEY, DESK, RealClock())
    writer = SqlCipherContentStore.open(folder / "content.db", KEY).open_writer()
    for one in writer.pending():
        writer.discard(one.document_id)
    told("R")
    number = first
    while True:
        number += 1
        case_id = a_case(number % CASES)
        told(f"A {store.append_audit(draft(AuditKind.PAGE_VIEWED, case_id=case_id, page_no=number))}")
        active = store.active_check_out(case_id)
        if active is not None:
            store.close_check_out(active.check_out_id, number, ReturnKind.CHECKED_IN, active.holder_id, b"statement", [draft()])
            told(f"C {int(active.check_out_id[8:], 16)}")
        store.open_check_out(check_out_row(number, case_id, a_person(number % 5)), b"signed", [draft()])
        told(f"O {number}")
        store.record_breach(breach_row(number, a_person(1)), [draft(AuditKind.BREACH_RECORDED)])
        told(f"B {number}")
        document = intake(number, CHUNKS)
        writer.begin(document)
        for chunk in range(0, CHUNKS, 2):
            writer.append_chunks(document.document_id, chunk, [_chunk(number, chunk), _chunk(number, chunk + 1)], b"source")
        store.add_document(document_row(number, case_id), draft(AuditKind.DOCUMENT_TAKEN_IN))
        told(f"D {number}")
        writer.finish(document.document_id)
        if number % 7 == 0:
            store.make_checkpoint(lambda statement: b"signed")


def _chunk(number: int, chunk_no: int) -> bytes:
    return (number * 131 + chunk_no).to_bytes(8, "big") * 4096


def _kill_once(folder: Path, first: int, seconds: float) -> list[str]:
    """Run a child for `seconds` after it is ready; give what it told."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            _work(folder, writing, first)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        ready = stream.readline()
        time.sleep(seconds)  # not a wait for a condition: the random moment is the test
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        lines = stream.read().split(b"\n")
    assert ready == b"R\n", "the child could not open the store"
    assert os.WIFSIGNALED(status), "the child ended by itself"
    return [line.decode() for line in lines[:-1]]


def _note(lines: list[str], known: Acknowledged) -> None:
    kinds = {"O": known.opened, "C": known.closed, "B": known.breaches, "D": known.documents}
    for line in lines:
        kind, value = line.split()
        if kind == "A":
            known.entries = max(known.entries, int(value))
        else:
            kinds[kind].add(int(value))


def check(folder: Path, known: Acknowledged) -> int:
    """Open the store as the vault does after a crash and hold it against what was acknowledged; the highest number in use."""
    store = SqlCipherStore.open(folder / "register.db", KEY, DESK, RealClock())
    contents = SqlCipherContentStore.open(folder / "content.db", KEY)
    writer, reader = contents.open_writer(), contents.open_reader()
    try:
        verdict = store.verify_chain(store.audit_head(), lambda statement, signature: None)
        assert verdict.holds, verdict
        assert verdict.entries >= known.entries, "an acknowledged entry is gone"
        history = {one.check_out_id: one for number in range(CASES) for one in store.custody_history(a_case(number))}
        for number in known.opened:
            assert CheckOutId(hexed("chec", number)) in history, "an acknowledged check-out is gone"
        for number in known.closed:
            assert not history[CheckOutId(hexed("chec", number))].active, "an acknowledged return is gone"
        assert len(store.all_held()) <= CASES
        for number in known.breaches:
            found = store.breach(BreachId(hexed("brea", number)))
            assert found is not None, "an acknowledged report is gone"
            assert found.state.state is TriageState.OPEN
        visible = set(store.document_ids())
        for number in known.documents:
            assert DocumentId(hexed("docu", number)) in visible, "an acknowledged document is gone"
        writer.sweep(sorted(visible))
        for name in visible:
            number = int(name[8:], 16)
            for chunk_no in range(CHUNKS):
                assert reader.read_chunk(name, chunk_no) == _chunk(number, chunk_no), "a visible document is not whole"
        assert all(one.document_id not in visible for one in writer.pending())
        return max([0, *(int(one[8:], 16) for one in history), *(int(one[8:], 16) for one in visible), *known.breaches])
    finally:
        reader.close()
        writer.close()
        contents.close()
        store.close()


def run(folder: Path, kills: int, seed: int) -> Acknowledged:
    """Kill `kills` children at random moments, checking after each; AssertionError says what was lost."""
    chance = random.Random(seed)
    store = new_register(folder, RealClock())
    store.register_cases([(case_row(number), []) for number in range(CASES)], [draft(AuditKind.CASE_REGISTERED)])
    store.close()
    new_contents(folder).close()
    known = Acknowledged()
    first = 0
    for _ in range(kills):
        _note(_kill_once(folder, first, chance.random() * LONGEST_SECONDS), known)
        # Numbers go on far above whatever the child may have begun without telling.
        first = check(folder, known) + 1000
    return known


if __name__ == "__main__":
    facts = run(Path(sys.argv[1]), int(sys.argv[2]), seed=int(time.time()))
    sys.stdout.write(
        f"{sys.argv[2]} kills: {facts.entries} entries, {len(facts.opened)} check-outs, {len(facts.breaches)} reports, "
        f"{len(facts.documents)} documents acknowledged; none lost\n"
    )
