"""What a process watches, as the kernel tells it of its inotify descriptors."""

from __future__ import annotations

from pathlib import Path


def watches(pid: int, path: Path) -> bool:
    """Whether a process has a watch on a file or folder; False as well where it is gone."""
    inode = f"ino:{path.stat().st_ino:x} "
    try:
        return any(inode in one.read_text() for one in Path(f"/proc/{pid}/fdinfo").iterdir())
    except OSError:
        return False
