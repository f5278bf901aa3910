"""V36-V49: the application's processes, what they are started with, and who presses the keys."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.attacks.suite.rig import PROGRAMS, Rig, wait_until
from tests.journeys.desk_driver import children_of
from vault.domain.breach import SignalKind

_HOSTILE = SignalKind.HOSTILE_ENVIRONMENT
_FOREIGN = SignalKind.FOREIGN_LIBRARY


def _spy_library(rig: Rig, name: str = "spy.so") -> tuple[Path, Path]:
    """A library whose constructor writes down which process loaded it: (library, what it writes)."""
    folder = rig.home / "spies"
    folder.mkdir(exist_ok=True)
    library, log = folder / name, folder / f"{name}.log"
    log.unlink(missing_ok=True)
    if not library.exists():
        subprocess.run(["gcc", "-shared", "-fPIC", f'-DLOG="{log}"', "-o", library, PROGRAMS / "spy.c"], check=True)
    return library, log


def _try_start(rig: Rig, vector: str, name: str, *kinds: SignalKind, log: Path | None = None, **environment: str) -> None:
    """Start the desk with variables, as far as the sign-in page, and look whether the spy got in."""
    with rig.act(vector, name, *kinds, seconds=30.0) as act:
        desk = rig.start_desk(**environment)
        wait_until(lambda: desk.process.poll() is not None or rig.shown("sign_in_badge"), 60.0)
        if desk.process.poll() is None:
            wait_until(lambda: bool(children_of(desk.process.pid)), 10.0)
            rig.rest()
        if log is not None:
            loaded = log.read_text().split("\n") if log.exists() else []
            act.check(not any(loaded), f"the attacker's code did not run in the desk {[one for one in loaded if one][:3]}")
        maps = "".join(_maps(pid) for pid in (desk.process.pid, *children_of(desk.process.pid)))
        act.check("spies/" not in maps, "none of its processes has the attacker's library")
    rig.end_desk()


def input_method(rig: Rig) -> None:
    """V13: an input method of the attacker's own sees what is typed and asked for."""
    library, log = _spy_library(rig)
    plugins = rig.home / "spies" / "platforminputcontexts"
    plugins.mkdir(exist_ok=True)
    shutil.copy(library, plugins / "libspyplugin.so")
    _try_start(rig, "V13", "QT_IM_MODULE and a plugin", _HOSTILE, log=log, QT_IM_MODULE="spy", QT_PLUGIN_PATH=str(rig.home / "spies"))


def interpreter(rig: Rig) -> None:
    """V17: variables that turn Python into a console or run a start-up file."""
    log = rig.home / "spies" / "python.log"
    log.parent.mkdir(exist_ok=True)
    evil = rig.home / "spies" / "startup.py"
    evil.write_text(f"open({str(log)!r}, 'a').write('startup ran\\n')\n")
    _try_start(
        *(rig, "V17", "PYTHONINSPECT, PYTHONSTARTUP, PYTHONBREAKPOINT", _HOSTILE),
        log=log,
        PYTHONINSPECT="1",
        PYTHONSTARTUP=str(evil),
        PYTHONBREAKPOINT="startup.run",
    )


def debuggers(rig: Rig) -> None:
    """V36: gdb, strace, gcore and /proc/PID/mem."""
    rig.page()
    out = rig.home / "dump"
    for role, pid in (("interface", rig.desk.process.pid), ("vault", rig.desk.vault_pid())):
        for name, command in (
            ("gdb", ("gdb", "-p", str(pid), "-batch", "-ex", "info registers")),
            ("gcore", ("gcore", "-o", out, str(pid))),
            ("strace", ("timeout", "2", "strace", "-p", str(pid), "-o", f"{out}.strace")),
            ("/proc/PID/mem", ("dd", f"if=/proc/{pid}/mem", f"of={out}.mem", "bs=4096", "skip=1024", "count=1")),
        ):
            with rig.act("V36", f"{name} on the {role} process") as act:
                done = rig.run(*command)
                got = list(rig.home.glob("dump.[0-9]*")) or (name == "gdb" and b"rip" in done.stdout)
                act.check(not got and (done.returncode != 0 or name == "gdb"), "refused")


