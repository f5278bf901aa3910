"""An installed Casevault, an officer's account on the same machine, and that officer's session. Root only; everything goes again.

The account, the program and the vault have names of their own, so that an installation of this machine's is not touched.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GROUP = "casevault"
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Installation:
    """Where everything is."""

    prefix: Path
    vault: Path
    account: str
    home: Path
    environment: dict[str, str]  # of the officer's session: display, bus, keyring

    @property
    def launcher(self) -> Path:
        return self.prefix / "bin" / "casevault"

    @property
    def uid(self) -> int:
        return pwd.getpwnam(self.account).pw_uid

    @property
    def gid(self) -> int:
        return pwd.getpwnam(self.account).pw_gid

    @property
    def lent_gid(self) -> int:
        return grp.getgrnam(GROUP).gr_gid

    def run(
        self, *command: str | Path, more: dict[str, str] | None = None, folder: Path | None = None, said: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as the officer, in their session."""
        return subprocess.run(
            [str(part) for part in command],
            env={**self.environment, **(more or {})},
            cwd=folder or self.home,
            user=self.account,
            group=self.account,
            extra_groups=[],
            input=said,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )

    def start(self, *command: str | Path, more: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a program as the officer and do not wait for it."""
        return subprocess.Popen(
            [str(part) for part in command],
            env={**self.environment, **(more or {})},
            cwd=self.home,
            user=self.account,
            group=self.account,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def wait_until(is_so: object, seconds: float = _PATIENCE_SECONDS) -> bool:
    """Wait for a condition; False when it did not come."""
    assert callable(is_so)
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def install(action: str, prefix: Path, vault: Path, *, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """Run packaging/install.sh on places of the test's own."""
    places = {"PREFIX": prefix, "VAULT": vault, "SHARE": prefix / "share", "BIN": prefix / "usr-bin", "SYSTEM": prefix / "system"}
    return subprocess.run(
        [ROOT / "packaging" / "install.sh", action],
        env={**os.environ, **{name: str(place) for name, place in places.items()}, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )


@contextmanager
def installation() -> Iterator[Installation]:
    """Install, make the account, open its session; take all of it away at the end."""
    name = f"cvtest{os.getpid()}"
    prefix, vault, home = Path(f"/opt/{name}"), Path(f"/var/lib/{name}"), Path(f"/var/tmp/{name}")
    group_was_there = any(one.gr_name == GROUP for one in grp.getgrall())
    subprocess.run(["useradd", "--create-home", "--home-dir", home, "--shell", "/bin/sh", name], check=True, capture_output=True)
    try:
        install("install", prefix, vault)
        with _session(name, home) as environment:
            yield Installation(prefix, vault, name, home, environment)
    finally:
        install("uninstall", prefix, vault)
        shutil.rmtree(vault, ignore_errors=True)
        shutil.rmtree(prefix, ignore_errors=True)
        _end_processes_of(name)
        wait_until(lambda: _is_removed(name))
        shutil.rmtree(home, ignore_errors=True)
        if not group_was_there:
            subprocess.run(["groupdel", GROUP], check=False, capture_output=True)


@contextmanager
def _session(account: str, home: Path) -> Iterator[dict[str, str]]:
    """The officer's own X server, bus and keyring, as packaging/session.sh makes them."""
    script, told = home / "session.sh", home / "environment"
    shutil.copy(ROOT / "packaging" / "session.sh", script)
    script.chmod(0o755)
    keep = f"env -0 >'{told}.new' && mv '{told}.new' '{told}' && exec sleep infinity"
    process = subprocess.Popen(
        [script, "headless", "sh", "-c", keep],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "USER": account, "LOGNAME": account, "LC_ALL": "C.UTF-8"},
        cwd=home,
        user=account,
        group=account,
        extra_groups=[],
        stdin=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: told.exists() or process.poll() is not None)
        assert told.exists(), "the officer's session did not start"
        yield dict(one.split("=", 1) for one in told.read_text().split("\0") if "=" in one)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_processes_of(account: str) -> None:
    """End what the test's own account left running, process by process, and wait until it is gone: userdel refuses before."""
    uid = pwd.getpwnam(account).pw_uid

    def none_left() -> bool:
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_of(entry, uid)]
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        return not found

    wait_until(none_left)


def _is_removed(account: str) -> bool:
    """Remove the account; another test's useradd holds the lock of /etc/passwd for a moment."""
    subprocess.run(["userdel", "--remove", account], check=False, capture_output=True)
    return all(one.pw_name != account for one in pwd.getpwall())


def _is_of(entry: Path, uid: int) -> bool:
    try:
        return f"\nUid:\t{uid}\t" in (entry / "status").read_text()
    except OSError:
        return False


def as_launched(installed: Installation, command: Sequence[str | Path], **more: object) -> subprocess.Popen[bytes]:
    """Start a program with the credentials the launcher gives: the officer's account and group, the vault's group lent."""

    def become() -> None:
        os.setgroups([])
        os.setresgid(installed.gid, installed.lent_gid, installed.lent_gid)
        os.setresuid(installed.uid, installed.uid, installed.uid)

    return subprocess.Popen([str(part) for part in command], preexec_fn=become, cwd="/", **more)  # type: ignore[call-overload, no-any-return]  # noqa: PLW1509
