"""Where the screen of this desk really is: a local display, one that is forwarded, one that is served over the network (V25-V27, V32).

Rules:

1. Qt's platform comes first: on ``vnc`` the desk is a network service; on ``xcb`` DISPLAY counts, on ``wayland`` WAYLAND_DISPLAY.
2. A display is local if it names no host and its socket on this machine can be connected to; the kernel says which process listens there
   (SO_PEERCRED). Without a socket the X libraries would go on to TCP: that is forwarded too.
3. A listener that is a relay (sshd, socat …), or an account's own program and none of the system's, is forwarding; an X server made for
   the network (Xvnc, nxagent, xrdp's), or that is a window on another screen (Xephyr), is serving.
4. logind's note of the session and the variables that remote desktops set are evidence besides.
5. A virtual machine is told by the kernel's CPU flag, the hypervisor's folder and the firmware's names.

LIMIT: a relay of root's under another name is not told from an X server. Whoever runs a server of the system's themselves (Xvfb, Xorg
without root) can read its memory, and so the screen. A host's view of a virtual machine's screen, a capture card and a switch
cannot be seen from inside.

Source: X(7) display names, proc(5), sysfs; systemd's session files in /run/systemd/sessions; systemd-detect-virt(1).
"""

from __future__ import annotations

import enum
import fnmatch
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vault.listener import listener_of, names_itself
from vault.sensors import system_files
from vault.sensors.officers_view import looking_at_programs

PLATFORM_VARIABLE = "CASEVAULT_SCREEN"  # Qt's platform, as the interface has it
X_SOCKETS = "/tmp/.X11-unix/X"  # noqa: S108 - where X servers listen
_SESSIONS = Path("/run/systemd/sessions")
_CONNECT_SECONDS = 1.0
_NAME_CHARACTERS = 15  # what the kernel keeps of a process's name

_NETWORK_PLATFORMS = ("vnc", "webgl", "rdp")
_RELAYS = (
    *("sshd*", "ssh", "dropbear", "socat*", "ncat", "nc", "nc.*", "netcat", "stunnel*", "waypipe", "xpra*", "perl*", "python*"),
    *("systemd-socket*", "haproxy"),
)
_NETWORK_SERVERS = ("Xvnc*", "Xtigervnc*", "Xtightvnc*", "Xrealvnc*", "vncserver*", "nxagent*", "x2goagent*", "Xrdp*", "Xdmx", "Xspice")
_NESTED_SERVERS = ("Xephyr", "Xnest")
_WAYLANDS_SERVER = "Xwayland"
_SESSION_VARIABLES = ("XRDP_SESSION", "XRDP_SOCKET_PATH", "VNCDESKTOP", "X2GO_SESSION", "NXSESSIONID", "CHROME_REMOTE_DESKTOP_SESSION")
_LOGIN_VARIABLES = ("SSH_CONNECTION",)
VARIABLES = (PLATFORM_VARIABLE, "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", *_SESSION_VARIABLES, *_LOGIN_VARIABLES)

_HYPERVISORS = {  # firmware's words, in lower case -> name
    "qemu": "QEMU",
    "kvm": "KVM",
    "vmware": "VMware",
    "virtualbox": "VirtualBox",
    "innotek": "VirtualBox",
    "xen": "Xen",
    "bochs": "Bochs",
    "parallels": "Parallels",
    "bhyve": "bhyve",
    "virtual machine": "Hyper-V",
    "amazon ec2": "Amazon EC2",
    "google compute engine": "Google Compute Engine",
    "openstack": "OpenStack",
}


