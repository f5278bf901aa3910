"""The desk loses its key server and finds it again, played in the real window by keys against a real `tangd`.

    packaging/session.sh headless python -m tests.journeys.premises_shift --out build/premises-shift

Bind in the window, read a page, stop the key server: the page is covered, the session locks, the screen says "not on station premises".
Start it again: one key and the passphrase. Writes pictures and ``premises.json`` (``{"reports": [kind, …], "covered": bool}``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.driven import DRIVEN_POLICY
from tests.journeys.memory_shift import MemoryShift
from tests.journeys.shift import ADMINISTRATOR, OFFICER, SUPERVISOR, passphrase_of
from tests.tang import TangServer
from vault.assembly import FOUNDING_POLICY_NAME

CONTACT = "Watch desk, extension 112"
# Not /tmp: what other tests of the same run put there, pictures too, is reported beside a page.
_POLICY = f"""{DRIVEN_POLICY}\
copies_watched_folders = ["~/Downloads"]
premises_proof_seconds = 3
premises_lease_seconds = 15
premises_contact = "{CONTACT}"
"""
_PATIENCE_SECONDS = 90.0


class PremisesShift(MemoryShift):
    """As much of a shift as it takes to have a page on screen, on a workstation that is bound."""

    def __init__(self, out: Path) -> None:
        super().__init__(out)
        (self.vault / FOUNDING_POLICY_NAME).write_text(_POLICY)
        self.key_room = TangServer(self.home / "key-room")
        self.covered = False
        self.reports: list[str] = []

    def play_out_and_back(self) -> bool:
        """Play every step; True if all went well."""
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("first run", self.first_run),
            ("founding", self.founding),
            ("a unit", self.add_unit),
            ("enrolment", self.enrol),
            ("second signature", self.cosign),
            ("one case", self.one_case),
            ("bound to nothing", self.look_at_key_servers),
            ("binding", self.bind),
            ("test now", self.test_now),
            ("sign-in", self.sign_in_officer),
            ("check-out", self.check_out),
            ("network lost", self.lose),
            ("off the premises", self.be_locked_out),
            ("still away", self.try_in_vain),
            ("back", self.come_back),
            ("reading on", self.read_on),
        )
        try:
            went_well = all(self._step(name, act) for name, act in steps)
        finally:
            self.desk.close()
            self.key_room.close()
        self.key_room = TangServer(self.key_room.keys, port=self.key_room.port)
        try:
            return self._step("reports", self.read_reports) and went_well
        finally:
            self.key_room.close()

    def look_at_key_servers(self) -> None:
        self._sign_in(ADMINISTRATOR, "show page_people")
        before = self.desk.key("F4")
        self.desk.wait("focus premises_add_first", since=before)
        self.desk.settle()

    def bind(self) -> None:
        before = self.desk.key("ctrl+n")
        self.desk.wait("focus premises_add_name", since=before)
        self.desk.settle()
        self._fill("premises_add_name", "Key room")
        self._fill("premises_add_address", self.key_room.url)
        self._fill("premises_add_thumbprint", self.key_room.thumbprint())
        before = self.desk.key("ctrl+Return")
        self.desk.wait("hide premises_add_sheet", since=before, seconds=_PATIENCE_SECONDS)
        self.desk.wait("focus premises_list", since=before)
        self.desk.settle()

    def test_now(self) -> None:
        self.desk.key("t")
        self.desk.settle(1.5)

    def lose(self) -> None:
        before = self.desk.mark()
        self.key_room.close()
        self.desk.wait("show premises_bar", since=before, seconds=_PATIENCE_SECONDS)
        shown = Image.open(self.desk.picture(self.out / "covered.png")).convert("RGB")
        # The page's middle, without the reader's bars: one colour, nothing of a page.
        middle = shown.crop((shown.width * 2 // 5, shown.height * 2 // 5, shown.width * 4 // 5, shown.height * 4 // 5))
        self.covered = len(middle.getcolors(maxcolors=middle.width * middle.height) or ()) == 1
        assert self.covered, "a page is still to be seen"

    def be_locked_out(self) -> None:
        self.desk.wait("show lock", since=0, seconds=_PATIENCE_SECONDS)
        self.desk.wait("focus cannot_open_act", since=0, seconds=_PATIENCE_SECONDS)
        assert not self._signed_in()
        self.desk.settle()

    def try_in_vain(self) -> None:
        before = self.desk.key("Return")
        self.desk.wait("focus cannot_open_act", since=before, seconds=_PATIENCE_SECONDS)
        self.desk.settle()

    def come_back(self) -> None:
        self.key_room = TangServer(self.key_room.keys, port=self.key_room.port)
        before = self.desk.key("Return")
        self.desk.wait("focus lock_passphrase", since=before, seconds=_PATIENCE_SECONDS)
        self.desk.settle(1.0)

    def read_on(self) -> None:
        self.desk.type(passphrase_of(OFFICER))
        before = self.desk.key("Return")
        self.desk.wait("show shell", since=before, seconds=_PATIENCE_SECONDS)
        self.desk.wait("show page_desk", since=before)
        self.desk.settle(0.6)
        before = self.desk.key("Return")
        self.desk.wait("painted 1", since=before)
        self.desk.settle()

    def read_reports(self) -> None:
        """What reached the supervisors, read by one of them after the desk was closed."""
        with self.opened_as(SUPERVISOR) as vault:
            reports = [vault.supervision.report(one.breach_id) for one in vault.supervision.queue(True)]
            reports.sort(key=lambda one: one.line.first_us)
            self.reports = [one.line.kind.value for one in reports]
            for one in reports:
                print(
                    f"premises: {one.line.kind.value}", *(f"{fact.at_us} {fact.kind.value} {fact.facts}" for fact in one.facts), sep="\n  "
                )


def main() -> int:
    """Play and write what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    shift = PremisesShift(out)
    went_well = shift.play_out_and_back()
    found = {"reports": shift.reports, "covered": shift.covered}
    (out / "premises.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main())
