"""Every word the interface asks for exists, and every word that exists is asked for.

A key is asked for by name, or by a pattern: an f-string with a fixed beginning (``f"custody.purpose.{purpose.value}"``) or a fixed end
behind a name that stands elsewhere (``f"{self._words}.title"``). Words of errors are asked for by the codes the vault raises.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from ui import strings
from ui.resource_files import RESOURCES, read_flat
from vault.storage import failures

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = frozenset(read_flat(RESOURCES / "strings" / "en.toml"))
ERROR_PARTS = ("title", "sentence", "next")
KINDS = frozenset({"RefusedError", "UnavailableError", "TamperError"})
CODE = re.compile(r"[a-z][a-z-]*\.[a-z][a-z-]*")
# Codes that only another form of the file can say: never raised by name.
UNRAISED_ERRORS: frozenset[str] = frozenset()


def _sources(room: str) -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py") if path.name != "gallery.py")


def _speakers() -> list[Path]:
    """Who says words: the interface, and the command line of the vault."""
    return [*_sources("ui"), *sorted((ROOT / "vault").glob("commands*.py"))]


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_text_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr == "text" and isinstance(function.value, ast.Name) and function.value.id == "strings"
    return isinstance(function, ast.Name) and function.id == "text"


def _literal_keys() -> list[tuple[str, str]]:
    """Keys asked for by name: (where, key)."""
    found = []
    for path in _sources("ui"):
        for node in ast.walk(_tree(path)):
            if _is_text_call(node) and isinstance(node, ast.Call) and node.args:
                first = node.args[0]
                for option in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                    if isinstance(option, ast.Constant):
                        found.append((f"{path.relative_to(ROOT)}:{node.lineno}", str(option.value)))
    return found


def _constants_and_patterns() -> tuple[set[str], list[re.Pattern[str]], set[str]]:
    """Every string constant of who speaks, every f-string with a dotted beginning as a pattern, every fixed end of those without one."""
    constants: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    ends: set[str] = set()
    for path in _speakers():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
                if path.parent.name == "vault":
                    constants.add(f"commands.{node.value}")  # the command line reads its own table, by the keys within it
            elif isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
                first, last = parts[0], parts[-1]
                if first is not None and re.match(r"[a-z_]+\.", first):
                    patterns.append(re.compile("".join(".+" if part is None else re.escape(part) for part in parts)))
                elif first is not None and path.parent.name == "vault" and re.fullmatch(r"[a-z_]+", first):
                    patterns.append(re.compile(r"commands\." + "".join(".+" if part is None else re.escape(part) for part in parts)))
                elif first is None and last is not None and last.startswith((".", "_")):
                    ends.add(last)
    return constants, patterns, ends


def _raised_codes() -> set[str]:
    """Every code the rooms raise: literal arguments of the four kinds, and what the engine's refusals become."""
    found = {*failures._RULES, *failures._UNIQUE.values(), *failures._WORLD.values()}
    for path in _sources("vault"):
        source = path.read_text(encoding="utf-8")
        if not any(kind in source for kind in KINDS):
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in KINDS and node.args:
                found |= {c.value for c in ast.walk(node.args[0]) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    return {code for code in found if CODE.fullmatch(code)}


def _mentioned_codes() -> set[str]:
    """Everything that could become a code: tables and functions that choose one count as asking for its words."""
    return {
        node.value
        for path in (*_sources("vault"), *_sources("ui"))
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def test_every_key_asked_for_by_name_exists() -> None:
    missing = [f"{where}: {key}" for where, key in _literal_keys() if not strings.has_text(key)]
    assert not missing, "\n" + "\n".join(missing)


def test_every_key_is_asked_for() -> None:
    constants, patterns, ends = _constants_and_patterns()
    any_pattern = re.compile("|".join(pattern.pattern for pattern in patterns))

    def named(key: str) -> bool:
        return key in constants or any_pattern.fullmatch(key) is not None

    def asked(key: str) -> bool:
        names = {key, re.sub(r"\.(one|other)$", "", key)}
        return any(named(name) or any(name.endswith(end) and named(name.removesuffix(end)) for end in ends) for name in names)

    idle = [key for key in sorted(KEYS) if not key.startswith("errors.") and not asked(key)]
    assert not idle, "\n" + "\n".join(idle)


def test_every_pattern_finds_something() -> None:
    _constants, patterns, _ends = _constants_and_patterns()
    sections = {key.partition(".")[0] for key in KEYS}
    bases = {re.sub(r"\.(one|other)$", "", key) for key in KEYS} | KEYS
    # A pattern may also be the fixed beginning of keys: f"custody.{act}_sheet" and then f"{words}.title".
    stems = {key.rpartition(".")[0] for key in bases}
    blind = [p.pattern for p in patterns if p.pattern.split("\\.")[0] in sections and not any(map(p.fullmatch, bases | stems))]
    assert not blind, blind


def test_every_error_has_its_three_lines() -> None:
    missing = [
        f'[errors."{code}"] {part}' for code in sorted(_raised_codes()) for part in ERROR_PARTS if f"errors.{code}.{part}" not in KEYS
    ]
    assert not missing, "\n" + "\n".join(missing)


def test_no_code_is_put_together() -> None:
    """A code that stands nowhere whole is missed above, and whoever meets it is shown an incident."""
    built = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (*_sources("vault"), *_sources("ui"))
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS and any(isinstance(one, ast.JoinedStr) for one in node.args)
    ]
    assert not built, built


def test_every_error_that_has_lines_is_raised() -> None:
    told = {key.removeprefix("errors.").rpartition(".")[0] for key in KEYS if key.startswith("errors.")}
    idle = told - _mentioned_codes() - UNRAISED_ERRORS
    assert not idle, sorted(idle)


BANNED = [
    (re.compile(r"\b[Pp]lease\b"), "no please"),
    (re.compile(r"\b[Oo]ops\b"), "no oops"),
    (re.compile(r"!"), "no exclamation marks"),
    (re.compile(r"\b(violation|suspect|offender|perpetrator)s?\b", re.I), "flag and report until a supervisor decides"),
    (
        re.compile(r"tamper-?proof|screenshot-?proof|cannot be copied|100 ?%", re.I),
        "say blocked, noticed within, cannot be seen by software",
    ),
    (re.compile(r"\b(click here|successfully|invalid)\b", re.I), "say what happened"),
]


@pytest.mark.parametrize(("word", "why"), BANNED, ids=[why for _word, why in BANNED])
def test_the_house_words(word: re.Pattern[str], why: str) -> None:
    table = read_flat(RESOURCES / "strings" / "en.toml")
    found = [f"{key}: {sentence}" for key, sentence in table.items() if word.search(str(sentence))]
    assert not found, why + "\n" + "\n".join(found)


def test_messages_are_sentences() -> None:
    """What happened, why, what to do: each begins like a sentence."""
    table = read_flat(RESOURCES / "strings" / "en.toml")
    wrong = [
        f"{key}: {sentence}"
        for key, sentence in table.items()
        if key.startswith(("errors.", "incident.")) and not re.match(r"[A-Z0-9{“]", str(sentence))
    ]
    assert not wrong, "\n" + "\n".join(wrong)
