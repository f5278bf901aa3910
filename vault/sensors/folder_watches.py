"""The folders that are watched for copies, and what the kernel tells of them as tasks for whoever looks.

Source: inotify(7), watchdog 7. Linux only.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, WatchDescriptor


@dataclass(frozen=True, slots=True)
class Task:
    """Something for whoever looks: a file, or a folder that appeared, went, or must be scanned again."""

    what: str  # file, inside, folder, again, gone, rescan, end
    path: Path = Path()
    attempt: int = 0
    new: bool = True  # an event, not the scan of what was there


class Watches:
    """The watched folders, on one inotify reader of watchdog. Events become tasks. Implements watchdog's `WatchCallback`."""

    def __init__(self, put: Callable[[Task], None]) -> None:
        from watchdog.observers import inotify_c  # noqa: PLC0415 - exists on Linux only

        names = inotify_c.InotifyConstants
        comes = names.IN_CREATE | names.IN_MOVED_TO | names.IN_CLOSE_WRITE
        goes = names.IN_MOVED_FROM | names.IN_DELETE_SELF | names.IN_MOVE_SELF
        self._mask = inotify_c.Mask(comes | goes | names.IN_DONT_FOLLOW)
        self._id = inotify_c.CallbackId(id(self))
        self._put = put
        self._lock = threading.Lock()
        self._paths: dict[int, Path] = {}
        self._watches: dict[Path, WatchDescriptor] = {}
        self._parents: set[int] = set()  # watched only because something below is missing
        self._reader: InotifyFD = inotify_c.InotifyFD()
        try:
            self._reader.start()
        except RuntimeError:
            self._reader._close_resources()  # noqa: SLF001 - WORKAROUND: its `close` leaves that to a thread which there is not
            raise

    @property
    def count(self) -> int:
        """How many folders are watched."""
        return len(self._watches)

    def has(self, folder: Path) -> bool:
        """Whether the folder is watched for itself."""
        with self._lock:
            watch = self._watches.get(folder)
            return watch is not None and watch not in self._parents

    def add(self, folder: Path) -> None:
        """Watch a folder. Raises OSError, ENOSPC at the kernel's limit."""
        watch = self._add(folder)
        with self._lock:
            self._parents.discard(watch)

    def add_parent(self, folder: Path) -> None:
        """Watch a folder only for what it will contain. Raises OSError."""
        with self._lock:
            if folder in self._watches:
                return
        watch = self._add(folder)
        with self._lock:
            self._parents.add(watch)

    def _add(self, folder: Path) -> WatchDescriptor:
        with self._lock:
            if folder in self._watches:
                return self._watches[folder]
        watch = self._reader.add_callback(os.fsencode(folder), self._mask, self, self._id)
        if watch < 0:
            # WORKAROUND: watchdog gives -1 for EACCES instead of raising, and keeps a watch -1, at which the next such folder is too much
            self._reader.remove_callbacks([(watch, self._id)])
            raise PermissionError(errno.EACCES, "may not be watched")
        with self._lock:
            self._paths[watch] = folder
            self._watches[folder] = watch
        return watch

    def close(self) -> None:
        """Stop the reader and its thread."""
        self._reader.stop()
        self._reader.join()

    def on_event(self, event: InotifyEvent) -> None:
        """Make tasks of events. Thread: watchdog's."""
        with self._lock:
            folder = self._paths.get(event.wd)
            is_parent = event.wd in self._parents
        if folder is None:
            return
        if event.is_delete_self or event.is_move_self:
            self.drop_tree(folder)
            self._put(Task("gone"))
        elif event.is_moved_from:
            if event.is_directory:
                self.drop_tree(folder / os.fsdecode(event.name))  # before its new place is added: the watch numbers would be the same
        elif is_parent:
            self._put(Task("gone"))  # something came into a parent we wait at: look again which folders are there
        elif event.is_directory:
            self._put(Task("folder", folder / os.fsdecode(event.name)))
            self._put(Task("gone"))
        else:
            self._put(Task("file", folder / os.fsdecode(event.name)))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The kernel dropped a watch: its folder is gone or unmounted. Thread: watchdog's."""
        self._forget(wd)
        self._put(Task("gone"))

    def on_queue_overflow(self) -> None:
        """Events were lost: look at everything again. Thread: watchdog's."""
        self._put(Task("rescan"))

    def drop_tree(self, folder: Path) -> None:
        """Forget a folder and everything below it."""
        with self._lock:
            below = f"{folder}{os.sep}"  # a text is compared: thousands of folders may go at once, each with a look at all
            gone = [watch for path, watch in self._watches.items() if path == folder or str(path).startswith(below)]
        self._reader.remove_callbacks([(watch, self._id) for watch in gone])
        for watch in gone:
            self._forget(watch)

    def _forget(self, watch: WatchDescriptor) -> None:
        with self._lock:
            folder = self._paths.pop(watch, None)
            self._parents.discard(watch)
            if folder is not None:
                self._watches.pop(folder, None)
