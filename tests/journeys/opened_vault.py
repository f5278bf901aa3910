"""A vault opened through the product's services once the desk has let it go, with the session's own keyring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vault import platform as system
from vault.assembly import Vault, load_policy, open_vault
from vault.platform.secret_service import open_secret_keeper
from vault.services.page_memory import PageMemory
from vault.threads import InlineThreads


@contextmanager
def signed_in(directory: Path, badge_no: str, passphrase: str, code: Callable[[], str]) -> Iterator[Vault]:
    """Open, sign in, and sign out and witness again if nothing went wrong; close in any case. No desk may have the vault.

    `code` is asked once the vault is open: it is good for a minute.
    """
    pages = PageMemory.create()
    clock, entropy = system.SystemClock(), system.SystemEntropy()
    vault = open_vault(directory, open_secret_keeper, clock, entropy, load_policy(), InlineThreads(), lambda _event: None, pages)
    try:
        vault.session.sign_in(badge_no, passphrase, code())
        yield vault
        vault.session.sign_out()
        vault.witness.seal_now()
    finally:
        vault.close()
        pages.close()
