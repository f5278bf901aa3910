"""The crypto room: every key, seal, slot and signature of the vault.

Holds: `sealing` (AES-256-GCM records and document chunks, key derivation) · `keypairs` (hybrid HPKE and Ed25519) · `slots` (what opens
a person's and a workstation's keys) · `tang` (the exchange with a key server) · `premises` (a workstation bound to key servers) ·
`place_file` (what a front keeps of a vault) · `directory` (public keys vouched for by two people) · `second_factor` (TOTP) ·
`passphrase` (the passphrase rule) · `selftest` (known answers, run at start) · `locksmith` (all of it, as the services ask for it).
May import: the standard library, `cryptography`, `Crypto` (in `tang` alone), `pyotp`, `segno`, `vault.services`, `vault.domain`,
`vault.errors`, `vault.secret`; never another adapter room.
Runs in: the vault process; functions are pure apart from entropy (`tang` speaks to the network) and may be called from any thread,
except a `ChunkCipher`, which belongs to one thread. Argon2id and the chunk ciphers release Python's lock.
Raises: `TamperError` when something sealed or signed is not authentic, `RefusedError` when a person is not recognised,
`UnavailableError` when this is not the workstation a slot was made for or the premises do not answer, `DefectError` when a caller breaks
a rule.
LIMIT: Python cannot wipe what libraries copied; a lock ends the process that held the keys.
"""
