"""A thief's machine: a copy of the vault's folder, and everything the owner's keyring held, in a keyring of the thief's own.

    packaging/session.sh headless python -m tests.premises_drill.thief VAULT SECRETS

Says "ready", then for every line it reads tries to open the copy through the product's own way and answers with the code of the refusal,
"opens" if there was none.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import secretstorage

from vault import platform as system
from vault.assembly import load_policy, open_vault
from vault.errors import VaultError
from vault.platform.secret_service import open_secret_keeper
from vault.services.page_memory import PageMemory
from vault.threads import InlineThreads


def export_keyring(path: Path) -> int:
    """Write everything this session's keyring holds to a file; give how many entries there were."""
    connection = secretstorage.dbus_init()
    items = [
        (one.get_label(), dict(one.get_attributes()), base64.b64encode(one.get_secret()).decode(), one.get_secret_content_type())
        for one in secretstorage.get_default_collection(connection).get_all_items()
    ]
    connection.close()
    path.write_text(json.dumps(items))
    return len(items)


def keyring_values(exported: Path) -> Path:
    """Write the secrets of an exported keyring beside it, as bytes that can be searched; give the file."""
    bare = exported.with_suffix(".values")
    bare.write_bytes(b"\n".join(base64.b64decode(secret) for _, _, secret, _ in json.loads(exported.read_text())))
    return bare


def import_keyring(path: Path) -> None:
    """Put everything an exported keyring held into this session's."""
    connection = secretstorage.dbus_init()
    mine = secretstorage.get_default_collection(connection)
    for label, attributes, secret, kind in json.loads(path.read_text()):
        mine.create_item(label, attributes, base64.b64decode(secret), replace=True, content_type=kind)
    connection.close()


def _try(directory: Path) -> str:
    pages = PageMemory.create()
    clock, entropy = system.SystemClock(), system.SystemEntropy()
    try:
        vault = open_vault(directory, open_secret_keeper, clock, entropy, load_policy(), InlineThreads(), lambda _event: None, pages)
    except VaultError as refusal:
        return refusal.code
    finally:
        pages.close()
    vault.close()
    return "opens"


def main() -> None:
    """Try as often as asked."""
    directory, secrets = Path(sys.argv[1]), Path(sys.argv[2])
    import_keyring(secrets)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(_try(directory), flush=True)


if __name__ == "__main__":
    main()
