"""What the files of a vault's folder are called; the header's name is `header.HEADER_NAME`."""

from typing import Final

REGISTER_NAME: Final = "register.db"
CONTENT_NAME: Final = "content.db"
LOCK_NAME: Final = "vault.lock"  # held by whoever has the vault open
