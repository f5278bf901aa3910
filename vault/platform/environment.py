"""The variables a desk is started with: the few that are kept, and those that would have changed what it runs.

Rules (VECTORS V13, V17, V27, V42-V47):

1. Only names in `KEPT` stay; scaling and pointer sizes that people need are among them. Everything else goes before Qt is loaded.
   Not the zone of the clock: the minute in the watermark and the rule on reading outside the shift go by the workstation's own.
2. What names code, plugins, tracing or another interpreter set-up is *hostile*: it is told to the vault, by name only, and becomes a
   report. What ordinary desktops set (an input method, a theme, a proxy) goes without a word.
3. Loader and interpreter variables have acted before this module runs, so the desk is started again without them, isolated from the
   interpreter's own paths. If they are still there then, it refuses.
4. Installed, the launcher has done this already: it hands over what it dropped with ``DROPPED_`` before each name.
5. The session's bus is the one of this account's login where there is one (``/run/user/UID/bus``), whatever the variable says; from a
   checkout the variable holds, because the demo brings a bus of its own.

LIMIT: from a checkout a preloaded library runs first and can hide itself and its variable. Under the launcher the loader removes its own
variables before anybody can name them: they are ignored, and not reported.

No import but `os` and `sys`: this runs before the first window. Source: ld.so(8), experiments E6 and E7.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEPT = frozenset(
    {
        "AT_SPI_BUS_ADDRESS",
        "CASEVAULT_DEMO_KEYRING",
        "CASEVAULT_REDUCED_MOTION",
        "CASEVAULT_SCHEME",
        "CASEVAULT_STRICT",
        "CHROME_REMOTE_DESKTOP_SESSION",
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_MESSAGES",
        "LC_NUMERIC",
        "LC_TIME",
        "LOGNAME",
        "NXSESSIONID",
        "QT_AUTO_SCREEN_SCALE_FACTOR",
        "QT_ENABLE_HIGHDPI_SCALING",
        "QT_FONT_DPI",
        "QT_SCALE_FACTOR",
        "QT_SCALE_FACTOR_ROUNDING_POLICY",
        "QT_SCREEN_SCALE_FACTORS",
        "SSH_CONNECTION",
        "USER",
        "VNCDESKTOP",
        "WAYLAND_DISPLAY",
        "X2GO_SESSION",
        "XAUTHORITY",
        "XCURSOR_SIZE",
        "XCURSOR_THEME",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CURRENT_DESKTOP",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_SESSION_ID",
        "XDG_SESSION_TYPE",
        "XDG_STATE_HOME",
        "XRDP_SESSION",
        "XRDP_SOCKET_PATH",
    }
)
_PATH = "/usr/local/bin:/usr/bin:/bin"
_DROPPED = "DROPPED_"
_FOUND = "CASEVAULT_FOUND"  # what the start before this one found
_ACTED_ALREADY = ("LD_", "PYTHON", "GLIBC_", "GCONV_")
_HOSTILE = (
    *_ACTED_ALREADY,
    "GIO_",
    "GTK_",
    "KEYRING_",
    "LIBGL_DRIVERS_PATH",
    "LOCPATH",
    "NLSPATH",
    "OPENSSL_",
    "QML",
    "QSG_",
    "QT_",
    "QV4_",
    "SQLITE_",
    "SSLKEYLOGFILE",
    "XKB_CONFIG_ROOT",
    "XLOCALEDIR",
)
# What desktops, containers and developers set all day: it goes, and is nobody's report. By name, or by name and the values that are known.
_ORDINARY = frozenset(
    {
        "GIO_LAUNCHED_DESKTOP_FILE",
        "GIO_LAUNCHED_DESKTOP_FILE_PID",
        "GTK2_RC_FILES",
        "GTK_A11Y",
        "GTK_CSD",
        "GTK_IM_MODULE",
        "GTK_OVERLAY_SCROLLING",
        "GTK_RC_FILES",
        "GTK_THEME",
        "GTK_USE_PORTAL",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHASHSEED",
        "PYTHONIOENCODING",
        "PYTHONNOUSERSITE",
        "PYTHONSAFEPATH",
        "PYTHONUNBUFFERED",
        "PYTHONUTF8",
        "QT_ACCESSIBILITY",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON",
        "QT_WAYLAND_DISABLE_WINDOWDECORATION",
        "QT_WAYLAND_FORCE_DPI",
    }
)
_THEMES = frozenset({"", "generic", "gnome", "gtk2", "gtk3", "kde", "lxqt", "qgnomeplatform", "qt5ct", "qt6ct", "xdgdesktopportal"})
_ORDINARY_VALUES = {
    "GTK_MODULES": frozenset(
        {"", "appmenu-gtk-module", "atk-bridge", "canberra-gtk-module", "colorreload-gtk-module", "gail", "unity-gtk-module"}
    ),
    "QT_IM_MODULE": frozenset({"", "compose", "fcitx", "fcitx5", "ibus", "none", "simple", "wayland", "xim"}),
    "QT_IM_MODULES": frozenset({"", "compose", "fcitx", "fcitx5", "ibus", "none", "simple", "wayland", "xim"}),
    "QT_QPA_PLATFORM": frozenset({"", "offscreen", "wayland", "wayland-egl", "xcb"}),
    "QT_QPA_PLATFORMTHEME": _THEMES,
    "QT_STYLE_OVERRIDE": frozenset({"", "adwaita", "adwaita-dark", "breeze", "fusion", "gtk2", "kvantum", "kvantum-dark", "windows"}),
}


def examine(variables: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Sort variables into those that stay and those that are reported. Pure.

    Returns:
        (the environment to go on with, the names of the hostile ones in order).
    """
    stay = {name: value for name, value in variables.items() if name in KEPT}
    stay["PATH"] = _PATH
    hostile = set(variables.get(_FOUND, "").split(",")) - {""}
    for given, value in variables.items():
        name = given.removeprefix(_DROPPED)
        if name not in KEPT and _is_hostile(name, value):
            hostile.add(name)
    return stay, tuple(sorted(_printable(name) for name in hostile))


