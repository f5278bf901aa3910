"""A real Tang key server for tests: Debian's `tangd`, one process a request, behind a listening socket of our own.

Debian 12's `tangd` has no listening mode; systemd's socket activation is what runs it in a station, and this is that, in twenty lines.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

TANGD = "/usr/libexec/tangd"
KEYGEN = "/usr/libexec/tangd-keygen"
ROTATE = "/usr/libexec/tangd-rotate-keys"


class TangServer:
    """One key server with its own keys."""

    def __init__(self, keys: Path, address: str = "127.0.0.1", port: int = 0) -> None:
        self.keys = keys
        if not keys.exists():
            keys.mkdir(parents=True)
            subprocess.run([KEYGEN, str(keys)], check=True, capture_output=True)
        self._listener = socket.create_server((address, port))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://{address}:{self.port}"
        self.requests = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def thumbprint(self) -> str:
        """A signing key's thumbprint, read from the server's own files."""
        [signing] = [one for one in self.keys.glob("[!.]*.jwk") if '"ES512"' in one.read_text()]
        return subprocess.run(
            ["jose", "jwk", "thp", "-a", "S256", "-i", signing], check=True, capture_output=True, text=True
        ).stdout.strip()

    def shown_thumbprint(self) -> str:
        """What an administrator reads aloud: the same, as the server's own tool prints it."""
        return subprocess.run(["tang-show-keys", str(self.port)], check=True, capture_output=True, text=True).stdout.split()[0]

    def rotate(self) -> None:
        """Make new keys and hide the old ones; those still recover."""
        subprocess.run([ROTATE, "-d", str(self.keys)], check=True, capture_output=True)

    def forget_old_keys(self) -> None:
        """Delete what was rotated away."""
        for one in self.keys.glob(".*.jwk"):
            one.unlink()

    def close(self) -> None:
        """Stop answering."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)  # a listener that is only closed leaves the thread in accept() holding it
            self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            self.requests += 1
            threading.Thread(target=self._answer, args=(visitor,), daemon=True).start()

    def _answer(self, visitor: socket.socket) -> None:
        with visitor:
            subprocess.run([TANGD, str(self.keys)], stdin=visitor, stdout=visitor, stderr=subprocess.DEVNULL, check=False)
