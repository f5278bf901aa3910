"""The keyring of Windows: Credential Manager, through ``keyring.backends.Windows.WinVaultKeyring`` by name.

Not verified on Windows: unit-tested at the call boundary only. Values stay below the 2,560 bytes a credential may hold (a 32-byte
key is 44 characters). LIMIT: the default persistence of the backend lets a credential roam with a domain profile.
"""

from __future__ import annotations

from keyring.backends.Windows import WinVaultKeyring

from vault.platform.named_keyring import NamedKeyringKeeper, without_environment


class WindowsVaultKeeper(NamedKeyringKeeper[WinVaultKeyring]):
    """Credential Manager as a `SecretKeeper`. Thread: one at a time."""

    _NAME = "Windows Credential Manager"

    def __init__(self, vault_label: str) -> None:
        super().__init__(without_environment(WinVaultKeyring)(), vault_label)
