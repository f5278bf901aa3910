"""Where the interface's own files lie, and the quick reader of the two that are needed before the first paint.

Rules of this module:

- `tokens.toml` and `en.toml` are TOML, restricted to tables and one-line keys whose value is a basic string or an integer. A test reads
  both with `tomllib` and finds the same; reading them so takes 1 ms, importing and running `tomllib` 15-30 ms of a start-up of 125.
- Nothing is cached here and nothing is written.
"""

from __future__ import annotations

import json
from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def read_flat(path: Path) -> dict[str, str | int]:
    """Read a restricted TOML file into one table of dotted keys.

    Args:
        path: a file of ours; UTF-8, as the rules above say.
    Returns:
        ``table.key`` to its string or integer, in file order.
    Raises:
        ValueError: the file uses more of TOML than this reader knows, or names a key twice; the message has the line number.
    """
    found: dict[str, str | int] = {}
    prefix = ""
    for line_no, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        if line[0] == "[":
            if not line.endswith("]") or line.startswith("[["):
                raise ValueError(f"{path.name}:{line_no}: not a plain table header")
            prefix = line[1:-1].replace('"', "") + "."
            continue
        key, separator, value = line.partition(" = ")
        dotted = prefix + key
        if not separator or dotted in found:
            raise ValueError(f"{path.name}:{line_no}: not a key of its own")
        found[dotted] = _value(value, f"{path.name}:{line_no}")
    return found


def _value(value: str, place: str) -> str | int:
    if value[0] != '"':
        return int(value.partition("#")[0])
    end = value.find('"', 1)
    while end > 0 and value[end - 1] == "\\":  # an escaped quote; a string of ours never ends in a backslash
        end = value.find('"', end + 1)
    tail = value[end + 1 :].strip()
    if end < 0 or (tail and tail[0] != "#"):
        raise ValueError(f"{place}: not a one-line string")
    body = value[1:end]
    # TOML's basic-string escapes in use are JSON's.
    return str(json.loads(f'"{body}"')) if "\\" in body else body
