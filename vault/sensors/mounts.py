"""What is mounted, and which of it could carry a copy away (V57, V61, V62).

Rules:

1. A mount is known by its number, device, place and whether it may be written: a stick that is remounted for writing is a new mount.
2. Only what can receive a copy is a medium: nothing read-only, nothing that is the kernel's or the system's own (`_SYSTEM_TYPES`; memory
   under /run, /dev and their like, which is there on every desktop).
3. Overlays and bind mounts are media where they lie in, over or under a watched folder: what is put there is not where it seems to be.
4. A type nobody knows is a medium: a false context note costs less than a stick nobody saw.
5. Identity without names of files: type, device, number; vendor, model and serial by hash; of a source only a device's name or a
   host's, the rest by hash.

Source: proc(5) mountinfo; udev's database in /run/udev/data; sysfs.
"""

from __future__ import annotations

import enum
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vault.sensors import statx

MOUNTINFO = Path("/proc/self/mountinfo")
_UDEV = Path("/run/udev/data")
_SYSFS = Path("/sys")
_FUSE_CONNECTIONS = _SYSFS / "fs" / "fuse" / "connections"
_HASH_CHARACTERS = 16
_DEVICE_PARENTS = 8

# What the kernel shows of itself: nothing can be put there.
KERNEL_TYPES = frozenset(
    ("proc", "sysfs", "cgroup", "cgroup2", "devpts", "devtmpfs", "securityfs", "debugfs", "tracefs", "bpf", "mqueue", "pstore", "configfs")
)
_SYSTEM_TYPES = KERNEL_TYPES | {
    "autofs",
    "binder",
    "binfmt_misc",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "nsfs",
    "resctrl",
    "rpc_pipefs",
    "selinuxfs",
    "squashfs",
    "erofs",
    "fuse.lxcfs",
    "fuse.portal",
    "fuse.snapfuse",
}
_NETWORK_TYPES = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "coda", "glusterfs", "lustre", "davfs", "orangefs")
)
_NETWORK_FUSE = frozenset(
    ("sshfs", "davfs", "davfs2", "rclone", "s3fs", "glusterfs", "ceph-fuse", "curlftpfs", "gcsfuse", "google-drive-ocamlfuse", "onedriver")
)
_DESKTOP_FUSE = frozenset(("gvfsd-fuse", "kio-fuse"))
_DEVICE_FUSE = frozenset(("jmtpfs", "simple-mtpfs", "mtpfs", "go-mtpfs", "gphotofs", "ifuse", "aft-mtp-mount", "mtp"))
_HOST_TYPES = frozenset(("9p", "virtiofs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse", "drvfs"))
_MEMORY_TYPES = frozenset(("tmpfs", "ramfs"))
_SNAPSHOT_TYPES = frozenset(("btrfs", "zfs", "bcachefs"))
_SYSTEM_MEMORY = tuple(map(Path, ("/proc", "/sys", "/dev", "/run", "/var/lib", "/var/snap", "/snap", "/boot")))
_MEDIA_FOLDERS = tuple(map(Path, ("/media", "/mnt", "/run/media")))


class Medium(enum.Enum):
    """What kind of place a mount is."""

    REMOVABLE = "removable"  # a block device that the system calls removable, or one on USB, FireWire, an SD bus
    BLOCK = "block"  # another block device: a second disk, an image on a loop device
    NETWORK = "network"
    DEVICE = "device"  # a telephone or camera
    DESKTOP = "desktop"  # what the desktop mounts for its programs: network places, telephones, archives
    FUSE = "fuse"  # a program of the account
    HOST = "host"  # a folder of the machine that runs this virtual machine
    MEMORY = "memory"
    OVERLAY = "overlay"
    BIND = "bind"  # another place for a folder that is there already
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo."""

    mount_id: int
    device: str  # major:minor
    root: str
    place: Path
    writable: bool
    type: str
    source: str

    @property
    def is_programs(self) -> bool:
        """Whether a program serves it, which may be one of the account's and need never answer."""
        return self.type == "fuse" or self.type.startswith("fuse.")


