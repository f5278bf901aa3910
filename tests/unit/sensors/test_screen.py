"""Evidence of a virtual machine and of a remote session, from files as the system writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from vault.sensors import screen
from vault.sensors.screen import How

MACHINES: Sequence[tuple[str, dict[str, str], str]] = [
    # machine, its files, the hypervisor
    ("bare metal", {"sys/class/dmi/id/sys_vendor": "Dell Inc.\n", "proc/cpuinfo": "flags\t: fpu vme de\n"}, ""),
    ("QEMU", {"sys/class/dmi/id/sys_vendor": "QEMU\n"}, "QEMU"),
    ("VMware", {"sys/class/dmi/id/product_name": "VMware Virtual Platform\n"}, "VMware"),
    ("VirtualBox", {"sys/class/dmi/id/board_vendor": "innotek GmbH\n"}, "VirtualBox"),
    ("Hyper-V", {"sys/class/dmi/id/product_name": "Virtual Machine\n"}, "Hyper-V"),
    ("Xen", {"sys/hypervisor/type": "xen\n"}, "xen"),
    ("only the processor says", {"proc/cpuinfo": "processor: 0\nflags\t: fpu hypervisor lm\n"}, "unknown"),
    ("nothing says anything", {}, ""),
]


@pytest.mark.parametrize(("files", "hypervisor"), [row[1:] for row in MACHINES], ids=[row[0] for row in MACHINES])
def test_virtual_machines(tmp_path: Path, files: dict[str, str], hypervisor: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert screen.virtual_machine(tmp_path) == hypervisor


SESSIONS: Sequence[tuple[str, str, How | None]] = [
    # session, logind's file, what it is
    ("at the desk", "REMOTE=0\nTYPE=x11\n", None),
    ("a remote desktop", "REMOTE=1\nTYPE=x11\nREMOTE_HOST=far\n", How.SERVED),
    ("a remote Wayland desktop", "REMOTE=1\nTYPE=wayland\n", How.SERVED),
    ("a remote shell", "REMOTE=1\nTYPE=tty\n", How.REMOTE_LOGIN),
    ("nothing that reads", "\0\0garbage", None),
]


@pytest.mark.parametrize(("text", "how"), [row[1:] for row in SESSIONS], ids=[row[0] for row in SESSIONS])
def test_sessions_of_logind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, how: How | None) -> None:
    monkeypatch.setattr(screen, "_SESSIONS", tmp_path)
    (tmp_path / "c7").write_text(text)
    found = screen.examine({"XDG_SESSION_ID": "c7"})
    assert [one.how for one in found] == ([how] if how else [])
    assert "far" not in repr(found)
    assert screen.examine({"XDG_SESSION_ID": "../c7"}) == ()
    assert screen.examine({"XDG_SESSION_ID": "none"}) == ()
