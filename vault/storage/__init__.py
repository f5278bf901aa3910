"""The store: two SQLCipher files, their tables, their audit chain, and the header file beside them.

Rooms: `schema` (tables and triggers, for every engine) · `migrations` · `sqlcipher` (the register: `SqlCipherStore`) · `content` (sealed
chunks: `SqlCipherContentStore`) · `verify` (the independent verifier of the trail) · `header` (the authenticated header file) · `spool`
(reports made while the vault cannot be opened) · `desk_mark` (what a running desk leaves for whoever has no key) · `files` (names).
Behind them: `opening` and `connection` (open sequence and transactions), `mover` (the content file's log), `engine` (its types),
`authorizer`, `failures`, `durable` (a small file, whole or not at all), `statements`, `part` (what each area shares), `trail` and one
module an area of the register (`people` with sessions, `cases`, `custody`, `breaches`).
May import: `vault.domain`, `vault.services.ports`, `vault.errors`, `vault.secret`, SQLAlchemy, Alembic, sqlcipher3; no other room. Runs in
the vault process: the register on the control thread, a content connection on each thread that made one, the mover's on its own thread.
`verify` runs anywhere. Raises `UnavailableError` storage.*, `TamperError` storage.damaged / storage.denied / storage.setting /
storage.chunk-missing / audit.chain-broken, `DefectError` storage.*, and the `RefusedError` of each rule the engine enforces.
"""