def read_mounts(text: str | None = None) -> tuple[Mount, ...]:
    """Give what is mounted now, or what `text` says. A line that does not read is left out.

    Raises:
        OSError: mountinfo cannot be read.
    """
    if text is None:
        text = MOUNTINFO.read_text("utf-8", "surrogateescape")
    found = []
    for line in text.splitlines():
        with suppress(ValueError, IndexError):
            found.append(_parse(line))
    return tuple(found)


def medium_of(mount: Mount, before: Sequence[Mount], watched: Sequence[Path]) -> Medium | None:
    """Which medium a new mount is; None if it can carry nothing away or belongs to the system.

    Args:
        mount: the new one.
        before: what was mounted already; tells a bind mount.
        watched: the folders that are watched for copies, resolved.
    """
    if not mount.writable or mount.type in _SYSTEM_TYPES:
        return None
    concerns = any(_touch(mount.place, folder) for folder in (*watched, *_MEDIA_FOLDERS))
    kind = _kind(mount)
    if kind is Medium.MEMORY:
        in_media = any(_touch(mount.place, folder) for folder in _MEDIA_FOLDERS)
        is_systems = any(mount.place.is_relative_to(place) for place in _SYSTEM_MEMORY)
        return kind if in_media or not is_systems else None
    if kind is Medium.OVERLAY:
        return kind if concerns else None
    if any(one.device == mount.device and one.mount_id != mount.mount_id for one in before) and kind is not Medium.REMOVABLE:
        return Medium.BIND if concerns else None
    return kind


def describe(mount: Mount, medium: Medium) -> tuple[tuple[str, str | int], ...]:
    """Facts for a signal: what and which device, never a file's name."""
    facts: tuple[tuple[str, str | int], ...] = (
        ("medium", medium.value),
        ("type", mount.type),
        ("mount_id", mount.mount_id),
        ("device", mount.device),
        ("source", _shown_source(mount, medium)),
        ("source_hash", _hash(mount.source)),
        ("place_hash", _hash(str(mount.place))),
    )
    return facts + tuple((f"{name}_hash", _hash(value)) for name, value in sorted(identity_of(mount.device).items()))


def identity_of(device: str, udev: Path = _UDEV, sysfs: Path = _SYSFS) -> dict[str, str]:
    """Vendor, model and serial of a block device, as far as udev or the kernel knows them.

    Args:
        device: major:minor.
        udev: udev's database.
        sysfs: the kernel's.
    """
    found: dict[str, str] = {}
    names = {"E:ID_VENDOR": "vendor", "E:ID_MODEL": "model", "E:ID_SERIAL_SHORT": "serial", "E:ID_SERIAL": "serial"}
    with suppress(OSError):
        for line in (udev / f"b{device}").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition("=")
            if name in names and value.strip():
                found.setdefault(names[name], value.strip())
    for folder in _device_folders(device, sysfs):
        for name in ("vendor", "model", "serial", "manufacturer", "product"):
            with suppress(OSError):
                value = (folder / name).read_text("utf-8", "replace").strip()
                if value:
                    found.setdefault({"manufacturer": "vendor", "product": "model"}.get(name, name), value)
    return found


def is_removable(device: str, sysfs: Path = _SYSFS) -> bool:
    """Whether a block device can be pulled out: its own flag, or a bus on which things are."""
    with suppress(OSError):
        real = (sysfs / "dev" / "block" / device).resolve(strict=True)
        if any(part.startswith(("usb", "mmc_host", "firewire", "fw")) for part in real.parts):
            return True
        for folder in (real, real.parent):
            with suppress(OSError):
                if (folder / "removable").read_text().strip() == "1":
                    return True
    return False


def unique_id(place: Path) -> int:
    """Give the number that the kernel never gives to another mount; 0 where it has none (before Linux 6.8). Asks no server."""
    with suppress(OSError):
        return statx.ask(place, statx.MOUNT_ID_UNIQUE, statx.SYMLINK_NOFOLLOW | statx.NO_AUTOMOUNT | statx.DONT_SYNC).mount_id
    return 0


def programs_places() -> frozenset[str]:
    """Where file systems are mounted that a program serves, as absolute paths."""
    return frozenset(str(one.place) for one in read_mounts() if one.is_programs)


