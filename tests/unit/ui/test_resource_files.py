"""The quick reader reads what TOML means."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ui.resource_files import RESOURCES, find_table, read_flat, split_tables


def _flatten(table: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


@pytest.mark.parametrize("name", ["theme/tokens.toml", "strings/en.toml"])
def test_reads_the_same_as_tomllib(name: str) -> None:
    path = RESOURCES / name
    assert read_flat(path) == _flatten(tomllib.loads(path.read_text(encoding="utf-8")))


def test_a_table_found_by_its_name_is_the_one_that_is_cut() -> None:
    path = RESOURCES / "strings" / "en.toml"
    text = "\n" + path.read_text(encoding="utf-8")
    found = {name: find_table(text, name) for name in split_tables(path)}
    assert {name: lines for name, lines in found.items() if lines is not None} == {
        name: lines for name, lines in split_tables(path).items() if f"\n[{name}]\n" in text
    }
    assert found["sign_in"]
    assert find_table(text, "sign") is None
    assert find_table("\n[empty]\n[next]\na = 1", "empty") == ""
    assert find_table("\n[empty]\n[next]\na = 1", "next") == "a = 1"


@pytest.mark.parametrize(
    "line",
    ['a = "one" trailing', "a = 'literal'", 'a = """', "[[array]]", "a = [1, 2]", "a", 'a = "x"\na = "y"', "a = true"],
)
def test_refuses_more_than_it_knows(line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r".+"):
        read_flat(path)


def test_escapes_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[a."b.c"]\nq = "say \\"x\\" # not a comment" # "a comment"\nn = 12 # twelve\nu = "\\u2026"\n', encoding="utf-8")
    assert read_flat(path) == {"a.b.c.q": 'say "x" # not a comment', "a.b.c.n": 12, "a.b.c.u": "…"}