class How(enum.Enum):
    """In which way a screen is remote."""

    FORWARDED = "forwarded"  # what the desk paints goes over the network to be seen
    SERVED = "served"  # the screen is shown to the network by its server or a program
    REMOTE_LOGIN = "remote-login"  # the desk was started from a remote shell; where its screen is says nothing of that


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence. `by` says which; facts carry no name of a host."""

    how: How
    by: str
    facts: tuple[tuple[str, str | int], ...] = ()

    def as_facts(self) -> tuple[tuple[str, str | int], ...]:
        """As facts of a signal."""
        return (("how", self.how.value), ("by", self.by), *self.facts)


@looking_at_programs()
def examine(environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Say what is remote about the screen that the interface's environment names. May connect to its socket, once; never for long.

    Args:
        environment: the interface's variables, as far as `VARIABLES` names them.
    """
    platform = environment.get(PLATFORM_VARIABLE, "xcb" if environment.get("DISPLAY") else "")
    found: list[Finding] = []
    if platform.startswith(_NETWORK_PLATFORMS):
        found.append(Finding(How.FORWARDED, "qt-platform", (("platform", platform[:20]),)))
    elif platform == "xcb" and "DISPLAY" in environment:
        found += _examine_x(environment["DISPLAY"])
    elif platform.startswith("wayland"):
        found += _examine_wayland(environment)
    found += [Finding(How.SERVED, "variable", (("variable", name),)) for name in _SESSION_VARIABLES if environment.get(name)]
    found += _examine_session(environment.get("XDG_SESSION_ID", ""))
    found += [Finding(How.REMOTE_LOGIN, "variable", (("variable", name),)) for name in _LOGIN_VARIABLES if environment.get(name)]
    return tuple(found)


def display_number(environment: Mapping[str, str]) -> int | None:
    """Which local X display the desk is on; None if it is on none."""
    if not environment.get(PLATFORM_VARIABLE, "xcb").startswith("xcb"):
        return None
    parsed = _parse_display(environment.get("DISPLAY", ""))
    return parsed[1] if parsed is not None and not parsed[0] else None


def is_on_wayland(environment: Mapping[str, str]) -> bool:
    """Whether the desk's window is a Wayland compositor's, without an X server in between."""
    shown_by = "xcb" if environment.get("DISPLAY") else "wayland" if environment.get("WAYLAND_DISPLAY") else ""
    return environment.get(PLATFORM_VARIABLE, shown_by).startswith("wayland")


def is_waylands(server_pid: int) -> bool:
    """Whether an X server is one whose windows a Wayland compositor shows, by its process: who looks at the screen is no client of it.

    LIMIT: under another name it is not told from one that shows its windows itself.
    """
    return any(_is(name, (_WAYLANDS_SERVER,)) for name in _names_of(server_pid)[0])


def is_relay(name: str) -> bool:
    """Whether a program of this base name hands a display's connection on."""
    return _is(name, _RELAYS)


