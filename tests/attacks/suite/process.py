"""V13, V17, V36-V49: the processes, what they are started with, and who presses the keys, by an officer of an installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.attacks.suite.installed import EVIL_INPUT, Officer, set_traps, take_configuration_away
from tests.attacks.suite.rig import PROGRAMS, Rig, stopped, wait_until
from tests.attacks.test_launcher import RACE
from tests.attacks.test_session_bus import FALSE_SERVICE, bus
from tests.journeys.desk_driver import children_of
from tests.journeys.shift import CUSTODIAN
from vault.domain.breach import SignalKind

STARTS = 30  # of the race; 150 in tests/attacks/test_launcher.py
_PYTHON = "/usr/bin/python3"
_IMPORT = "import sys; sys.path.insert(0, sys.argv.pop(1)); "
_QT = f"{_IMPORT}from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
_KEYRING = f"{_IMPORT}import keyring; keyring.get_keyring()"
# Any program may look at this one, whatever the system says of those that are not its parents (prctl(2): PR_SET_PTRACER).
_ORDINARY = "import ctypes, time; ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1)); print('up', flush=True); time.sleep(600)"
_RACE_CONTROL_STARTS = 3
_HOSTILE = SignalKind.HOSTILE_ENVIRONMENT


def start_attacks(officer: Officer) -> None:
    """V13, V17, V42-V46: what the desk is started with. Each springs in a program of the officer's, and is named in a report."""
    set_traps(officer)
    trap, packages = str(officer.trap), str(officer.installed.prefix / "app" / "packages")
    qt, ssl = (_PYTHON, "-c", _QT, packages), (_PYTHON, "-c", "import ssl; ssl.create_default_context()")
    keyrings = (_PYTHON, "-c", _KEYRING, packages)
    with_module = (_PYTHON, "-c", f"import sys; sys.path.append(sys.argv.pop()); {_KEYRING}", packages, trap)
    console = ("sh", "-c", f"echo 0 | {_PYTHON} -i")
    for vector, name, victim, variables in (
        ("V46", "keyringrc.cfg", keyrings, {}),
        ("V46", "PYTHON_KEYRING_BACKEND", with_module, {"PYTHON_KEYRING_BACKEND": "evil.Keyring"}),
        ("V13", "QT_IM_MODULE and a plugin", qt, {"QT_IM_MODULE": EVIL_INPUT, "QT_PLUGIN_PATH": f"{trap}/input"}),
        ("V17", "PYTHONINSPECT, PYTHONSTARTUP", console, {"PYTHONINSPECT": "1", "PYTHONSTARTUP": f"{trap}/evil.py"}),
        ("V42", "LD_PRELOAD, LD_AUDIT", ("/bin/true",), {"LD_PRELOAD": f"{trap}/evil.so", "LD_AUDIT": f"{trap}/evil.so"}),
        ("V43", "PYTHONPATH", (_PYTHON, "-c", "0"), {"PYTHONPATH": trap, "PYTHONUSERBASE": trap}),
        (
            *("V44", "Qt plugins, platform, style", qt),
            {"QT_PLUGIN_PATH": trap, "QT_QPA_PLATFORM_PLUGIN_PATH": f"{trap}/platforms", "QT_STYLE_OVERRIDE": "evil"},
        ),
        (
            *("V45", "OPENSSL_CONF, SSLKEYLOGFILE, SQLITE_TMPDIR", ssl),
            {"OPENSSL_CONF": f"{trap}/openssl.cnf", "SSLKEYLOGFILE": f"{trap}/tls", "SQLITE_TMPDIR": trap, "QT_LOGGING_RULES": "*=true"},
        ),
    ):
        springs = officer.springs(lambda victim=victim, more=variables: officer.run(*victim, **more))
        # The loader takes its own variables away under the launcher before anybody can name them: ignored, and so not reported.
        kinds = () if vector == "V42" else (_HOSTILE,)
        # keyringrc.cfg lies there until its own rows are done: a report of something else does not answer for a row.
        names = "*".join(["", *sorted(variables), *(["keyringrc.cfg"] if vector == "V46" else []), ""])
        with officer.act(vector, name, *kinds, **({"names": names} if kinds else {})) as act:
            act.check(springs, "the trap catches others")
            act.check(not officer.springs(lambda more=variables: officer.start(**more)), "none of the attacker's code runs in the desk")
            assert officer.desk is not None
            pids = (officer.desk.process.pid, *children_of(officer.desk.process.pid))
            maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in pids)
            act.check(str(officer.installed.home) not in maps, "no process has a library of the officer's")
            officer.end()
        if name == "PYTHON_KEYRING_BACKEND":
            take_configuration_away(officer)


