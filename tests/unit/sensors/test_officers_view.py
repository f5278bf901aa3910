"""Under the launcher's group: what can be seen of the officer's programs, and what is the vault's to read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="another account's program: root on Linux")

OFFICER, LENT = 64_001, 64_002
LOOK = """
import ctypes, os, sys
from vault.sensors.officers_view import looking_at_programs
from vault.sensors.programs import Vouching

officer, lent = map(int, sys.argv[3:])  # as the launcher leaves a process
os.setgroups([])
os.setresgid(officer, lent, lent)
os.setresuid(officer, officer, officer)

def reads(path):
    try:
        open(path, "rb").close()
    except PermissionError:
        return False
    return True

def is_seen():
    try:
        return bool(os.readlink(f"/proc/{sys.argv[1]}/exe"))
    except PermissionError:
        return False

said = [is_seen(), reads(sys.argv[2])]
with looking_at_programs():
    said += [is_seen(), reads(sys.argv[2])]
    with looking_at_programs():
        pass
    said += [is_seen()]
said += [is_seen(), reads(sys.argv[2])]
print(*said, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), Vouching((), ()).look(int(sys.argv[1])).standing.value)
"""


def test_the_officers_programs_are_seen_while_they_are_looked_at_and_the_vault_is_out_of_reach_then(tmp_path: Path) -> None:
    vaults = Path("/var/tmp") / f"casevault-reach-{os.getpid()}"
    vaults.write_bytes(b"-")
    program = subprocess.Popen(["sleep", "60"], user=OFFICER, group=OFFICER, extra_groups=[])
    try:
        os.chown(vaults, 0, LENT)
        vaults.chmod(0o640)
        command = [sys.executable, "-c", LOOK, str(program.pid), str(vaults), str(OFFICER), str(LENT)]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert said.stdout.split() == [*("False", "True"), *("True", "False", "True"), *("False", "True"), "0", "vouched"], said.stderr
    finally:
        program.kill()
        program.wait()
        vaults.unlink()
