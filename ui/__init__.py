"""What people see and touch: the interface process, PySide6 Widgets only.

Rooms: `widgets` (the kit) · `guard` (copy attempts) · `windows` (the desk) · `theme`, `icons`, `strings`, `messages` (the look and the
words). May import: PySide6 (QtCore, QtGui, QtWidgets; QtSvg when the first icon is painted), `vault.services`, `vault.domain`,
`vault.errors`; `ui.__main__` alone `vault.platform`, to clean and harden the process. No SQL, no key, no document: a page arrives as a
picture. Runs in the process [U] on the main thread, which does no input or output that can wait. Raises: `DefectError` for what is missing
in our own resources; everything refused below arrives as an error and is told by `messages`.
"""