def break_off_silent() -> None:
    """Have the kernel give up on those file systems of programs that owe it an answer: whoever waits gets an error, and can end.

    Raises nothing. LIMIT: where the kernel's list of them (fusectl) is not mounted, or the mount is another account's, the wait goes on.
    """
    with suppress(OSError):
        for mount in read_mounts():
            if mount.is_programs:
                connection = _FUSE_CONNECTIONS / mount.device.partition(":")[2]
                with suppress(OSError, ValueError):
                    if int((connection / "waiting").read_text("ascii")) > 0:
                        descriptor = os.open(connection / "abort", os.O_WRONLY | os.O_CLOEXEC)
                        try:
                            os.write(descriptor, b"1")
                        finally:
                            os.close(descriptor)


def keeps_snapshots(folder: Path, mounts: Sequence[Mount]) -> bool:
    """Whether the file system under `folder` can keep old states of it, or a snapshot of anything is mounted or kept here."""
    under = [mount for mount in mounts if folder.is_relative_to(mount.place)]
    home = max(under, key=lambda mount: len(mount.place.parts), default=None)
    if home is not None and home.type in _SNAPSHOT_TYPES:
        return True
    if any("snapshot" in mount.place.name or mount.place.name == "timeshift" for mount in mounts):
        return True
    return any(place.is_dir() for place in (Path("/.snapshots"), Path("/home/.snapshots"), Path("/timeshift"), Path("/timeshift-btrfs")))


def _parse(line: str) -> Mount:
    fields = line.split(" ")
    dash = fields.index("-", 6)
    place = Path(_plain(fields[4]))
    super_options = fields[dash + 3].split(",") if len(fields) > dash + 3 else []
    writable = "rw" in fields[5].split(",") and "ro" not in super_options
    return Mount(int(fields[0]), fields[2], _plain(fields[3]), place, writable, fields[dash + 1], _plain(fields[dash + 2]))


def _plain(escaped: str) -> str:
    """Blank, tab, line end and backslash stand as octal numbers."""
    if "\\" not in escaped:
        return escaped
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        escaped = escaped.replace(code, character)
    return escaped


def _kind(mount: Mount) -> Medium:  # noqa: PLR0911 - a table in the shape of code
    fuse = mount.type.partition(".")[2] if mount.type.startswith("fuse.") else ""
    if mount.type in _NETWORK_TYPES or fuse in _NETWORK_FUSE:
        return Medium.NETWORK
    if mount.type in _HOST_TYPES:
        return Medium.HOST
    if fuse in _DEVICE_FUSE:
        return Medium.DEVICE
    if fuse in _DESKTOP_FUSE:
        return Medium.DESKTOP
    if mount.type in _MEMORY_TYPES:
        return Medium.MEMORY
    if mount.type == "overlay":
        return Medium.OVERLAY
    if mount.source.startswith("/dev/") or mount.type == "fuseblk" or mount.type in _SNAPSHOT_TYPES:
        return Medium.REMOVABLE if is_removable(mount.device) else Medium.BLOCK
    return Medium.FUSE if fuse or mount.type == "fuse" else Medium.OTHER


def _touch(place: Path, folder: Path) -> bool:
    return place.is_relative_to(folder) or folder.is_relative_to(place)


def _shown_source(mount: Mount, medium: Medium) -> str:
    if mount.source.startswith("/dev/"):
        return mount.source
    if medium is Medium.NETWORK:  # //host/share, [user@]host:/path: the host, and nothing of the path
        rest = mount.source.removeprefix("//")
        host = rest.partition("/")[0] if rest != mount.source else rest.partition(":")[0]
        return host.rpartition("@")[2]
    return mount.type


def _device_folders(device: str, sysfs: Path) -> Iterator[Path]:
    try:
        folder = (sysfs / "dev" / "block" / device).resolve(strict=True)
    except OSError:
        return
    for _ in range(_DEVICE_PARENTS):
        yield folder / "device"
        yield folder
        if folder.name == "devices" or folder == folder.parent:
            return
        folder = folder.parent


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH_CHARACTERS]
