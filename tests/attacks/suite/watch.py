"""What is written while the desk runs: every file closed after writing is searched for the page's words, and connections are counted.

LIMIT: a file that is written and deleted within the moment it takes to look is counted, not read; the marks of what stays are looked for at
the end as well.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from pathlib import Path

from watchdog.events import FileClosedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from tests.attacks.suite.papers import MARKS

_LARGEST_BYTES = 64 * 1024 * 1024
_FORMS = tuple(mark.encode(form) for mark in MARKS for form in ("utf-8", "utf-16-le", "utf-32-le"))


def holds_mark(path: Path) -> bool:
    """Whether a file holds a word of the page, in any form a program keeps text in."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            return False
        said = path.read_bytes()
    except OSError:
        return False
    return any(form in said for form in _FORMS)


class FileWatch(FileSystemEventHandler):
    """Looks at every file that is written below some folders, and into others themselves, which the whole machine writes below."""

    def __init__(self, below: Iterable[Path], into: Iterable[Path], skip: Iterable[Path]) -> None:
        self.seen = 0
        self.marked: list[str] = []
        self._skip = tuple(skip)  # the vault's own: an attacker who opens them would be reported, and they are searched when no desk runs
        self._observer = Observer()
        for recursive, folders in ((True, below), (False, into)):
            for folder in folders:
                self._observer.schedule(self, str(folder), recursive=recursive, event_filter=[FileClosedEvent])
        self._observer.start()

    def dispatch(self, event: FileSystemEvent) -> None:
        """Look at one file (the observer's thread)."""
        path = Path(str(event.src_path))
        if any(path.is_relative_to(one) for one in self._skip):
            return
        self.seen += 1
        if holds_mark(path):
            self.marked.append(path.name)

    def stop(self) -> None:
        """Stop looking."""
        self._observer.stop()
        self._observer.join()


class Listener:
    """A web server that only counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
