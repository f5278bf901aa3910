"""Which mounts are media, told from lines of mountinfo; and the identity of a device without a name of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from vault.sensors.mounts import Medium, describe, identity_of, is_removable, medium_of, read_mounts

WATCHED = (Path("/home/pc/Downloads"), Path("/home/pc/Documents"))
BEFORE = read_mounts("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n28 27 0:31 / /tmp rw - tmpfs tmpfs rw")

LINES: Sequence[tuple[str, Medium | None]] = [
    # what mountinfo says, what it is
    ("90 27 8:17 / /media/pc/STICK rw,nosuid - vfat /dev/sdb1 rw", Medium.BLOCK),  # removable is asked of the kernel, below
    ("90 27 8:17 / /media/pc/STICK ro,nosuid - vfat /dev/sdb1 ro", None),
    ("90 27 8:17 / /media/pc/STICK rw,nosuid - vfat /dev/sdb1 ro", None),
    ("90 27 0:50 / /mnt/nas rw - nfs4 nas:/export rw,vers=4.2", Medium.NETWORK),
    ("90 27 0:50 / /home/pc/nas rw - cifs //nas/share rw", Medium.NETWORK),
    ("90 27 0:50 / /home/pc/far rw - fuse.sshfs pc@host:/home/pc rw", Medium.NETWORK),
    ("90 27 0:50 / /home/pc/dav rw - fuse.davfs https://cloud/x rw", Medium.NETWORK),
    ("90 27 0:50 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw", Medium.DESKTOP),
    ("90 27 0:50 / /home/pc/phone rw - fuse.jmtpfs jmtpfs rw", Medium.DEVICE),
    ("90 27 0:50 / /home/pc/x rw - fuse /home/pc/y rw", Medium.FUSE),
    ("90 27 0:50 / /home/pc/x rw - fuse.rarely-seen src rw", Medium.FUSE),
    ("90 27 0:50 / /mnt/host rw - 9p host0 rw", Medium.HOST),
    ("90 27 0:50 / /mnt/host rw - virtiofs host0 rw", Medium.HOST),
    ("90 27 0:50 / /mnt/new rw - newfs src rw", Medium.OTHER),
    ("90 27 0:50 / /opt/x rw - tmpfs none rw", Medium.MEMORY),
    ("90 27 0:50 / /run/media/pc/x rw - tmpfs none rw", Medium.MEMORY),
    ("90 27 0:50 / /run/user/1000 rw - tmpfs tmpfs rw", None),
    ("90 27 0:50 / /home/pc/Documents rw - overlay o rw,lowerdir=/a", Medium.OVERLAY),
    ("90 27 0:50 / /var/lib/docker/overlay2/1/merged rw - overlay o rw", None),
    ("90 27 254:0 /srv /home/pc/Documents/srv rw - ext4 /dev/vda rw", Medium.BIND),
    ("90 27 254:0 /srv /opt/srv rw - ext4 /dev/vda rw", None),
    ("90 27 7:3 / /snap/core/1 ro - squashfs /dev/loop3 ro", None),
    ("90 27 0:50 / /opt/proc rw - proc proc rw", None),
    ("90 27 0:50 / /sys/fs/cgroup/x rw - cgroup2 cgroup2 rw", None),
    ("90 27 0:50 / /run/user/1000/doc rw - fuse.portal portal rw", None),
]


@pytest.mark.parametrize(("line", "medium"), LINES, ids=[row[0] for row in LINES])
def test_a_line_is_a_medium_or_not(line: str, medium: Medium | None) -> None:
    (mount,) = read_mounts(line)
    assert medium_of(mount, BEFORE, WATCHED) is medium


def test_escapes_and_optional_fields_and_broken_lines() -> None:
    text = "90 27 0:50 / /media/pc/MY\\040STICK\\134 rw shared:1 master:2 - vfat /dev/sdb1 rw\nnot a line\n\n1 2"
    (mount,) = read_mounts(text)
    assert mount.place == Path("/media/pc/MY STICK\\")
    assert mount.source == "/dev/sdb1"


def test_a_stick_by_the_kernels_word_and_its_identity_by_hash(tmp_path: Path) -> None:
    device = tmp_path / "sys" / "devices" / "pci0" / "usb1" / "1-1" / "block" / "sdb" / "sdb1"
    device.mkdir(parents=True)
    (device.parent.parent.parent / "serial").write_text("S3R1AL\n")
    (device.parent.parent.parent / "manufacturer").write_text("Maker\n")
    (tmp_path / "sys" / "dev" / "block").mkdir(parents=True)
    (tmp_path / "sys" / "dev" / "block" / "8:17").symlink_to(device)
    (tmp_path / "udev").mkdir()
    assert is_removable("8:17", tmp_path / "sys")
    assert not is_removable("8:18", tmp_path / "sys")
    assert identity_of("8:17", tmp_path / "udev", tmp_path / "sys") == {"serial": "S3R1AL", "vendor": "Maker"}
    (tmp_path / "udev" / "b8:17").write_text("E:ID_VENDOR=Udev\nE:ID_MODEL=Blade\nE:ID_SERIAL=Udev_Blade_1\n")
    known = identity_of("8:17", tmp_path / "udev", tmp_path / "sys")
    assert (known["vendor"], known["model"], known["serial"]) == ("Udev", "Blade", "Udev_Blade_1")


@pytest.mark.parametrize(
    ("source", "type_", "medium", "shown"),
    [
        ("pc@host:/secret/folder", "fuse.sshfs", Medium.NETWORK, "host"),
        ("//nas/secret", "cifs", Medium.NETWORK, "nas"),
        ("nas:/secret", "nfs4", Medium.NETWORK, "nas"),
        ("/home/pc/secret", "fuse.bindfs", Medium.FUSE, "fuse.bindfs"),
        ("/dev/sdb1", "vfat", Medium.REMOVABLE, "/dev/sdb1"),
    ],
)
def test_facts_name_hosts_and_devices_and_no_path(source: str, type_: str, medium: Medium, shown: str) -> None:
    (mount,) = read_mounts(f"90 27 0:50 / /media/pc/secret rw - {type_} {source} rw")
    facts = dict(describe(mount, medium))
    assert facts["source"] == shown
    assert "secret" not in repr(facts)
