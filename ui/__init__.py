"""What people see and touch: the interface process, PySide6 Widgets only.

Rooms: `app` (one window, one face at a time) · `bridge` (the pipe to the vault process) · `widgets` (the kit) · `guard` (copy attempts) ·
`windows` (the desk) · `theme`, `icons`, `strings`, `messages` on `resource_files` (the look and the words) · `bare_import` (Python's own
import again) · `warm_up` (what is built while the passphrase is typed) · `incident_log` · `steps` (what is shown, a line a step).
May import: PySide6 (QtCore, QtGui, QtWidgets; QtSvg after the first paint), `vault.services`, `vault.domain`, `vault.errors`; of
`vault.platform` only what cleans and hardens the process and asks for exclusion from captures (`ui.__main__`, `ui.guard.proof`). No SQL,
no key, no document: a page arrives as a picture. Runs in the process [U] on the main thread, which does no input or output that can wait.
Raises: `DefectError` for what is missing in our own resources; everything refused below arrives as an error and is told by `messages`.
"""
