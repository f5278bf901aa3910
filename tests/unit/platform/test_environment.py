"""Which variables stay, which are told, and which go without a word; what counts as foreign code."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vault.platform import environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux")
ROOT = Path(__file__).parents[3]

HOSTILE = [
    ("LD_PRELOAD", "/x.so"),
    ("LD_AUDIT", "/x.so"),
    ("LD_LIBRARY_PATH", "/x"),
    ("LD_DEBUG", "all"),
    ("GLIBC_TUNABLES", "x=1"),
    ("GCONV_PATH", "/x"),
    ("PYTHONPATH", "/x"),
    ("PYTHONSTARTUP", "/x.py"),
    ("PYTHONINSPECT", "1"),
    ("PYTHONHOME", "/x"),
    ("PYTHONPYCACHEPREFIX", "/x"),
    ("PYTHONWARNINGS", "error::x.Y"),
    ("PYTHON_KEYRING_BACKEND", "x.Y"),
    ("KEYRING_PROPERTY_X", "y"),
    ("QT_PLUGIN_PATH", "/x"),
    ("QT_QPA_PLATFORM", "vnc"),
    ("QT_QPA_PLATFORM", "vnc:port=5900"),
    ("QT_QPA_PLATFORM", "xcb;vnc"),
    ("QT_QPA_PLATFORM_PLUGIN_PATH", "/x"),
    ("QT_QPA_GENERIC_PLUGINS", "x"),
    ("QT_QPA_PLATFORMTHEME", "/x/theme"),
    ("QT_STYLE_OVERRIDE", "evil"),
    ("QT_IM_MODULE", "evil"),
    ("QT_LOGGING_RULES", "*=true"),
    ("QT_DEBUG_PLUGINS", "1"),
    ("QML2_IMPORT_PATH", "/x"),
    ("QSG_RHI_BACKEND", "x"),
    ("GTK_PATH", "/x"),
    ("GTK_MODULES", "/x/evil.so"),
    ("GIO_EXTRA_MODULES", "/x"),
    ("SSLKEYLOGFILE", "/x"),
    ("OPENSSL_CONF", "/x"),
    ("OPENSSL_MODULES", "/x"),
    ("SQLITE_TMPDIR", "/x"),
]
ORDINARY = [
    ("QT_IM_MODULE", "ibus"),
    ("QT_IM_MODULES", "wayland;fcitx"),
    ("QT_QPA_PLATFORM", "wayland;xcb"),
    ("QT_QPA_PLATFORM", "offscreen"),
    ("QT_QPA_PLATFORMTHEME", "qt5ct"),
    ("QT_STYLE_OVERRIDE", "kvantum"),
    ("QT_ACCESSIBILITY", "1"),
    ("GTK_MODULES", "gail:atk-bridge"),
    ("GTK_IM_MODULE", "ibus"),
    ("PYTHONUNBUFFERED", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("https_proxy", "http://proxy:3128"),
    ("SSH_AUTH_SOCK", "/x"),
    ("EDITOR", "vi"),
    ("TZ", "XXX+11"),
]
KEPT = [("QT_SCALE_FACTOR", "2"), ("QT_FONT_DPI", "144"), ("XCURSOR_SIZE", "48"), ("DISPLAY", ":0"), ("LC_ALL", "C.UTF-8"), ("HOME", "/h")]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=[f"{name}={value}" for name, value in HOSTILE])
@pytest.mark.parametrize("prefix", ["", "DROPPED_"], ids=["checkout", "launcher"])
def test_hostile_goes_and_is_told_by_name(name: str, value: str, prefix: str) -> None:
    stay, found = environment.examine({prefix + name: value, "HOME": "/h"})
    assert found == (name,)
    assert set(stay) == {"HOME", "PATH"}


@pytest.mark.parametrize(("name", "value"), ORDINARY, ids=[f"{name}={value}" for name, value in ORDINARY])
def test_ordinary_goes_without_a_word(name: str, value: str) -> None:
    stay, found = environment.examine({name: value, f"DROPPED_{name}": value})
    assert found == ()
    assert set(stay) == {"PATH"}


@pytest.mark.parametrize(("name", "value"), KEPT, ids=[name for name, _ in KEPT])
def test_what_people_need_stays(name: str, value: str) -> None:
    stay, found = environment.examine({name: value})
    assert (stay[name], found) == (value, ())


def test_names_are_told_without_surprises() -> None:
    assert environment.examine({"LD_\n\x1b[31m" + "x" * 100: "1"})[1][0].isprintable()
    assert len(environment.examine({"LD_" + "x" * 100: "1"})[1][0]) <= 64


def test_the_launchers_list_is_this_list() -> None:
    source = (ROOT / "packaging" / "launcher.c").read_text()
    listed = set(
        source.partition("kept[] = {")[2].partition("NULL}")[0].replace("\n", " ").replace('"', "").replace(" ", "").split(",")
    ) - {""}
    assert listed == environment.KEPT - {"CASEVAULT_DEMO_KEYRING", "CASEVAULT_STRICT"}  # of a checkout only


PROGRAM = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from vault.platform import environment
again = (sys.executable, "-I", "-c", sys.orig_argv[-2], sys.argv[1])
found = environment.clean(again)
print(json.dumps([sorted(found), sorted(os.environ), sys.flags.isolated]))
"""


