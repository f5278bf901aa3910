"""The windows: what a person works in, built from the kit.

Rooms: `page` (the contract of everything the rail leads to), `live_page` (one that keeps itself fresh) · `shell` (frame, routing by role,
palette, guard, lock), `alerts`, `keys_sheet`, `premises_bar` · `sign_in`, `founding`, `lock`, `cannot_open`, `holders` (nobody signed in),
on `quiet_page` · `desk`, `find`, `case_inspector`, `check_out`, `check_in`, `reader`, `notice`, `my_reports`, `looked_for` (the officer's
work), with `holdings`, `case_list`, `reader_bar`, `document_find` · `breaches` with `report_pane`, `custody_board` with `strip_wall`,
`audit` with `trail` and `chain_bar`, `people` with `enrol` and `accommodate`, `intake` with `case_picker`, `drop_zone`, `intake_list` and
`intake_progress`, `register`, `grants` with `grant_sheets`, `premises` with `premises_sheets` and `recovery_holders` (the supervisor's,
custodian's and administrator's) · `act_sheet`, `person_field`, `held_rows`, `split_pane`, `flow`, `beside`, `naming` and the ``*_words``
(shared).
May import: PySide6.QtCore, QtGui, QtWidgets, the rest of `ui`, `vault.services` (names of methods, views, events), `vault.domain`,
`vault.errors`. Only `sign_in` is imported before the first paint; every other window is imported when it is first needed. Runs in [U],
main thread, and never waits: everything is asked through the bridge and answered later. Raises `DefectError` only; a refusal arrives as an
error and is told in words.
"""
