"""The catalogue: one line a vector, its class, what must happen, and the attack that tries it (VECTORS.md, V1-V77).

ENFORCED: it cannot happen. DETECTED: it becomes a breach report. DECLARED: it belongs to another system or no software can meet it, and the
threat model says so; what a protection of the workstation leaves open, the strip of the running desk says too (`ON_STRIP`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.attacks.suite import capture, files, inside, place, process
from tests.attacks.suite.installed import Officer
from tests.attacks.suite.rig import Rig
from tests.attacks.suite.stale_page import stale_page
from vault.domain.protection import Protection

Attack = Callable[[Rig], None]
OfficersAttack = Callable[[Officer], None]


class Class(enum.Enum):
    """What is promised of a vector."""

    ENFORCED = "ENFORCED"
    DETECTED = "DETECTED"
    DECLARED = "DECLARED"


class Stage(enum.Enum):
    """When a row is run, in this order."""

    OPENING = "opening"  # brings its desk up to the sign-in page
    READING = "reading"  # an officer has signed in
    ENDING = "ending"  # leaves no desk behind
    STARTING = "starting"  # starts desks of its own
    CLOSED = "closed"  # no desk runs


class Group(enum.Enum):
    """What a row's times count for."""

    INSIDE = "in-app"
    CAPTURE = "capture"
    PROCESS = "process"
    FILES = "file"
    PLACE = "place"  # reported when the workstation is back: no time counts


@dataclass(frozen=True, slots=True)
class Vector:
    """One row."""

    id: str
    name: str
    promise: Class
    expected: str
    group: Group
    stage: Stage = Stage.READING
    attack: Attack | None = None
    installed: OfficersAttack | None = None  # tried on an installed Casevault, by an ordinary account; one attack may serve several rows


_E, _D, _X = Class.ENFORCED, Class.DETECTED, Class.DECLARED
_I, _C, _P, _F, _L = Group.INSIDE, Group.CAPTURE, Group.PROCESS, Group.FILES, Group.PLACE
_ENDING, _STARTING, _CLOSED = Stage.ENDING, Stage.STARTING, Stage.CLOSED