def cleaned(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM, ROOT], env=variables, capture_output=True, text=True, timeout=60, check=False)


def test_loader_and_interpreter_variables_start_the_program_again(tmp_path: Path) -> None:
    answer = cleaned(
        {"LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "PYTHONPATH": "/x", "LD_BIND_NOW": "1", "QT_PLUGIN_PATH": "/y", "EDITOR": "vi"}
    )
    assert answer.stdout == '[["LD_BIND_NOW", "PYTHONPATH", "QT_PLUGIN_PATH"], ["HOME", "LC_ALL", "PATH"], 1]\n', answer


def test_what_comes_back_is_refused(tmp_path: Path) -> None:
    answer = cleaned({"HOME": str(tmp_path), "LD_BIND_NOW": "1", "CASEVAULT_FOUND": "x"})
    assert (answer.returncode, answer.stderr, answer.stdout) == (126, "casevault: LD_BIND_NOW\n", "")


def test_an_ordinary_start_is_not_repeated(tmp_path: Path) -> None:
    assert (
        cleaned({"LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "QT_STYLE_OVERRIDE": "evil"}).stdout
        == '[["QT_STYLE_OVERRIDE"], ["HOME", "LC_ALL", "PATH"], 0]\n'
    )


def test_a_keyring_configuration_is_told(tmp_path: Path) -> None:
    place = tmp_path / "config" / "python_keyring"
    place.mkdir(parents=True)
    (place / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=evil.K\n")
    assert "keyringrc.cfg" in cleaned({"HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path / "config")}).stdout
    assert "keyringrc.cfg" not in cleaned({"HOME": "/nowhere"}).stdout


LOADING = """
import ctypes, json, sys
sys.path.insert(0, sys.argv[1])
from vault.platform import environment
if len(sys.argv) > 2:
    ctypes.CDLL(sys.argv[2])
print(json.dumps(environment.foreign_libraries([sys.argv[1]])))
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler")
def test_a_library_of_somebody_elses_is_foreign(tmp_path: Path) -> None:
    library = tmp_path / "evil.so"
    subprocess.run(["gcc", "-shared", "-o", library, "-x", "c", "-"], input=b"int x;", check=True)

    def foreign(*arguments: Path) -> str:
        done = subprocess.run([sys.executable, "-c", LOADING, ROOT, *arguments], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()

    assert foreign() == "[]"
    if os.geteuid() == 0:
        assert foreign(library) == "[]", "root put it there"
        os.chown(library, 65534, 65534)
    assert foreign(library) == f'["{library}"]'


BUS = """
import os, sys
sys.path.insert(0, sys.argv[1])
import environment
found = environment.clean(("/bin/false",))
print(os.environ["DBUS_SESSION_BUS_ADDRESS"], *found)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="lends a group, as the launcher does")
def test_under_the_launcher_the_bus_is_the_logins(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another bus that the caller names could play the keyring (V47). From a checkout it is taken, because the demo brings its own."""
    nobody, lent = 65534, 65533
    login = Path(f"/run/user/{nobody}")
    assert not login.exists(), "nobody is signed in as nobody"
    code = Path("/var/tmp") / f"casevault-test-{os.getpid()}"
    code.mkdir()
    shutil.copy(ROOT / "vault" / "platform" / "environment.py", code)
    code.chmod(0o755)
    login.mkdir(parents=True)
    bus = socket.socket(socket.AF_UNIX)

    def start(group: int, address: str) -> str:
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-c", BUS, code],
            env={"DBUS_SESSION_BUS_ADDRESS": address, "HOME": "/nowhere"},
            preexec_fn=lambda: (os.setgroups([]), os.setresgid(nobody, group, group), os.setresuid(nobody, nobody, nobody)),
            capture_output=True,
            text=True,
            cwd="/",
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    try:
        bus.bind(str(login / "bus"))
        os.chown(login / "bus", nobody, nobody)
        ours = f"unix:path={login}/bus"
        assert start(nobody, "unix:path=/tmp/other") == "unix:path=/tmp/other"
        assert start(lent, "unix:path=/tmp/other") == f"{ours} DBUS_SESSION_BUS_ADDRESS"
        assert start(lent, f"{ours},guid=1") == ours
        os.chown(login / "bus", lent, lent)
        assert start(lent, "unix:path=/tmp/other") == "unix:path=/tmp/other", "a socket of somebody else's is no login's bus"
    finally:
        bus.close()
        shutil.rmtree(login)
        shutil.rmtree(code)
