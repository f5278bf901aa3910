"""Hardening, the parent's end and one instance: with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vault.errors import UnavailableError
from vault.platform import SystemClock, SystemEntropy, boot_us, single_instance

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux")
ROOT = Path(__file__).parents[3]


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)


def test_no_core_and_no_readable_file(tmp_path: Path) -> None:
    answer = run(
        "import os, sys, resource; from vault.platform import harden_process; harden_process(); "
        "os.chdir(sys.argv[1]); open('f', 'w').close(); print(resource.getrlimit(resource.RLIMIT_CORE)); sys.stdout.flush(); os.abort()",
        str(tmp_path),
    )
    assert answer.returncode == -signal.SIGABRT
    assert answer.stdout.strip() == "(0, 0)"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("soft", "hard", "said"),
    [(64, 4096, "1024"), (2048, 4096, "2048"), (64, 64, "platform.not-hardened")],
    ids=["few", "enough", "no more"],
)
def test_a_process_has_room_for_what_its_sensors_open(soft: int, hard: int, said: str) -> None:
    """Started with hardly more descriptors than it holds, it would look at every program and see none."""
    done = run(
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from vault.errors import VaultError; from vault.platform import harden_process\n"
        "try:\n    harden_process(); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
        "except VaultError as error:\n    print(error.code)\n"
    )
    assert done.stdout.strip() == said, done.stderr


def test_one_instance(tmp_path: Path) -> None:
    path = tmp_path / "vault.lock"
    other = "import sys; from pathlib import Path; from vault.platform import single_instance\nsingle_instance(Path(sys.argv[1]))"
    with single_instance(path):
        assert path.stat().st_mode & 0o777 == 0o600
        answer = run(other, str(path))
        assert "vault.already-open" in answer.stderr
        with pytest.raises(UnavailableError, match=r"vault\.already-open"):
            single_instance(path)
    assert run(other, str(path)).returncode == 0
    assert path.exists()


def test_the_kernel_unlocks_for_a_killed_holder(tmp_path: Path) -> None:
    path = tmp_path / "vault.lock"
    program = (
        "import sys, signal; from pathlib import Path; from vault.platform import single_instance\n"
        "lock = single_instance(Path(sys.argv[1])); print('held', flush=True); signal.pause()"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(UnavailableError):
        single_instance(path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    single_instance(path).close()


def test_a_holder_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "vault.lock"
    held = single_instance(path)
    ending = threading.Timer(0.2, held.close)
    ending.start()
    with single_instance(path, wait_seconds=30), pytest.raises(UnavailableError, match=r"vault\.already-open"):
        single_instance(path, wait_seconds=0.1)
    ending.join()


def test_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"vault\.lock-failed"):
        single_instance(tmp_path / "none" / "vault.lock")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnavailableError, match=r"vault\.lock-failed"):
        single_instance(tmp_path / "link")


def test_clock_and_entropy() -> None:
    clock = SystemClock()
    assert abs(clock.now_us() - time.time_ns() // 1000) < 1_000_000
    assert clock.boot_us() <= boot_us()
    assert abs(boot_us() - float(Path("/proc/uptime").read_text().split()[0]) * 1e6) < 1_000_000
    entropy = SystemEntropy()
    assert len({entropy.token() for _ in range(100)}) == 100
    assert len(bytes.fromhex(entropy.token())) == 16