def process_attacks(officer: Officer) -> None:
    """V36-V38: debuggers, the race at the start, cores."""
    desk = officer.start()
    home = officer.installed.home
    ordinary = officer.begin_other(_PYTHON, "-c", _ORDINARY)
    for name, command, gain in (
        ("gdb", ("gdb", "-p", "{PID}", "-batch", "-ex", "info registers"), "rip"),
        ("gcore", ("gcore", "-o", f"{home}/core", "{PID}"), "Saved corefile"),
        ("strace", ("timeout", "2", "strace", "-p", "{PID}"), "attached"),
        ("/proc/PID/mem", ("sh", "-c", "exec 3< /proc/{PID}/mem && echo opened"), "opened"),
        ("/proc/PID/environ", ("cat", "/proc/{PID}/environ"), "DISPLAY="),
        ("/proc/PID/fd", ("ls", "/proc/{PID}/fd/"), "0"),
    ):
        with officer.act("V36", name) as act:
            pids = (desk.process.pid, *children_of(desk.process.pid))
            got = {pid for pid in (ordinary.pid, *pids) if gain in "".join(_said(officer.run(*(part.format(PID=pid) for part in command))))}
            act.check(ordinary.pid in got, "an ordinary program is not safe from it")
            act.check(not got & {*pids}, f"refused for {len(pids)} processes")
    stopped(ordinary)
    with officer.act("V38", "kill -SEGV every process") as act:
        before = set(_cores(officer))
        pids = (*children_of(desk.process.pid), desk.process.pid)
        for pid in pids:
            limits = Path(f"/proc/{pid}/limits").read_text()
            act.check("Max core file size        0                    0 " in limits, f"no core is allowed to {pid}")
            officer.run("kill", "-SEGV", str(pid))
        desk.process.wait(60)
        act.check(set(_cores(officer)) == before, "there is no core file")
    officer.end()
    with officer.act("V37", f"{STARTS} starts") as act:
        won = officer.run(_PYTHON, "-c", RACE, str(STARTS), officer.installed.launcher, "verify").stdout.strip()
        act.check(won == "0", f"memory opened at {won} of {STARTS} starts")
        control = officer.run(_PYTHON, "-c", RACE, str(_RACE_CONTROL_STARTS), _PYTHON, "-c", "import time; time.sleep(1)").stdout.strip()
        act.check(control == str(_RACE_CONTROL_STARTS), "an ordinary program's memory is opened each time")


def read_it(officer: Officer) -> None:
    """V50, V54: the officer's programs on the installed vault."""
    installed = officer.installed
    officer.start()
    for vector, name, command in (
        ("V50", "installed: cp", ("cp", f"{installed.vault}/register.db", f"{installed.home}/stolen")),
        ("V50", "installed: dd", ("dd", f"if={installed.vault}/register.db", f"of={installed.home}/stolen")),
        ("V50", "installed: cat", ("cat", f"{installed.vault}/content.db")),
        ("V52", "installed: ln", ("ln", f"{installed.vault}/register.db", f"{installed.home}/stolen")),
        ("V53", "installed: mv", ("mv", str(installed.vault), f"{installed.home}/stolen")),
        ("V54", "installed: cp of the journal", ("cp", f"{installed.vault}/register.db-wal", f"{installed.home}/stolen")),
    ):
        with officer.act(vector, name) as act:
            done = officer.run(*command)
            stolen = installed.home / "stolen"
            act.check(done.returncode != 0 and not (stolen.exists() and stolen.stat().st_size), "refused")
    officer.end()


def keys_by_a_program(officer: Officer) -> None:
    """V49: sign in by xdotool, in a vault with the shipped policy; not as the supervisor, who may not read a report on themselves."""
    desk = officer.start()
    with officer.act("V49", "sign in and read by xdotool", SignalKind.SYNTHETIC_INPUT):
        desk.focus_window()
        desk.wait("focus sign_in_badge", since=0, seconds=60)
        for value in officer.credentials(CUSTODIAN):
            desk.type(value)
            before = desk.key("Return")
        desk.wait("show shell", since=before, seconds=60)
        for _ in range(4):
            desk.key("Down", "Up")
            desk.settle(1.0)
    officer.end()


def false_secret_service(officer: Officer) -> None:
    """V47: the session's bus is the attacker's, and so is the keyring on it."""
    log = officer.installed.home.with_name(officer.installed.home.name + "-false.log")
    with bus("dbus-daemon") as address:
        place = Path(address.split("path=")[1].split(",")[0])
        os.chown(place.parent, officer.installed.uid, officer.installed.gid)
        os.chown(place, officer.installed.uid, officer.installed.gid)
        false = subprocess.Popen([sys.executable, "-c", FALSE_SERVICE, address], stdin=subprocess.PIPE, stdout=log.open("wb"))
        try:
            with officer.act("V47", "another bus with a false keyring") as act:
                act.check(wait_until(lambda: log.stat().st_size > 0, 20.0), "the false service is on the bus")
                desk = officer.begin(DBUS_SESSION_BUS_ADDRESS=address)
                desk.wait("show casevault", since=0, seconds=120)
                desk.wait("show cannot_open", since=0, seconds=120)
                act.check(len(children_of(desk.process.pid)) < 3, "the vault says that it cannot open, and has no workers")
            officer.end()
        finally:
            false.kill()
            false.wait()
            log.unlink()


def portal_dialogs(rig: Rig) -> None:
    """V48: the keys that open dialogs elsewhere, with a portal that would answer."""
    rig.page()
    log = rig.home / "portal.log"
    portal = rig.start(sys.executable, PROGRAMS / "portal.py", log)
    try:
        wait_until(log.exists, 20.0)
        for keys in ("ctrl+o", "ctrl+shift+o", "F12"):
            with rig.act("V48", keys) as act:
                rig.xdotool("key", keys)
                rig.rest()
                act.check("FileChooser" not in log.read_text() and "Print" not in log.read_text(), "no dialog is asked for")
    finally:
        stopped(portal)


def _cores(officer: Officer) -> list[Path]:
    places = (Path("/"), officer.installed.home, officer.installed.vault)
    return [path for place in places for path in place.glob("core*") if path.is_file()]


def _said(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    return done.stdout, done.stderr if "attached" in done.stderr else ""
