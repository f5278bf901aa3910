"""The platform room: what only the operating system can give.

Holds: the keyring (`secret_service`, `windows_vault`, `macos_keychain`, over `named_keyring`).
May import: the standard library, `keyring`, `secretstorage`, `vault.services`, `vault.domain`, `vault.errors`, `vault.secret`; never
another adapter room.
Runs in: the vault process; each adapter states its thread.
Raises: `UnavailableError` when the system does not have or does not give what is asked; `TamperError` when what it gives is not ours.
"""
