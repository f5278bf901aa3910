"""The front before a station's key server, for tests: real nginx with the configuration that is shipped, a real `tangd` behind it."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tang import TangServer
from vault.crypto.tang import KeyServer

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "packaging" / "station" / "front"
PATIENCE_SECONDS = 20.0
NEEDS_FRONT = (
    pytest.mark.skipif(sys.platform != "linux", reason="a station's key server runs on Linux"),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here"),
)


@dataclass
class Front:
    """A running front."""

    folder: Path
    port: int
    station: TangServer

    def identities(self, *words: str) -> str:
        return subprocess.run(
            [SHIPPED / "identities.sh", *words],
            env={**os.environ, "CASEVAULT_FRONT": str(self.folder)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def place(self, name: str = "ws-07", *, host: str = "127.0.0.1", authority: str = "authority.pem") -> KeyServer:
        certificate = str(self.folder / f"{name}.pem") if name else ""
        return KeyServer(f"https://{host}:{self.port}", certificate, str(self.folder / authority))

    def ask(self, method: str, path: str, name: str = "ws-07", body: bytes | None = None) -> int:
        """One request as any program makes it: the status."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._context(name), timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body)
            return connection.getresponse().status
        finally:
            connection.close()

    @contextmanager
    def connected(self, name: str = "ws-07") -> Iterator[ssl.SSLSocket]:
        """A connection on which a test says what it likes."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as plain,
            self._context(name).wrap_socket(plain, server_hostname="127.0.0.1") as made,
        ):
            yield made

    def _context(self, name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "authority.pem"))
        if name:
            context.load_cert_chain(self.folder / f"{name}.pem")
        return context

    def reload(self) -> None:
        """As `systemctl reload nginx`: new workers with the new list of revoked identities, and the old ones gone."""
        before = self._workers()
        subprocess.run(["nginx", "-c", self.folder / "nginx.conf", "-s", "reload"], check=True, capture_output=True)
        until(lambda: bool(now := self._workers()) and not now & before)

    def _workers(self) -> set[str]:
        pid = (self.folder / "pid").read_text().strip()
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def log(self) -> list[list[str]]:
        """The lines a supervisor reads: when, identity, address, what, status."""
        return [line.split("\t") for line in (self.folder / "casevault-front.log").read_text().splitlines()]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def running_front(place: Path, name: str = "ws-07") -> Iterator[Front]:
    """Run a front, its files below `place`, before a key server of its own, with an identity for one workstation."""
    folder = place / "front"
    folder.mkdir()
    (folder / "places").mkdir()
    made = Front(folder, _free_port(), TangServer(place / "keys"))
    made.identities("authority")
    made.identities("front", "127.0.0.1")
    made.identities("workstation", name)
    text = (SHIPPED / "front.conf").read_text()
    for shipped, here in (
        ("/etc/casevault-front/", f"{folder}/"),
        ("/var/log/nginx/", f"{folder}/"),
        ("/var/lib/casevault-front/", f"{folder}/places/"),
        ("listen 8443 ssl", f"listen 127.0.0.1:{made.port} ssl"),
        ("127.0.0.1:9080", f"127.0.0.1:{made.station.port}"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    (folder / "front.conf").write_text(text)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    account = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{account} pid {folder}/pid; error_log {folder}/error.log; events {{}}\nhttp {{ {temporary} include {folder}/front.conf; }}\n"
    )
    subprocess.run(["nginx", "-t", "-q", "-c", folder / "nginx.conf"], check=True)
    server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(made.port))
        yield made
    finally:
        server.terminate()
        server.wait()
        made.station.close()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A front of the test's own."""
    with running_front(tmp_path) as made:
        yield made
