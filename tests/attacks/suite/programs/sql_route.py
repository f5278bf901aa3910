"""Tries every SQL way out of the register on the product's own connection, with the workstation's own keys: sql_route.py VAULT OUT.

Prints {statement: "refused" | "done"} as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sqlcipher3 import dbapi2 as engine

from vault import platform as system
from vault.assembly import load_policy, open_vault
from vault.platform.secret_service import open_secret_keeper
from vault.services.page_memory import PageMemory
from vault.threads import InlineThreads

_ROUTES = (
    "ATTACH '{out}/a.db' AS thief KEY ''",
    "SELECT sqlcipher_export('main', 'main')",
    "VACUUM INTO '{out}/b.db'",
    "PRAGMA rekey = ''",
    "PRAGMA cipher_profile = '{out}/c.log'",
    "PRAGMA temp_store_directory = '{out}'",
    "SELECT load_extension('{out}/d.so')",
    "CREATE TEMP TABLE copy AS SELECT * FROM audit",
    "CREATE TRIGGER spy AFTER INSERT ON audit BEGIN SELECT 1; END",
)


def main() -> None:
    """Open, try, say."""
    directory, out = Path(sys.argv[1]), sys.argv[2]
    pages = PageMemory.create()
    clock, entropy = system.SystemClock(), system.SystemEntropy()
    vault = open_vault(directory, open_secret_keeper, clock, entropy, load_policy(), InlineThreads(), lambda _event: None, pages)
    said: dict[str, str] = {}
    try:
        raw = vault.store._db._raw
        for route in _ROUTES:
            try:
                raw.execute(route.format(out=out)).fetchall()
                said[route] = "done"
            except engine.Error:
                said[route] = "refused"
        try:
            target = engine.connect(f"{out}/e.db")
            raw.backup(target)
            said["backup"] = "done"
        except engine.Error:
            said["backup"] = "refused"
            target.close()
            if (made := Path(out) / "e.db").stat().st_size == 0:
                made.unlink()
    finally:
        vault.close()
        pages.close()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
