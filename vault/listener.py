"""Which process listens on a Unix socket: asked of the kernel, over a connection that says nothing. And whether its program's name is true.

Source: unix(7), SO_PEERCRED; user_namespaces(7). Thread: any; waits for the connection. Linux only.
"""

from __future__ import annotations

import os
import socket
import struct


def listener_of(address: str, most_seconds: float) -> tuple[int, int] | None:
    """(process, account) of whoever listens at `address`, an abstract one with a leading zero byte; None if nobody does.

    The process is 0 where this system does not show it to us.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(most_seconds)
        try:
            probe.connect(address)
        except (OSError, ValueError):
            return None
        pid, uid, _ = struct.unpack("iII", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return pid, uid


def names_itself(pid: int) -> bool:
    """Whether a process is in a user namespace that is not ours: there it may mount, and say which file it was started from."""
    try:
        return os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")  # noqa: PTH115
    except OSError:
        return False  # gone, or another account's, which is told apart before
