"""What each machine's swap and hibernation mean, on trees of /proc and /sys made for the purpose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vault.domain.protection import ProtectionState
from vault.sensors.memory_guard import MemoryGuard

ENFORCED, DETECTED, UNAVAILABLE = ProtectionState.ENFORCED, ProtectionState.DETECTED, ProtectionState.UNAVAILABLE


class Machine:
    """A root folder with swaps on files in it; what they lie on is the device of the test's own folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        number = root.stat().st_dev
        self.device = root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
        for folder in (root / "proc", root / "sys/power", self.device / "slaves"):
            folder.mkdir(parents=True)
        self.swaps()

    def swaps(self, *names: str) -> None:
        for name in names:
            if not name.startswith("/dev/"):
                (self.root / name.lstrip("/")).touch()
        lines = [f"{name} file 1048572 0 -2" for name in names]
        (self.root / "proc/swaps").write_text("\n".join(["Filename Type Size Used Priority", *lines, ""]))

    def encrypted(self, uuid: str = "CRYPT-LUKS2-0a1b-swap", below: bool = False) -> None:
        place = self.device / "slaves" / "dm-1" if below else self.device
        (place / "dm").mkdir(parents=True)
        (place / "dm" / "uuid").write_text(uuid)

    def hibernates(self, ways: str = "[platform] shutdown reboot") -> None:
        (self.root / "sys/power/state").write_text("freeze mem disk\n")
        (self.root / "sys/power/disk").write_text(ways + "\n")

    def says(self) -> tuple[ProtectionState, str]:
        guard = MemoryGuard(self.root)
        guard._locked = False
        guard._started = True  # without `start`, which would lock the memory of the tests
        status = guard.self_test()
        return status.state, status.reason


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_no_swap(machine: Machine) -> None:
    assert machine.says() == (ENFORCED, "no-swap")
    machine.hibernates()
    assert machine.says() == (ENFORCED, "no-swap"), "without a swap there is nothing to hibernate into"


def test_plain_swap(machine: Machine) -> None:
    machine.swaps("/swapfile")
    assert machine.says() == (DETECTED, "swap-plain")
    machine.hibernates()
    assert machine.says() == (DETECTED, "hibernation")
    machine.hibernates("[disabled]")
    assert machine.says() == (DETECTED, "swap-plain")


@pytest.mark.parametrize("below", [False, True], ids=["on dm-crypt", "on a volume on dm-crypt"])
def test_encrypted_swap(machine: Machine, below: bool) -> None:
    machine.swaps("/swapfile")
    machine.encrypted(below=below)
    assert machine.says() == (ENFORCED, "swap-encrypted")


def test_a_volume_that_is_not_encrypted_is_plain(machine: Machine) -> None:
    machine.swaps("/swapfile")
    machine.encrypted("LVM-0a1b")
    assert machine.says() == (DETECTED, "swap-plain")


def test_one_plain_swap_among_safe_ones_is_plain(machine: Machine) -> None:
    machine.swaps("/dev/zram0")
    assert machine.says() == (ENFORCED, "swap-encrypted")
    machine.swaps("/dev/zram0", "/swapfile")
    assert machine.says() == (DETECTED, "swap-plain")


def test_a_swap_that_cannot_be_looked_at_is_plain(machine: Machine) -> None:
    machine.swaps("/dev/sdz9")
    assert machine.says() == (DETECTED, "swap-plain")


def test_no_proc_is_said(tmp_path: Path) -> None:
    guard = MemoryGuard(tmp_path)
    assert guard.self_test().state is UNAVAILABLE
    guard._started = True
    assert (guard.self_test().state, guard.self_test().reason) == (UNAVAILABLE, "blind")
