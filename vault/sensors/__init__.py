"""Sensors: one module per thing that can be observed of the vault's files, the screen, the processes and the clock, and their hub.

Rooms: `contract` (what a sensor is) · `hub` (starts, self-tests, restarts) · of the files: `store_access` (foreign opens, links, moves),
`copies` with `fingerprint` and `searched` (copies of the vault in watched folders), `pictures` (new ones beside a page), `media` with
`mounts` · of the screen: `captures` with `programs`, `officers_view`, `system_files`, `capture_tools`, `exec_watch`, `x11_clients` and
`casts`, `remote` with `screen` and `sockets`, `synthetic_input` · of the processes: `process_guard` (tracers, foreign code, readers of
our memory), `memory_guard` (swap, hibernation) · `clock` (steps of the wall clock) · `place` (what the network says of where we are) ·
`inotify`, `lease`, `processes`, `x11_wire` (the system under them).
May import: `vault.domain`, `vault.errors`, `vault.reach`, `vault.services.ports`; no other adapter, no Qt. Runs in the vault process on
threads of its own; those threads only hand a `Signal` to the `emit` they were started with, which must not block. Raises nothing after
`start`: a sensor that cannot see says so in its `ProtectionStatus`, and the hub makes a signal of it.

Other systems than Linux: every sensor reports UNAVAILABLE ``not-on-this-system``.
"""
