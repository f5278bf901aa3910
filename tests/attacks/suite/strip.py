"""What the protection strip of the running desk says, read from its window over AT-SPI as a screen reader does."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.attacks.suite.rig import PROGRAMS, Rig
from ui import strings
from vault.domain.protection import Protection, ProtectionState

_TRIES = 10


@dataclass(frozen=True, slots=True)
class OnStrip:
    """One protection, as the window words it."""

    state: str
    sentences: str  # what it does, what it does not, and why


def let_assistive_technology_in(rig: Rig) -> None:
    """Say on the session's bus that a screen reader runs, as one does that is started."""
    rig.run("dbus-send", "--session", "--print-reply", "--dest=org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus.GetAddress")
    for name in ("IsEnabled", "ScreenReaderEnabled"):
        rig.run(
            *("dbus-send", "--session", "--print-reply", "--dest=org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties.Set"),
            *("string:org.a11y.Status", f"string:{name}", "variant:boolean:true"),
        )


def read_strip(rig: Rig) -> Mapping[Protection, OnStrip]:
    """Read the strip of the desk that runs, which begins to speak once a screen reader runs."""
    let_assistive_technology_in(rig)
    for _ in range(_TRIES):
        done = rig.run("/usr/bin/python3", PROGRAMS / "atspi_scrape.py", seconds=60)
        assert done.returncode == 0, done.stderr.decode()[-300:]
        if found := strip_of(json.loads(done.stdout)["texts"]):
            return found
    raise AssertionError("the window says nothing of a strip")


def strip_of(texts: list[str]) -> Mapping[Protection, OnStrip]:
    """Find the chips among names and the descriptions after them: a name ends in the state, a description has a line a protection."""
    names = {strings.text(f"protection.{one.value}.name"): one for one in Protection}
    states = {strings.text(f"protection.state_{one.value}") for one in ProtectionState}
    found: dict[Protection, OnStrip] = {}
    for name, description in itertools.pairwise(texts):
        _, _, state = name.rpartition(": ")
        if state not in states:
            continue
        for line in description.splitlines():
            said, _, sentences = line.partition(": ")
            if said in names:
                found[names[said]] = OnStrip(state, sentences)
    return found
