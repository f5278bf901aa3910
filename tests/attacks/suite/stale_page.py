"""V72: one page of the register as it was, put back into the file as it is. SQLCipher vouches for the page and not for its age (E19)."""

from __future__ import annotations

import subprocess
import sys

from tests.attacks.suite.place import come_back
from tests.attacks.suite.rig import Rig
from tests.journeys.desk_driver import ROOT
from vault.assembly import REGISTER_NAME
from vault.domain.breach import SignalKind
from vault.storage.connection import REGISTER_FORMAT

_SOON = 0.1  # nothing is committed before the vault is opened again


def stale_page(rig: Rig) -> None:
    """Every page that changed is put back, one at a time, and the trail verified. Those that hold no entry of it are not told."""
    path, size = rig.station.directory / REGISTER_NAME, REGISTER_FORMAT.page_bytes
    come_back(rig)
    before = path.read_bytes()
    come_back(rig)
    now = path.read_bytes()
    changed = [at for at in range(0, min(len(before), len(now)), size) if before[at : at + size] != now[at : at + size]]
    with rig.act("V72", "a page of the register as it was", SignalKind.STORE_TAMPERED, seconds=_SOON, code="audit.chain-broken") as act:
        told = 0
        for at in changed:
            path.write_bytes(now[:at] + before[at : at + size] + now[at + size :])
            told += _verdict(rig) != 0
        path.write_bytes(now)
        act.check(told > 0, f"{told} of {len(changed)} pages told, each put back by itself; the others hold no entry of the trail")
        act.check(_verdict(rig) == 0, "without them the trail holds")
        come_back(rig)


def _verdict(rig: Rig) -> int:
    command = [sys.executable, "-m", "vault.commands", "verify", str(rig.station.directory)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60).returncode
