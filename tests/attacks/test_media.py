"""Media that come while a case file is out, and copies on them: real mounts in a mount namespace of the test's own (V61, V62)."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.mounts import own_mounts
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState
from vault.sensors.copies import CopiesSensor
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.media import MediaSensor
from vault.sensors.mounts import read_mounts, unique_id

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="mountinfo is Linux"),
    pytest.mark.skipif(sys.platform == "linux" and os.getuid() != 0, reason="only root can mount"),
]

MOUNTED, COPIED = SignalKind.MEDIA_MOUNTED, SignalKind.STORE_COPIED
QUIET_SECONDS = 0.5
PATIENCE_SECONDS = 15
LETS_GO_SECONDS = 5


@pytest.fixture(autouse=True)
def _mounts_of_our_own() -> Iterator[None]:
    """No other program of this machine sees the mounts of these tests, and none outlives them."""
    with own_mounts():
        yield


@dataclass
class Stage:
    root: Path
    vault: Path
    media: MediaSensor
    copies: CopiesSensor
    case_is_out: bool = True
    signals: queue.SimpleQueue[Signal] = field(default_factory=queue.SimpleQueue)

    def sh(self, script: str) -> None:
        subprocess.run(["sh", "-ec", script], cwd=self.root, check=True, timeout=30)

    def umount(self, where: str) -> None:
        """Take a medium away as a person does: the sensor may be reading it at this instant, and lets go of it soon."""
        deadline = time.monotonic() + LETS_GO_SECONDS
        while subprocess.run(["umount", where], check=False, cwd=self.root, capture_output=True, timeout=30).returncode:
            assert time.monotonic() < deadline, f"{where} could not be taken away"
            time.sleep(0.05)

    def next(self) -> Signal:
        return self.signals.get(timeout=PATIENCE_SECONDS)

    def quiet(self) -> list[Signal]:
        found = []
        deadline = time.monotonic() + QUIET_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                found.append(self.signals.get(timeout=left))
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    vault, home = tmp_path / "vault", tmp_path / "home"
    for folder in (vault, home / "deep" / "work", tmp_path / "stick", tmp_path / "plain"):
        folder.mkdir(parents=True)
    (vault / "register.db").write_bytes(os.urandom(1 << 20))
    salts = frozenset({(vault / "register.db").read_bytes()[:16]})
    copies = CopiesSensor(Fingerprint(lambda: salts), [home], vault)
    made: list[Stage] = []
    media = MediaSensor(lambda: made[0].case_is_out, [home], copies.look_again)
    made.append(Stage(tmp_path, vault, media, copies))
    copies.start(made[0].signals.put)
    media.start(made[0].signals.put)
    assert media.self_test().state is ProtectionState.DETECTED
    assert copies.self_test().state is ProtectionState.DETECTED
    while copies._patient is None or copies._looks_through:  # what comes over a folder still to be looked at counts as there before
        time.sleep(0.01)
    yield made[0]
    media.stop()
    copies.stop()


IMAGE = "truncate -s 8M image; mkfs.ext4 -q -F image; mount -o loop image stick"
OVERLAY = "mount -t overlay -o lowerdir=home/deep,upperdir=ground/u,workdir=ground/w o home/deep"
MEDIA: Sequence[tuple[str, str, str, str]] = [
    # medium, how it comes, where, what it is called
    ("memory as a stick, anywhere", "mount -t tmpfs none stick", "stick", "memory"),
    ("memory over a watched folder", "mount -t tmpfs none home/deep", "home/deep", "memory"),
    ("memory over all that is watched", "mount -t tmpfs none home", "home", "memory"),
    ("memory below a watched folder", "mount -t tmpfs none home/deep/work", "home/deep/work", "memory"),
    ("overlay on a watched folder", OVERLAY, "home/deep", "overlay"),
    ("bind mount over a watched folder", "mount --bind plain home/deep", "home/deep", "bind"),
    ("FUSE file system", "bindfs plain stick", "stick", "fuse"),
    ("an image on a loop device", IMAGE, "stick", "block"),
    ("remounted for writing", "mount -t tmpfs -o ro none stick; sleep 0.3; mount -o remount,rw stick", "stick", "memory"),
]


@pytest.mark.parametrize(("comes", "where", "medium"), [row[1:] for row in MEDIA], ids=[row[0] for row in MEDIA])
def test_medium_is_reported_and_the_copy_on_it_found(stage: Stage, comes: str, where: str, medium: str) -> None:
    if medium == "overlay":  # an overlay cannot lie on an overlay: give it a ground of its own
        stage.sh("mkdir ground; mount -t tmpfs -o size=9m none ground; mkdir ground/u ground/w")
        assert stage.next().kind is MOUNTED
    stage.sh(comes)
    signal = stage.next()
    facts = dict(signal.facts)
    assert (signal.kind, facts["medium"]) == (MOUNTED, medium)
    assert facts["type"]
    assert str(facts["device"]).count(":") == 1
    assert str(stage.root) not in repr(facts), "where it was mounted and from what file is nobody's business"
    stage.sh(f"cp vault/register.db {where}/holiday.jpg")
    found = stage.next()
    assert (found.kind, dict(found.facts)["name"]) == (COPIED, "holiday.jpg")
    assert dict(found.facts)["seen"] == "arriving"
    again = stage.quiet()
    if medium == "overlay":  # the copy lies in the layer too, which is a place of its own
        again = [one for one in again if dict(one.facts)["name"] != "holiday.jpg"]
    assert again == []
    stage.sh("sync")
    stage.umount(where)
    stage.sh("mkdir -p home/deep; cp vault/register.db home/deep/after")  # what was covered is watched again
    assert dict(stage.next().facts)["name"] == "after"


PEACEFUL: Sequence[tuple[str, str]] = [
    ("kernel file systems", "mkdir p s; mount -t proc proc p; mount -t sysfs sysfs s"),
    ("read-only memory", "mount -t tmpfs -o ro none stick"),
    ("a program package", "mount -t tmpfs -o ro none plain"),
    ("the system's own memory", "mkdir -p /run/casevault-test; mount -t tmpfs none /run/casevault-test"),
    ("a container's layers", "mount --bind plain stick"),
    ("unmounting a medium that was there", "umount kept"),
]


@pytest.mark.parametrize("act", [row[1] for row in PEACEFUL], ids=[row[0] for row in PEACEFUL])
def test_what_can_carry_nothing_is_not_reported(stage: Stage, act: str) -> None:
    stage.case_is_out = False
    stage.sh("mkdir kept; mount -t tmpfs none kept")
    assert stage.quiet() == [], "nothing was out"
    stage.case_is_out = True
    stage.sh(act)
    assert stage.quiet() == []
    stage.sh("mkdir later; mount -t tmpfs none later")
    assert stage.next().kind is MOUNTED


def test_with_nothing_out_the_copy_is_found_all_the_same(stage: Stage) -> None:
    stage.case_is_out = False
    stage.sh("mount -t tmpfs none stick; cp vault/register.db stick/x")
    signal = stage.next()
    assert (signal.kind, dict(signal.facts)["name"]) == (COPIED, "x")


def test_a_stick_that_brings_an_old_copy(stage: Stage) -> None:
    stage.case_is_out = False
    stage.sh("truncate -s 8M image; mkfs.ext4 -q -F image; mount -o loop image stick")
    stage.sh("mkdir -p stick/a/b; cp vault/register.db stick/a/b/x")
    assert dict(stage.next().facts)["name"] == "x"
    stage.umount("stick")
    stage.sh("cp vault/register.db home/between")
    assert dict(stage.next().facts)["name"] == "between"
    stage.copies._found.clear()  # as after a restart
    stage.sh("mount -o loop image stick")
    while dict((signal := stage.next()).facts)["folder"] != str(stage.root / "stick" / "a" / "b"):
        assert dict(signal.facts)["name"] == "between", "what was forgotten may be told once more"


def test_a_stick_exchanged_faster_than_anybody_looks(stage: Stage) -> None:
    if not unique_id(Path("/")):
        pytest.skip("a kernel before 6.8 does not tell; said in the sensor's LIMIT")
    stage.media.stop()
    stage.media._known = read_mounts()
    stage.sh("mount -t tmpfs none stick")
    stage.media._look()
    assert stage.next().kind is MOUNTED
    before = read_mounts()
    stage.sh("umount stick; mount -t tmpfs none stick")
    assert read_mounts() == before, "the same number, device and place"
    stage.media._look()
    assert stage.next().kind is MOUNTED
    stage.media._look()
    assert stage.quiet() == []


def test_noticed_within_a_second(stage: Stage) -> None:
    for _ in range(10):
        stage.sh("mount -t tmpfs none stick")
        observed_us = stage.next().observed_us
        assert time.time_ns() // 1000 - observed_us < 1_000_000
        stage.umount("stick")


def test_a_dead_thread_is_found_out(stage: Stage) -> None:
    stage.media.stop()
    assert stage.media.self_test().state is ProtectionState.UNAVAILABLE
