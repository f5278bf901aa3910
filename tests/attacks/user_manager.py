"""An account's own systemd manager, as a login starts it, where the system itself may not have been started by systemd. Root only.

The manager is the real ``systemd --user``. What pid 1 and logind would have made for it is made here: a control group of its own, in mount
and control-group namespaces of its own, and a note that systemd runs. The session's bus stays the one it has.

Source: systemd(1), user@.service(5), sd_booted(3); systemd's docs/CGROUP_DELEGATION.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.installation import Installation, wait_until

# Words: the account, and where its units are. The group lies in the hierarchy that the tests run in, whatever else is mounted.
_LOGIN = """
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup/$1
mkdir "$group"
chown -R "$1" "$group"
echo 0 >"$group/cgroup.procs"
SYSTEMD_UNIT_PATH=$2 exec setpriv --reuid "$1" --regid "$1" --clear-groups --inh-caps=-all /lib/systemd/systemd --user --log-target=console
"""
_NOT_STARTED = ("dbus.socket", "dbus.service")  # the session has its bus already


@dataclass(frozen=True, slots=True)
class UserManager:
    """A running manager."""

    installed: Installation
    process: subprocess.Popen[bytes]
    said: Path

    def ask(self, *words: str) -> str:
        """What ``systemctl --user`` says. It looks whether systemd runs, too."""
        account = self.installed.account
        command = [
            "nsenter",
            "--mount",
            f"--target={self.process.pid}",
            "setpriv",
            f"--reuid={account}",
            f"--regid={account}",
            "--clear-groups",
        ]
        asked = subprocess.run(
            [*command, "systemctl", "--user", *words], env=self.installed.environment, capture_output=True, text=True, check=False
        )
        return asked.stdout.strip()

    def fact(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.ask("show", "--value", f"--property={name}", unit)

    def end(self) -> int:
        """End it as the last logout does, with all it started: its exit status."""
        self.process.terminate()
        return self.process.wait(120)


@contextmanager
def user_manager(installed: Installation) -> Iterator[UserManager]:
    """Start the manager of the installation's account, with the installed units and the system's; it starts what a login starts."""
    masked, system = installed.home / "masked-units", installed.prefix / "system"
    masked.mkdir()
    for name in _NOT_STARTED:
        (masked / name).symlink_to("/dev/null")
    units = [masked, system / "etc/systemd/user", system / "usr/lib/systemd/user", Path("/usr/lib/systemd/user")]
    said = installed.home / "manager-said"
    with said.open("wb") as out:
        process = subprocess.Popen(
            ["unshare", "--mount", "--cgroup", "sh", "-c", _LOGIN, "login", installed.account, ":".join(map(str, units))],
            env=installed.environment,
            cwd=installed.home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    made = UserManager(installed, process, said)
    try:
        assert wait_until(lambda: made.ask("is-system-running") == "running" or process.poll() is not None), said.read_text()
        assert process.poll() is None, said.read_text()
        yield made
    finally:
        if process.poll() is None:
            made.end()
        shutil.rmtree(masked)
        _remove_groups(installed.account)


def _remove_groups(account: str) -> None:
    """Take the manager's control groups away again, wherever the hierarchy is mounted; the innermost first."""
    for top in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        for folder in sorted(top.glob(f"**/{account}/**"), key=lambda one: len(one.parts), reverse=True):
            if folder.is_dir():
                folder.rmdir()