def virtual_machine(root: Path = Path("/")) -> str:
    """Name the hypervisor this system runs under as far as it can be told, ``unknown`` if only that there is one, empty if none is seen.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    with suppress(OSError):
        kind = (root / "sys" / "hypervisor" / "type").read_text("ascii", "replace").strip()
        if kind:
            return kind
    for name in ("product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"):
        with suppress(OSError):
            said = (root / "sys" / "class" / "dmi" / "id" / name).read_text("utf-8", "replace").lower()
            for words, hypervisor in _HYPERVISORS.items():
                if words in said:
                    return hypervisor
    with suppress(OSError):
        for line in (root / "proc" / "cpuinfo").read_text("ascii", "replace").splitlines():
            if line.startswith(("flags", "Features")):
                return "unknown" if " hypervisor" in line else ""
    return ""


def _examine_x(display: str) -> list[Finding]:
    parsed = _parse_display(display)
    if parsed is None:
        return [Finding(How.FORWARDED, "display-unreadable")]
    host, number = parsed
    if host:
        return [Finding(How.FORWARDED, "display-host", (("display", number), ("loopback", str(_is_loopback(host)).lower())))]
    for address in (f"\0{X_SOCKETS}{number}", f"{X_SOCKETS}{number}"):
        if (listener := listener_of(address, _CONNECT_SECONDS)) is not None:
            return _judge(*listener, number)
    return [Finding(How.FORWARDED, "no-local-display", (("display", number),))]


def _examine_wayland(environment: Mapping[str, str]) -> list[Finding]:
    place = environment.get("WAYLAND_DISPLAY") or "wayland-0"
    if not place.startswith("/"):
        place = f"{environment.get('XDG_RUNTIME_DIR', '')}/{place}"
    listener = listener_of(place, _CONNECT_SECONDS)
    return _judge(*listener, 0) if listener is not None else []


def _judge(pid: int, uid: int, number: int) -> list[Finding]:
    """What is remote about a display whose socket is `pid`'s, a process of account `uid`; 0: a process we are not shown."""
    names, arguments = _names_of(pid)
    facts: tuple[tuple[str, str | int], ...] = (("display", number), ("process", names[0] if names else ""), ("pid", pid))
    if any(is_relay(name) for name in names) or (pid and uid != 0 and not _is_systems(pid)):
        return [Finding(How.FORWARDED, "relay", facts)]
    if any(_is(name, (*_NETWORK_SERVERS, *_NESTED_SERVERS)) for name in names) or b"xrdp/xorg.conf" in arguments or b"/vnc.so" in arguments:
        return [Finding(How.SERVED, "server", facts)]
    return []


def _is_systems(pid: int) -> bool:
    """Whether a process runs a program of the system's that is not whatever it is told to be.

    One that may not be looked at is the system's if root lent it a capability, as compositors have it: nobody has one of this machine's
    otherwise, whatever they have in a namespace of their own.
    """
    try:
        path = os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")  # noqa: PTH115
        status = system_files.known(f"/proc/{pid}/exe")
    except OSError:
        with suppress(OSError):
            said = Path(f"/proc/{pid}/status").read_bytes().partition(b"\nCapPrm:")[2].split(b"\n", 1)[0]
            same = Path(f"/proc/{pid}/uid_map").read_bytes() == Path("/proc/self/uid_map").read_bytes()
            return same and bool(said.strip(b"\t 0"))
        return False
    return not names_itself(pid) and system_files.is_systems(path, status) and not system_files.is_interpreter(os.path.basename(path))  # noqa: PTH119


def _examine_session(session_id: str) -> list[Finding]:
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", session_id):
        return []
    try:
        said = dict(line.split("=", 1) for line in (_SESSIONS / session_id).read_text("utf-8", "replace").splitlines() if "=" in line)
    except OSError:
        return []
    if said.get("REMOTE") != "1":
        return []
    graphical = said.get("TYPE") in ("x11", "wayland", "mir")
    return [Finding(How.SERVED if graphical else How.REMOTE_LOGIN, "logind", (("session_type", said.get("TYPE", "")[:20]),))]


def _parse_display(display: str) -> tuple[str, int] | None:
    """(host, number); the host is empty for this machine's sockets."""
    host, colon, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not colon or not number.isdecimal():
        return None
    if host == "unix":
        host = ""
    if host.startswith("/"):
        return None  # the X libraries may connect to a socket of that name, whatever display the number is of
    return host.removeprefix("tcp/").removeprefix("inet/").removeprefix("inet6/"), int(number)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1", "[::1]", "localhost6") or host.startswith("127.")


def _names_of(pid: int) -> tuple[list[str], bytes]:
    """A process's names, the surest first, and its arguments."""
    names = []
    with suppress(OSError):
        names.append(Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)"))
    arguments = b""
    with suppress(OSError):
        names.append(Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip())
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()[:4096]
    with suppress(ValueError):
        names.append(os.fsdecode(arguments.split(b"\0")[0]).rpartition("/")[2])
    return [name for name in names if name], arguments


def _is(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) or (len(name) == _NAME_CHARACTERS and pattern.startswith(name)) for pattern in patterns)
