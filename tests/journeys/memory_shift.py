"""Goal 0: what a search of memory finds at each of STATES. Counts go to a file; `test_memory` judges them.

    packaging/session.sh headless python -m tests.journeys.memory_shift --out build/memory.json

The memory of every process is kept first and searched last, because the keys to look for are only known once the desk is closed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from tests.journeys.desk_driver import children_of
from tests.journeys.memory import count_in_file, forms, keep_memory
from tests.journeys.shift import OFFICER, READING_CASE, TEAM, Shift, passphrase_of
from vault.crypto.slots import vault_keys
from vault.platform import SystemClock
from vault.platform.secret_service import open_secret_keeper
from vault.premises import open_slot
from vault.storage.header import HEADER_NAME, read_unverified_header

PAGE_WORDS = ("PERIWINKLE-STATEMENT", "QUILLWORT-WITNESS", "MERGANSER-ADDRESS")
CASE_TITLE = "ZEBRAFISH inquiry"
STATES = ("page-open", "locked", "passphrase-typed", "unlocked")


class MemoryShift(Shift):
    """As much of a shift as it takes to have a page on screen."""

    people = (OFFICER,)

    def play_to_unlock(self, kept: Path) -> None:
        """Open a page, lock, type the passphrase and unlock; keep the memory of every process at each of STATES."""
        try:
            for act in (
                self.first_run,
                self.founding,
                self.add_unit,
                self.enrol,
                self.cosign,
                self.one_case,
                self.sign_in_officer,
                self.check_out,
            ):
                act()
            self.keep(kept / "page-open")
            self.lock()
            self.desk.wait("focus lock_passphrase", since=0)
            self.desk.settle(2.0)
            self.keep(kept / "locked")
            self.type_and_look()
            self.keep(kept / "passphrase-typed")
            before = self.desk.key("Return")
            self.desk.wait("show shell", since=before, seconds=60)
            self.desk.settle(2.0)
            self.keep(kept / "unlocked")
        finally:
            self.desk.close()

    def one_case(self) -> None:
        """Register the case and take the document in whose words are looked for."""
        self._sign_in("7001", "show page_*")
        self._page("Intake", "intake")
        before = self.desk.key("ctrl+n")
        self.desk.wait("focus register_number", since=before)
        self.desk.settle()
        for name, value in (("number", READING_CASE), ("type", "Inquiry"), ("name", CASE_TITLE), ("officer", OFFICER)):
            self._fill(f"register_{name}", value)
        self.desk.key("Return")
        self._choose("register_unit", TEAM)
        before = self.desk.key("ctrl+Return")
        self.desk.wait("show intake_path", since=before)
        self.desk.settle()
        folder = self.home / "delivery"
        folder.mkdir()
        (folder / "statement.txt").write_text("\n".join(PAGE_WORDS * 12), encoding="utf-8")
        self._take_folder(folder)
        shutil.rmtree(folder)

    def type_and_look(self) -> None:
        """Type the passphrase, look at it with its eye held, and go back to it."""
        self.desk.type(passphrase_of(OFFICER))
        before = self.desk.key("Tab")
        self.desk.wait("focus *", since=before)  # the eye has no name
        self.desk._xdotool("keydown", "space")
        self.desk.settle()
        self.desk._xdotool("keyup", "space")
        before = self.desk.key("shift+Tab")
        self.desk.wait("focus lock_passphrase", since=before)

    def keep(self, folder: Path) -> None:
        """Write the writable memory of the desk and its children to files."""
        folder.mkdir(parents=True)
        keep_memory(self.desk.process.pid, folder / "interface")
        for pid in children_of(self.desk.process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            name = "vault" if b"vault.runtime" in words else "rendition"
            keep_memory(pid, folder / f"{name}-{pid}")

    def keys(self) -> dict[str, tuple[bytes, ...]]:
        """Every key that was in use, now that the desk is closed."""
        header = read_unverified_header(self.vault / HEADER_NAME)
        secrets = open_slot(header, open_secret_keeper(header.vault_id), SystemClock().now_us()).secrets
        derived = vault_keys(secrets.vault_key)
        vault_level = (secrets.vault_key.reveal(), derived.register.reveal(), derived.content.reveal(), derived.blind_index.reveal())
        with self.opened_as(OFFICER) as vault:
            session = vault.world.require()
            case_id = vault.desk.cases("", "", 10).lines[0].case_id
            case_key = vault.world.require_case(case_id).key().reveal()
            private = session.keys.holder.export_private().reveal()
        halves = (private[2:34], private[34:66], private[66:98], private[98:130])
        return {
            "vault keys": tuple(form for key in vault_level for form in (key, key.hex().encode())),
            "case key": (case_key, case_key.hex().encode()),
            "officer's private keys": halves,
        }


def main() -> int:
    """Play, search, write the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.absolute()
    scratch = out.parent / "memory-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        shift = MemoryShift(scratch)
        shift.play_to_unlock(scratch)
        wanted = {
            **shift.keys(),
            "page text": tuple(form for word in PAGE_WORDS for form in forms(word)),
            "case title": forms(CASE_TITLE),
            "passphrase": forms(passphrase_of(OFFICER)),
        }
        counts = {
            state: {one.name.rpartition("-")[0] or one.name: count_in_file(one, wanted) for one in sorted((scratch / state).iterdir())}
            for state in STATES
        }
    finally:
        shutil.rmtree(scratch)
    out.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(counts, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
