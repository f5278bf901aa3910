"""Where the interface's own files lie, and the quick reader of the two that are needed before the first paint.

Rules of this module:

- `tokens.toml` and `en.toml` are TOML, restricted to tables and one-line keys whose value is a basic string or an integer. A test reads
  both with `tomllib` and finds the same; reading them so takes 1 ms, importing and running `tomllib` 15-30 ms of a start-up of 125.
- `split_tables` lets `strings` read only the tables that are asked for; `find_table` does not even cut the others.
- Nothing is cached here and nothing is written.
"""

from __future__ import annotations

from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def read_flat(path: Path) -> dict[str, str | int]:
    """Read a restricted TOML file into one table of dotted keys.

    Args:
        path: a file of ours; UTF-8, as the rules above say.
    Returns:
        ``table.key`` to its string or integer, in file order.
    Raises:
        ValueError: the file uses more of TOML than this reader knows, or names a key or table twice; the message says where.
    """
    found: dict[str, str | int] = {}
    for table, body in split_tables(path).items():
        found |= read_table(table, body)
    return found


def split_tables(path: Path) -> dict[str, str]:
    """Cut a file into its tables, unread: name to lines. What stands before the first header has the empty name.

    Raises:
        ValueError: as `read_flat`.
    """
    found: dict[str, str] = {}
    for number, part in enumerate(("\n" + path.read_text(encoding="utf-8")).split("\n[")):
        header, _, body = part.partition("\n") if number else ("]", "", part)
        name, bracket, rest = header.partition("]")
        name = name.replace('"', "")
        if not bracket or rest.strip() or name.startswith("[") or name in found:
            raise ValueError(f"{path.name}: not a plain table header of its own: [{header}")
        found[name] = body
    return found


def find_table(text: str, name: str) -> str | None:
    """Cut one table out of a file's text, and look at nothing else of it.

    Args:
        text: of a file of ours, with a newline before it.
        name: of a table whose header has no quotes.
    Returns:
        the lines that `split_tables` gives for it; None when no header is written so.
    """
    header = f"\n[{name}]\n"
    at = text.find(header)
    if at < 0:
        return None
    begin = at + len(header)
    end = text.find("\n[", begin - 1)
    return text[begin:] if end < 0 else text[begin : max(begin, end)]


def read_table(name: str, body: str) -> dict[str, str | int]:
    """Read one table that `split_tables` cut out, into dotted keys."""
    found: dict[str, str | int] = {}
    prefix = f"{name}." if name else ""
    for raw in body.split("\n"):
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        key, separator, value = line.partition(" = ")
        dotted = prefix + key
        if not separator or dotted in found:
            raise ValueError(f"[{name}] {key}: not a key of its own")
        found[dotted] = _value(value, dotted)
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
    if "\\" not in body:
        return body
    import json  # noqa: PLC0415 -- few strings have escapes; TOML's in use are JSON's

    return str(json.loads(f'"{body}"'))
