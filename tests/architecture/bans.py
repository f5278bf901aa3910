"""Dangerous calls and the safe door of each: read by test_bans.py.

Rules of this module:

- A ban names what must not be written, where it may stand after all, and the door to use instead.
- Code is read as a syntax tree with import aliases resolved, so `from pickle import loads as l` is seen. Text and comments are not code.
- LIMIT: a name built at run time (getattr, a string import) is not seen; reviewers look for those.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_WRITING_MODES = frozenset("wax+")


@dataclass(frozen=True, slots=True)
class Use:
    """One place where something is imported, called or named."""

    name: str  # dotted, aliases resolved: "pickle.loads"; a method of an unknown object is ".name"
    node: ast.AST
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Ban:
    """What must not be written outside `allowed`, and the door to use instead."""

    title: str
    door: str
    forbids: Callable[[Use], bool]
    rooms: tuple[str, ...] = ("vault", "ui")
    allowed: tuple[str, ...] = ()

    def covers(self, place: str) -> bool:
        """Tell whether the ban holds in the module `place`, a path such as "vault/domain/access.py"."""
        held = any(place == room or place.startswith(room.rstrip("/") + "/") for room in self.rooms)
        return held and not any(place == door or place.startswith(door.rstrip("/") + "/") for door in self.allowed)


def _aliases(tree: ast.AST) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, aliases)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{_dotted(node.func, aliases)}()"
    return ""


def uses(tree: ast.AST) -> Iterator[Use]:
    """Give every import, name and call of a module."""
    aliases = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Use(alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (Use(f"{node.module}.{alias.name}", node) for alias in node.names)
        elif isinstance(node, ast.Call):
            yield Use(_dotted(node.func, aliases), node, is_call=True)
        elif isinstance(node, ast.Attribute | ast.Name):
            yield Use(_dotted(node, aliases), node)


def _module(*modules: str) -> Callable[[Use], bool]:
    return lambda use: any(use.name == module or use.name.startswith(module + ".") for module in modules)


def _named(*names: str) -> Callable[[Use], bool]:
    return lambda use: use.name in names


def _call(*names: str) -> Callable[[Use], bool]:
    return lambda use: use.is_call and use.name in names


def _last(*names: str) -> Callable[[Use], bool]:
    return lambda use: use.name.rsplit(".", 1)[-1] in names


def _fills_a_clipboard(use: Use) -> bool:
    owner, _, last = use.name.rpartition(".")
    return "clipboard" in owner.lower() and last in {"setText", "setMimeData", "setImage", "setPixmap"}


def _shell(use: Use) -> bool:
    if not isinstance(use.node, ast.Call):
        return use.name in {"os.system", "os.popen"}
    return any(keyword.arg == "shell" and not _is_false(keyword.value) for keyword in use.node.keywords)


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _writes_a_file(use: Use) -> bool:
    call = use.node
    if not isinstance(call, ast.Call):
        return False
    last = use.name.rsplit(".", 1)[-1]
    if last in {"write_text", "write_bytes"}:
        return True
    if last not in {"open", "fdopen"} or use.name == "os.open":
        return False
    mode_place = 0 if "." in use.name and use.name not in {"io.open", "os.fdopen", "builtins.open"} else 1
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[mode_place : mode_place + 1]
    if not modes:
        return False
    mode = modes[0]
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(_WRITING_MODES & set(mode.value))


BANS = (
    Ban(
        "ambient keyring",
        "the one named backend class of the workstation keyring: ambient configuration runs foreign code",
        _named(*(f"keyring.{name}" for name in ("get_password", "set_password", "delete_password", "get_keyring", "set_keyring"))),
    ),
    Ban("pickle", "msgspec messages of frozen dataclasses", _module("pickle", "_pickle", "cPickle", "dill", "marshal", "shelve")),
    Ban("code from text", "a function", _call("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec")),
    Ban("shell", "subprocess.run with a list of arguments", _shell),
    Ban("temporary file", "memory (memfd, shared memory): plaintext never lies on disk", _module("tempfile"), rooms=("vault",)),
    Ban("stdlib sqlite3", "sqlcipher3 behind the Store", _module("sqlite3")),
    Ban("random", "secrets: what need not be secret today is copied into what must be tomorrow", _module("random")),
    Ban("sleep", "a condition, an event or a timer", _named("time.sleep")),
    Ban(
        "wall clock",
        "the clock port, UTC microseconds",
        _named(*(f"datetime.{name}" for name in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today"))),
    ),
    Ban("print", "the log, or the terminal of vault/commands", _call("print"), allowed=("vault/commands.py", "vault/commands")),
    Ban(
        "AES-GCM outside crypto",
        "vault.crypto.sealing, which argues why no nonce repeats",
        _last("AESGCM", "ChaCha20Poly1305", "AESGCMSIV", "Cipher"),
        allowed=("vault/crypto",),
    ),
    Ban(
        "network client",
        "the alerts room, and `vault.crypto.tang` for the premises; everything else stays on this machine",
        _module("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "ftplib", "smtplib", "xmlrpc", "telnetlib"),
        allowed=("vault/alerts", "vault/crypto/tang.py"),
    ),
    Ban(
        "file written",
        "the Store, the header and the sealed spool are the only writers of the vault",
        _writes_a_file,
        allowed=("vault/storage", "vault/commands.py", "vault/commands"),
    ),
    Ban(
        "stock text widget",
        "ui.widgets.painted_text: stock text widgets are readable from outside",
        _last("QTextEdit", "QTextBrowser", "QPlainTextEdit", "QTextDocument", "QWebEngineView"),
        rooms=("ui",),
        allowed=("ui/widgets/text_field.py",),  # what a person is typing just now: a reason, a note, an account
    ),
    Ban(
        "save dialog",
        "nothing: there is no export",
        _last("getSaveFileName", "getSaveFileUrl", "saveFileContent", "AcceptSave", "QPrinter", "QPrintDialog", "QPdfWriter"),
        rooms=("ui",),
    ),
    Ban("desktop services", "nothing: no page leaves through another program", _last("QDesktopServices"), rooms=("ui",)),
    Ban(
        "clipboard filled",
        "nothing: the guard empties the clipboard, nobody fills it",
        _fills_a_clipboard,
        rooms=("ui",),
    ),
    Ban("drag started", "nothing: pages are not dragged out", _last("QDrag"), rooms=("ui",)),
    Ban("stock menu of a text field", "the kit's fields, which have no menu", _last("createStandardContextMenu"), rooms=("ui",)),
    Ban(
        "Qt module with a way out",
        "QtCore, QtGui, QtWidgets, QtSvg: documents, pages and the network are not the interface's affair",
        _module(*(f"PySide6.{name}" for name in ("QtNetwork", "QtPrintSupport", "QtPdf", "QtWebEngineWidgets", "QtSql", "QtQml"))),
        rooms=("ui",),
    ),
    Ban(
        "native call",
        "vault.platform, and the rooms that must talk to the kernel or to PDFium",
        _module("ctypes", "_ctypes", "cffi"),
        allowed=("vault/platform", "vault/rendition", "vault/storage", "vault/sensors"),
    ),
)


def broken_bans(source: str, place: str) -> list[str]:
    """Say, one line each, which bans the module `place` with text `source` breaks."""
    seen = [use for use in uses(ast.parse(source)) if use.name]
    found: set[tuple[int, str]] = set()
    for ban in BANS:
        if not ban.covers(place):
            continue
        for use in seen:
            if ban.forbids(use):
                found.add((getattr(use.node, "lineno", 0), f"{ban.title} ({use.name}); the door is: {ban.door}"))
    return [f"{place}:{line}: {words}" for line, words in sorted(found)]


def broken_in(folder: Path) -> list[str]:
    """Read every module of `vault` and `ui` under `folder`."""
    found: list[str] = []
    for room in ("vault", "ui"):
        for path in sorted((folder / room).rglob("*.py")):
            found += broken_bans(path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix())
    return found
