"""The keyring of macOS: the login keychain, through ``keyring.backends.macOS.Keyring`` by name.

Not verified on macOS: unit-tested at the call boundary only. The backend would take a keychain from ``KEYCHAIN_PATH``; that is off.
"""

from __future__ import annotations

from keyring.backends.macOS import Keyring

from vault.platform.named_keyring import NamedKeyringKeeper, without_environment


class MacKeychainKeeper(NamedKeyringKeeper[Keyring]):
    """The login keychain as a `SecretKeeper`. Thread: one at a time."""

    _NAME = "macOS Keychain"

    def __init__(self, vault_label: str) -> None:
        backend = without_environment(Keyring)()
        backend.keychain = None
        super().__init__(backend, vault_label)
