"""``make attacks``: found a vault, sign an officer in, put a page on the screen, attack; print the table, write ``build/attacks.json``,
or ``build/attacks-rows.json`` where only some rows are run.

    packaging/session.sh headless python -m tests.attacks.suite [--out FILE] [V1 V50 ...]

Exit status 1 if a row is not ok or a number is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.attacks.suite import files, ordinary
from tests.attacks.suite.catalogue import CATALOGUE, ON_STRIP, Stage, Vector
from tests.attacks.suite.installed import officer_session
from tests.attacks.suite.readout import Reported, read_out
from tests.attacks.suite.rig import OFFICER, POLICY, Act, Rig, Station
from tests.attacks.suite.strip import OnStrip, read_strip
from tests.attacks.suite.verdict import judge, table, write
from tests.attacks.suite.watch import Listener
from tests.journeys.desk_driver import ROOT
from tests.screen import x_server
from vault.domain.protection import Protection

_REFUSALS_BORNE = 2


class Run:
    """One run of the suite."""

    def __init__(self, wanted: Sequence[Vector], pictures: Path, *, with_hour: bool) -> None:
        self._wanted = wanted
        self._pictures = pictures  # of the screen, where an attack could not be run
        self._with_hour = with_hour
        self.acts: list[Act] = []
        self.reported: list[Reported] = []
        self.broken: dict[str, str] = {}
        self.strip: Mapping[Protection, OnStrip] = {}
        self._refusals = 0  # sign-ins in a row that did not lead to a desk
        self._began = time.monotonic()

    def play(self, rig: Rig) -> None:
        """Run every stage on one vault."""
        self.acts = rig.acts
        try:
            self._stage(rig, Stage.OPENING)
            for stage in (Stage.READING, Stage.ENDING):
                self._stage(rig, stage)
            self._read_strip(rig)
            rig.end_desk()
            self._stage(rig, Stage.STARTING)
            self._stage(rig, Stage.CLOSED)
            if any(vector.id == "V58" for vector in self._wanted):
                files.vaults_own_files(rig)
        finally:
            rig.end_desk()
            rig.watch.stop()
        self.reported += read_out(rig.station, OFFICER).reported
        self._say("read out")

    def play_installed(self) -> None:
        """Run the rows that need an installation, in an officer's session of its own."""
        attacks = dict.fromkeys(vector.installed for vector in self._wanted if vector.installed is not None)
        if not attacks:
            return
        mine = [vector.id for vector in self._wanted if vector.installed is not None]
        try:
            with officer_session() as officer:
                self._say("installed")
                for attack in attacks:
                    try:
                        attack(officer)
                    except Exception as error:
                        print(traceback.format_exc(limit=-4), file=sys.stderr)
                        for vector in self._wanted:
                            if vector.installed is attack:
                                self.broken[vector.id] = f"{type(error).__name__}: {error}"[:400]
                    self._say(attack.__name__)
                self.reported += officer.reported()
                self.acts += officer.acts
                mine = []
        except Exception as error:
            print(traceback.format_exc(limit=-4), file=sys.stderr)
            self.broken.update((one, f"{type(error).__name__}: {error}"[:400]) for one in mine)  # none, where only taking it away failed
        self._say("installation read out")

    def _stage(self, rig: Rig, stage: Stage) -> None:
        rows = [vector for vector in self._wanted if vector.stage is stage and vector.attack is not None]
        if stage is Stage.READING and self._with_hour:
            self._officer(rig)
            ordinary.hour(rig)
            self._say("an hour of ordinary work")
        for vector in rows:
            assert vector.attack is not None
            try:
                if stage in (Stage.READING, Stage.ENDING):
                    self._officer(rig)
                vector.attack(rig)
            except Exception as error:  # the row is not ok, and the others are run all the same
                self.broken[vector.id] = f"{type(error).__name__}: {error}"[:400]
                print(traceback.format_exc(limit=-4), file=sys.stderr)
                self._pictures.mkdir(parents=True, exist_ok=True)
                rig.screen.grab().save(self._pictures / f"{vector.id}.png")
            self._say(f"{vector.id} {vector.name}")

    def _read_strip(self, rig: Rig) -> None:
        rows = [vector for vector in self._wanted if vector.id in ON_STRIP]
        if not rows:
            return
        try:
            self._officer(rig)
            self.strip = read_strip(rig)
        except Exception as error:
            print(traceback.format_exc(limit=-4), file=sys.stderr)
            self.broken.update((one.id, f"the strip: {type(error).__name__}: {error}"[:400]) for one in rows)
        self._say("the protection strip read")

    def _officer(self, rig: Rig) -> None:
        """Have a desk with the officer signed in, whatever the row before left."""
        if rig.runs and rig.shown("shell"):
            return
        if self._refusals >= _REFUSALS_BORNE:
            raise AssertionError("the desk does not let the officer in")
        self._refusals += 1
        if not rig.runs or not rig.shown("sign_in"):
            rig.start_desk()
            rig.open_window()
        rig.sign_in()
        self._refusals = 0

    def _say(self, what: str) -> None:
        print(f"attacks: {time.monotonic() - self._began:6.1f} s  {what}", file=sys.stderr, flush=True)


def main() -> int:
    """Run, judge, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "ids", nargs="*", metavar="V1", help="these rows only, without the hour of ordinary work unless `hour` is among them"
    )
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    out = options.out or ROOT / "build" / ("attacks-rows.json" if options.ids else "attacks.json")
    wanted = [one for one in CATALOGUE if not options.ids or one.id in options.ids]
    home = Path(os.environ["HOME"])
    began = time.monotonic()
    run = Run(wanted, out.parent / "attacks", with_hour=not options.ids or "hour" in options.ids)
    listener = Listener()
    with x_server(home.parent / "screen") as screen:
        station = Station.found(home / ".local" / "share" / "casevault", POLICY, home / "delivery", listener.port)
        run.play(Rig(screen, station, home, listener))
    run.play_installed()
    listener.close()
    verdict = judge(wanted, run.acts, run.reported, run.broken, run.strip)
    verdict.numbers["seconds"] = round(time.monotonic() - began)
    write(verdict, out)
    print(table(verdict))
    print(out)
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