CATALOGUE: tuple[Vector, ...] = (
    Vector("V1", "Copy and cut keys", _E, "swallowed and reported; the clipboard stays empty", _I, attack=inside.copy_keys),
    Vector("V2", "PRIMARY by mouse drag", _E, "swallowed and reported; PRIMARY stays empty", _I, attack=inside.drag_selects),
    Vector("V3", "Select all and middle button", _E, "swallowed and reported; PRIMARY stays empty", _I, attack=inside.select_all),
    Vector("V4", "Context menu", _E, "swallowed and reported; no menu opens", _I, attack=inside.context_menu),
    Vector("V5", "Drag and drop out", _E, "swallowed and reported; the other window is given nothing", _I, attack=inside.drag_out),
    Vector("V6", "Print, print to PDF", _E, "swallowed and reported; no printing library is loaded", _I, attack=inside.print_keys),
    Vector("V7", "Save as, export, file dialog", _E, "swallowed and reported; no dialog, no file", _I, attack=inside.save_keys),
    Vector("V8", "SQL to plaintext", _E, "every statement and the backup interface refused", _I, Stage.CLOSED, inside.sql_route),
    Vector("V9", "Accessibility scraping", _E, "no accessible object holds a word of the page", _I, attack=inside.accessibility),
    Vector("V10", "Interface automation on Windows and macOS", _X, "declared: another system", _I),
    Vector("V11", "Link in a document", _E, "nothing follows it", _I, attack=inside.link),
    Vector("V12", "Remote resources in a mail", _E, "nothing is loaded", _I, attack=inside.remote_resources),
    Vector("V13", "Input method of one's own", _E, "not loaded, and reported", _P, installed=process.start_attacks),
    Vector("V14", "Titles, tooltips, taskbar", _E, "no window property holds a word of the case", _I, attack=inside.titles),
    Vector("V15", "Search words kept", _E, "no file holds what was looked for", _I, attack=inside.search_words),
    Vector("V16", "Crash text and logs", _E, "no log holds a word of the page", _I, _ENDING, inside.crash_words),
    Vector("V17", "Python console", _E, "not reached, and reported", _P, installed=process.start_attacks),
    Vector("V18", "Second instance, second screen", _D, "no second desk; a new monitor is reported", _I, attack=inside.second_screen),
    Vector("V19", "Retyping, dictation, memory", _X, "declared: no software sees it", _I),
    Vector("V20", "Print Screen key", _D, "the page is blanked, and reported", _C, attack=capture.print_screen),
    Vector("V21", "scrot, import, xwd, ffmpeg", _D, "reported; at most 2 of 12 pictures hold the page", _C, attack=capture.stock_tools),
    Vector("V22", "Renamed or home-made capture", _D, "reported", _C, attack=capture.own_tools),
    Vector("V23", "Recorder that runs before", _D, "reported, and the page is not shown to it", _C, attack=capture.recorder_before),
    Vector("V24", "Another client reads the window", _X, "declared: X11 has no wall", _C, attack=capture.grab_by_a_known_client),
    Vector("V25", "X11 forwarding", _E, "refused, and reported", _C, _STARTING, capture.remote_display),
    Vector("V26", "VNC, RDP on the session", _D, "reported", _C, attack=capture.vnc_server),
    Vector("V27", "Qt's VNC plugin", _E, "nothing serves the screen", _C, _STARTING, capture.qt_vnc),
    Vector("V28", "Portal screenshot and cast", _D, "reported", _C, attack=capture.screen_cast),
    Vector("V29", "Wayland screencopy without a portal", _X, "declared: any client of such a compositor may", _C),
    Vector("V30", "Captures on Windows", _X, "declared: another system", _C),
    Vector("V31", "Captures on macOS", _X, "declared: another system", _C),
    Vector("V32", "Machine console, KVM switch, HDMI", _X, "declared: no software sees a cable", _C),
    Vector("V33", "Camera in front of the screen", _X, "declared: the watermark names the reading", _C),
    Vector(
        "V34", "Thumbnails and overviews", _E, "the page is blanked when another window has the keyboard", _C, attack=capture.other_window
    ),
    Vector("V35", "Last frame after a crash", _E, "nothing of it stays on the screen", _C, _ENDING, capture.last_frame),
    Vector("V36", "Debuggers of the same account", _E, "refused", _P, installed=process.process_attacks),
    Vector("V37", "Race at the start", _E, "refused at every try", _P, installed=process.process_attacks),
    Vector("V38", "Core dump", _E, "there is none", _P, installed=process.process_attacks),
    Vector("V39", "Swap and hibernation", _X, "declared on the strip: the system's setting", _P),
    Vector("V40", "Copies of keys left by Python", _X, "declared: reduced, not removed", _P),
    Vector("V41", "root or the kernel", _X, "declared: root reads everything", _P),
    Vector("V42", "LD_PRELOAD and its kin", _E, "no process of the desk has the library", _P, installed=process.start_attacks),
    Vector("V43", "PYTHONPATH and its kin", _E, "no module of it runs", _P, installed=process.start_attacks),
    Vector("V44", "Qt plugins, styles, themes", _E, "none is loaded, and it is reported", _P, installed=process.start_attacks),
    Vector("V45", "Variables of libraries", _E, "without effect, and reported", _P, installed=process.start_attacks),
    Vector("V46", "Keyring of one's own", _E, "not loaded, and reported", _P, installed=process.start_attacks),
    Vector("V47", "False Secret Service", _E, "the vault does not open", _P, installed=process.false_secret_service),
    Vector("V48", "Portal dialogs", _E, "no dialog but our own is asked for", _P, attack=process.portal_dialogs),
    Vector("V49", "Keys pressed by a program", _D, "reported", _P, installed=process.keys_by_a_program),
    Vector(
        "V50",
        "cp, dd, cat of the vault",
        _D,
        "reported before the first byte",
        _F,
        attack=files.read_it,
        installed=process.read_it,
    ),
    Vector("V51", "Who opened it", _D, "process, number, account and program are named", _F, attack=files.who_opened),
    Vector("V52", "Hard link", _D, "reported", _F, attack=files.link, installed=process.read_it),
    Vector("V53", "Moved out and back", _D, "reported", _F, attack=files.move, installed=process.read_it),
    Vector("V54", "Journals and header", _D, "reported", _F, attack=files.side_files, installed=process.read_it),
    Vector("V55", "Renamed, embedded, archived copy", _D, "reported under any name", _F, attack=files.disguises),
    Vector("V56", "Old copy", _D, "reported at the start", _F, Stage.OPENING, files.old_copies),
    Vector("V57", "Backups and snapshots", _D, "reported", _F, attack=files.backups),
    Vector("V58", "Temporary files and caches", _E, "no file holds a word of the page", _F, attack=files.written_files),
    Vector("V59", "Recent files", _E, "there is no such list", _F, attack=files.recent_files),
    Vector("V60", "Arguments and history", _E, "no secret and no word in them", _F, attack=files.command_lines),
    Vector("V61", "Stick", _D, "reported, and the copy on it", _F, attack=files.stick),
    Vector("V62", "Telephone, share, synchronised folder", _D, "reported, and the copy on it", _F, attack=files.fuse),
    Vector("V63", "Disk image, boot from a stick", _X, "declared: ciphertext leaves, content does not", _F),
    Vector("V64", "Block device", _X, "declared: root's", _F),
    Vector("V65", "Files on Windows", _X, "declared: another system", _F),
    Vector("V66", "Files on macOS", _X, "declared: another system", _F),
    Vector(
        "V67",
        "Workstation off the premises",
        _E,
        "does not open; an open page is covered, then locked; reported",
        _L,
        _CLOSED,
        place.carried_off,
    ),
    Vector("V68", "Imitated network", _E, "does not open, and is reported", _L, _CLOSED, place.imitated),
    Vector(
        "V69",
        "Tunnel into the station",
        _X,
        "declared: a tunnel is the premises; a front refuses it without the workstation's identity, and its log says who and from where",
        _L,
        _CLOSED,
        place.tunnelled,
    ),
    Vector(
        "V70",
        "Cloned disk",
        _X,
        "declared: away it does not open; where the key servers answer, it is the workstation",
        _L,
        _CLOSED,
        place.cloned,
    ),
    Vector("V71", "Rolled back", _D, "reported at opening", _L, _CLOSED, place.rolled_back),
    Vector("V72", "Stale page in the live file", _D, "reported when the trail is verified", _L, _CLOSED, stale_page),
    Vector("V73", "Clock set back", _D, "reported at opening", _L, _CLOSED, place.clock_set_back),
    Vector("V74", "False time", _E, "no process of the desk has the library, and it is reported", _L, _STARTING, place.false_time),
    Vector("V75", "Alerts held back", _D, "the missing report is reported", _L, _CLOSED, place.held_back),
    Vector("V76", "Watcher killed or frozen", _E, "the page is covered", _L, _ENDING, place.watcher_stopped),
    Vector("V77", "Service account", _E, "there is none", _L, _CLOSED, place.service_account),
)

# What the strip of the running desk must say of a protection, whatever its state, for a row to be DECLARED. The others are declared in the
# threat model alone: other systems, and what belongs to no protection of this workstation.
ON_STRIP: Mapping[str, tuple[Protection, str]] = {
    "V19": (Protection.COPY_KEYS, "does not stop a photograph or a retyped page"),
    "V24": (Protection.SCREEN_CAPTURE, "X11 keeps no program from looking"),
    "V32": (Protection.REMOTE_SESSION, "A cable or a switch behind the screen cannot be seen"),
    "V33": (Protection.SCREEN_CAPTURE, "a camera sees the page"),
    "V39": (Protection.MEMORY, "what the system is set to"),
    "V41": (Protection.PROCESS, "Whoever is root on this workstation can"),
    "V63": (Protection.COPIES, "Copies made elsewhere, and encoded ones, are not noticed; they are encrypted"),
    "V64": (Protection.COPIES, "Copies made elsewhere, and encoded ones, are not noticed; they are encrypted"),
}