def clean(start_again: Sequence[str]) -> tuple[str, ...]:
    """Take everything but `KEPT` out of this process's environment, and say what would have changed what it runs.

    Call before Qt or anything else that reads variables is imported.

    Args:
        start_again: the command that starts this program from its beginning; used once, when a variable had acted already.
    Returns:
        names: hostile variables, and ``keyringrc.cfg`` if this account has one (it names foreign code; our keyring never reads it).
    Raises:
        SystemExit: 126, such a variable is back after the second start.
    """
    if os.name != "posix":
        return ()  # LIMIT: other systems' variables are not sorted; the vault does not open there yet
    stay, found = examine(os.environ)
    acted = [name for name in os.environ if name.startswith(_ACTED_ALREADY) and name in found]
    if acted and _FOUND in os.environ:
        sys.stderr.write(f"casevault: {acted[0]}\n")  # a name needs no words of ours
        raise SystemExit(126)
    if acted:
        os.execve(start_again[0], list(start_again), {**stay, _FOUND: ",".join(found)})  # noqa: S606 -- our own program, without them
    if _fix_bus(stay):
        found = (*found, "DBUS_SESSION_BUS_ADDRESS")
    for name in [*os.environ]:
        if name not in stay:
            del os.environ[name]
    os.environ.update(stay)
    return (*found, "keyringrc.cfg") if _has_keyring_configuration(stay) else found


def platform_arguments() -> tuple[str, ...]:
    """Give the fixed platform of the window: X11, or Wayland where the session has nothing else. No variable picks another."""
    if sys.platform != "linux":
        return ()
    only_wayland = "WAYLAND_DISPLAY" in os.environ and "DISPLAY" not in os.environ
    return ("-platform", "wayland" if only_wayland else "xcb")


def foreign_libraries(own_folders: Sequence[str]) -> tuple[str, ...]:
    """Give the files mapped as code into this process that neither root nor this installation put there.

    Args:
        own_folders: where code of this installation lies; the interpreter's own folders are added.
    Returns:
        paths, in order; empty where the system does not tell.
    """
    trusted = tuple(os.path.realpath(folder) + "/" for folder in (*own_folders, sys.prefix, sys.base_prefix))
    try:
        with open("/proc/self/maps", "rb", buffering=0) as maps:  # noqa: PTH123 -- pathlib costs the start 9 ms
            lines = maps.readall().decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
    code = {fields[5] for fields in (line.split(None, 5) for line in lines) if len(fields) > 5 and "x" in fields[1]}  # noqa: PLR2004
    return tuple(sorted(path for path in code if not path.startswith(trusted) and _is_foreign(path)))


def _is_hostile(name: str, value: str) -> bool:
    if not name.startswith(_HOSTILE) or name in _ORDINARY:
        return False
    known = _ORDINARY_VALUES.get(name)
    return known is None or not known.issuperset(value.lower().replace(";", ":").split(":"))


def _printable(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_." else "?" for letter in name)[:64]


def _is_foreign(path: str) -> bool:
    """Whether anybody but root could have written what is mapped. A file that is gone is judged by its folder."""
    if path.startswith("["):
        return False  # the kernel's own
    if not path.startswith("/") or path.startswith(("/memfd:", "/dev/zero", "/SYSV")):
        return not path.startswith("/memfd:libffi")  # LIMIT: a library of that name in memory looks like the trampolines of libffi
    place = path.removesuffix(" (deleted)")
    try:
        try:
            found = os.stat(place)  # noqa: PTH116
        except FileNotFoundError:
            found = os.stat(os.path.dirname(place))  # noqa: PTH116, PTH120
    except OSError:
        return True
    return found.st_uid != 0 or bool(found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX)


def _fix_bus(variables: dict[str, str]) -> bool:
    """Under the launcher, point at the bus of this account's login; whether another one was named."""
    if os.name != "posix" or os.getegid() == os.getgid():
        return False
    place = f"/run/user/{os.getuid()}/bus"
    try:
        found = os.lstat(place)
    except OSError:
        return False
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        return False
    named = variables.get("DBUS_SESSION_BUS_ADDRESS")
    variables["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={place}"
    return named is not None and named.partition(",")[0] != f"unix:path={place}"


def _has_keyring_configuration(variables: Mapping[str, str]) -> bool:
    homes = {variables.get("XDG_CONFIG_HOME", ""), variables.get("HOME", "") + "/.config"}
    return any(home and os.path.exists(f"{home}/python_keyring/keyringrc.cfg") for home in homes)  # noqa: PTH110
