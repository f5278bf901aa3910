"""The windows: what a person works in, built from the kit.

Rooms: `page` (the contract of everything the rail leads to) · `shell` (frame, routing by role, palette, lock) · `sign_in`, `founding`, `lock`,
`cannot_open` (before anybody is signed in) · `desk`, `find`, `case_inspector`, `check_out`, `reader`, `notice`, `check_in`, `my_reports` (the
officer's work) · `breaches`, `custody_board`, `audit`, `people`, `intake`, `register`, `grants` (the supervisor's, custodian's and administrator's).
May import: PySide6.QtCore, QtGui, QtWidgets, the rest of `ui`, `vault.services` (names of methods, views, events), `vault.domain`, `vault.errors`.
Only `sign_in` is imported before the first paint; every other window is imported when it is first needed. Runs in [U], main thread, and never
waits: everything is asked through the bridge and answered later. Raises `DefectError` only; a refusal arrives as an error and is told in words.
"""
