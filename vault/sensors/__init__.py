"""Sensors: one module per thing that can be observed about the vault's files and the clock, and the hub that keeps them honest.

Rooms: `contract` (what a sensor is) · `hub` (starts, self-tests, restarts) · `store_access` (foreign opens, links, moves) · `copies`
(copies of the vault in watched folders) · `clock` (steps of the wall clock) · `process_guard` (tracers, foreign code,
readers of our memory) · `memory_guard` (swap, hibernation) · `inotify`, `lease`, `processes` (the system under them).
May import: `vault.domain`, `vault.errors`, `vault.reach`, `vault.services.ports`; no other adapter, no Qt. Runs in the vault process on
threads of its own; those threads only hand a `Signal` to the `emit` they were started with, which must not block. Raises nothing after
`start`: a sensor that cannot see says so in its `ProtectionStatus`, and the hub makes a signal of it.

Other systems than Linux: every sensor reports UNAVAILABLE ``not-on-this-system``.
"""