def crash_dump(rig: Rig) -> None:
    """V38: make every process dump its memory."""
    rig.page()
    with rig.act("V38", "kill -SEGV every process") as act:
        before = _cores(rig)
        for pid in (*children_of(rig.desk.process.pid), rig.desk.process.pid):
            limits = Path(f"/proc/{pid}/limits").read_text()
            line = next(one for one in limits.splitlines() if one.startswith("Max core file size"))
            act.check(line.split()[4:6] == ["0", "0"], "no core is allowed")
            os.kill(pid, signal.SIGSEGV)
        rig.desk.process.wait(20)
        act.check(not _cores(rig) - before, "there is no core file")
    rig.end_desk()


def preload(rig: Rig) -> None:
    """V42: a library before ours."""
    library, log = _spy_library(rig, "preload.so")
    for name in ("LD_PRELOAD", "LD_AUDIT"):
        _try_start(rig, "V42", name, _HOSTILE, _FOREIGN, log=None, **{name: str(library)})
    del log


def python_paths(rig: Rig) -> None:
    """V43: modules of the attacker's own before ours."""
    folder, log = rig.home / "spies" / "modules", rig.home / "spies" / "modules.log"
    folder.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    for name in ("sitecustomize", "usercustomize", "msgspec"):
        (folder / f"{name}.py").write_text(f"import os; open({str(log)!r}, 'a').write(f'{name} in {{os.getpid()}}\\n')\n")
    _try_start(rig, "V43", "PYTHONPATH with sitecustomize", _HOSTILE, PYTHONPATH=str(folder))


def qt_plugins(rig: Rig) -> None:
    """V44: plugins, styles and themes of the attacker's own."""
    library, log = _spy_library(rig, "plugin.so")
    for kind in ("platforms", "generic", "styles", "platformthemes"):
        (rig.home / "spies" / kind).mkdir(exist_ok=True)
        shutil.copy(library, rig.home / "spies" / kind / "libqspy.so")
    _try_start(
        *(rig, "V44", "QT_PLUGIN_PATH and its kin", _HOSTILE),
        log=log,
        QT_PLUGIN_PATH=str(rig.home / "spies"),
        QT_QPA_PLATFORM_PLUGIN_PATH=str(rig.home / "spies" / "platforms"),
        QT_QPA_GENERIC_PLUGINS="spy",
        QT_QPA_PLATFORMTHEME="spy",
        QT_STYLE_OVERRIDE="spy",
    )


def libraries_told(rig: Rig) -> None:
    """V45: variables that make libraries write, load or go elsewhere."""
    out = rig.home / "spies"
    out.mkdir(exist_ok=True)
    library, log = _spy_library(rig, "engine.so")
    (out / "openssl.cnf").write_text(
        "openssl_conf = a\n[a]\nproviders = b\n[b]\nspy = c\n[c]\nmodule = " + str(library) + "\nactivate = 1\n", encoding="ascii"
    )
    _try_start(
        *(rig, "V45", "OPENSSL_CONF, SSLKEYLOGFILE, SQLITE_TMPDIR, QT_LOGGING_RULES", _HOSTILE),
        log=log,
        OPENSSL_CONF=str(out / "openssl.cnf"),
        SSLKEYLOGFILE=str(out / "tls-keys"),
        SQLITE_TMPDIR=str(out),
        QT_LOGGING_RULES="*.debug=true",
        https_proxy="http://127.0.0.1:9",
    )


def keyring_configuration(rig: Rig) -> None:
    """V46: a keyring of the attacker's own, named by a configuration file and by a variable."""
    log = rig.home / "spies" / "keyring.log"
    folder = rig.home / ".config" / "python_keyring"
    folder.mkdir(parents=True, exist_ok=True)
    modules = rig.home / "spies" / "backends"
    modules.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    (modules / "thief.py").write_text(f"open({str(log)!r}, 'a').write('loaded\\n')\n")
    (folder / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring=thief.Keyring\nkeyring-path={modules}\n")
    try:
        _try_start(rig, "V46", "keyringrc.cfg", _HOSTILE, log=log, PYTHON_KEYRING_BACKEND="thief.Keyring")
    finally:
        shutil.rmtree(folder)


def _maps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


def _cores(rig: Rig) -> set[Path]:
    places = (rig.home, Path("/"), Path.cwd(), rig.station.directory)
    return {path for place in places for path in place.glob("core*") if path.is_file()}
