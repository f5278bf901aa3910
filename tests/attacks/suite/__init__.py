"""The attack suite: every row of the catalogue of ways out (V1-V77), tried by real programs against the running desk.

    make attacks            writes build/attacks.json and prints the table and the numbers; with ROWS, build/attacks-rows.json

Rooms: `catalogue` (one line a vector: class, what must happen, which attack) · `inside`, `capture`, `process`, `files`, `place` (the
attacks) · `ordinary` (the hour that must stay silent) · `rig` (vault, desk, page, acts) · `screen` (an X server and its frame buffer, read
without a client) · `papers` (what the page shows) · `watch` (files written, links followed) · `readout` (the reports, read by a supervisor
after the desk has ended) · `verdict` (what is judged, the numbers, the file) · `programs` (attackers that had to be written).

Rules:

- Nothing is skipped: a row that cannot be run here is a row that is not ok, and says why.
- An attack is a program of its own, or keys and pointer moved from outside; none calls a method of the application.
- A row is judged by what was committed (reports and audit trail), by what the attacker holds afterwards, and by pixels: never by what the
  window says about itself.
"""
