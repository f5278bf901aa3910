"""Listening ports as the kernel tells them, both ways; and the sockets of a process."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from vault.sensors import sockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag and /proc are Linux")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_port_of_our_own_is_seen_both_ways(family: socket.AddressFamily) -> None:
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    try:
        listener = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip("no such addresses here")
    with listener:
        own = sockets.sockets_of(os.getpid())
        assert own is not None
        for seen in (tuple(sockets._listening_by_diag()), tuple(sockets._listening_by_proc()), sockets.listening()):
            (found,) = [one for one in seen if one.inode in own and one.port == listener.getsockname()[1]]
            assert found.uid == os.getuid()
    assert not [one for one in sockets.listening() if one.inode == found.inode]


def test_clients_of_a_socket_are_known_by_number(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = str(tmp_path_factory.mktemp("s") / "X")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as other:
        server.bind(place)
        server.listen()
        client.connect(place)
        accepted, _ = server.accept()
        with accepted:
            clients = sockets.clients_of_display(place)
            assert clients is not None
            assert os.fstat(client.fileno()).st_ino in clients
            assert os.fstat(other.fileno()).st_ino not in clients
    assert sockets.sockets_of(0) is None
