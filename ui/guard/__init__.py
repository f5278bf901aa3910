"""What stands between a page on screen and a copy of it, on the interface's side.

Rooms: `interceptor` (keys, menus and drags that would copy) · `watch` (selections taken over, idleness) · `proof` (the guard tried every
minute). May import: PySide6.QtCore, QtGui, QtWidgets, `ui.widgets`, `vault.domain`, `vault.errors`, `vault.platform` (`proof` alone).
Runs in [U], main thread. Raises nothing: what it sees leaves as a signal.
"""
