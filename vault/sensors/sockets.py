"""Who listens on the network, and who is a client of an X display, as the kernel knows it.

Rules: nothing is opened but /proc/net and a netlink socket; another account's sockets are seen by number, and their process often not.

Source: proc(5) /proc/net/tcp, sock_diag(7).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LISTEN = 10  # TCP_LISTEN
_PORT_AT, _UID_AT = 4, 64  # in inet_diag_msg: the source port in network order, then uid and inode
_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DONE, _FAILED = 3, 2
_SHOW_NAME, _SHOW_PEER = 1, 4
_NAME, _PEER = 0, 2  # UNIX_DIAG_NAME, UNIX_DIAG_PEER
_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BBBxIII")  # unix_diag_msg
_ATTRIBUTE = struct.Struct("=HH")
_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Listening:
    """A listening TCP port."""

    port: int
    uid: int
    inode: int


def listening() -> tuple[Listening, ...]:
    """Every TCP port that somebody listens on in this network namespace. Takes some 0.1 ms; without sock_diag as many as 10.

    Raises:
        OSError: the kernel does not say.
    """
    try:
        return tuple(_listening_by_diag())
    except OSError:
        return tuple(_listening_by_proc())


def _listening_by_diag() -> Iterator[Listening]:
    for family in (socket.AF_INET, socket.AF_INET6):
        request = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 0, 1 << _LISTEN)
        for body in _dump(request):
            (port,) = struct.unpack_from("!H", body, _PORT_AT)
            uid, inode = struct.unpack_from("=II", body, _UID_AT)
            yield Listening(port, uid, inode)


def _listening_by_proc() -> Iterator[Listening]:
    for name in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path("/proc/net", name).read_bytes().splitlines()[1:]:
                if b" %02X " % _LISTEN in line:  # most are connections
                    fields = line.split()
                    yield Listening(int(fields[1].rpartition(b":")[2], 16), int(fields[7]), int(fields[9]))


def sockets_of(pid: int) -> frozenset[int] | None:
    """The inodes of a process's sockets; None if we may not look."""
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                target = os.readlink(entry.path)  # noqa: PTH115 - hundreds of them
                if target.startswith("socket:["):
                    found.add(int(target[8:-1]))
    except OSError:
        return None
    return frozenset(found)


def clients_of_display(place: str) -> frozenset[int] | None:
    """The inodes of sockets connected to an X server; None if the kernel does not say.

    Args:
        place: the server's socket as a path, for example ``/tmp/.X11-unix/X0``; the abstract one of the same name counts.
    """
    wanted = os.fsencode(place)
    clients = set()
    try:
        for name, peer in _unix_sockets():
            if peer and name.strip(b"\0") == wanted:
                clients.add(peer)
    except OSError:
        return None
    return frozenset(clients)


def _unix_sockets() -> Iterator[tuple[bytes, int]]:
    """(name, inode of its peer) of every Unix socket."""
    request = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME | _SHOW_PEER, 0xFFFFFFFF, 0xFFFFFFFF)
    for body in _dump(request):
        yield _attributes(body[_MESSAGE.size :])


def _dump(request: bytes) -> Iterator[bytes]:
    """The bodies of the kernel's answers to a sock_diag request."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as netlink:
        netlink.settimeout(_WAIT_SECONDS)
        netlink.send(_HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _DUMP, 1, 0) + request)
        while True:
            data = netlink.recv(1 << 18)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data, at)
                if kind == _DONE:
                    return
                if kind == _FAILED or length < _HEADER.size:
                    raise OSError("sock_diag")
                yield data[at + _HEADER.size : at + length]
                at += (length + 3) & ~3


def _attributes(data: bytes) -> tuple[bytes, int]:
    name, peer, at = b"", 0, 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        value = data[at + _ATTRIBUTE.size : at + length]
        if kind == _NAME:
            name = value
        elif kind == _PEER:
            peer = int.from_bytes(value[:4], "little")
        at += (length + 3) & ~3
    return name, peer
