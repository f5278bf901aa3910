"""Programs that capture, record or serve the screen, and why each is in the table.

Rules:

- A program is known by the base name of its executable file, after links: `import` is `import-im6.q16` on Debian.
- `ALWAYS`: it does nothing else, so that running while a page is shown is a capture. `AS_CLIENT`: it does other things as well (ffmpeg
  converts films), none of which needs the display. `IF_TOLD`: it is an ordinary client of the display, and counts only with arguments that
  name a screen.
- LIMIT: a program that is told by a file (a playlist, a settings file) to read a screen is an ordinary client of the display.
- LIMIT: a renamed copy is not in here; it is a program that nobody vouches for (`programs`).
- LIMIT: a browser or a meeting program is not in here: on X11 nothing tells when it shares the screen, and that it runs accuses nobody.

Pure, but for `installed`, which looks where programs are.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class Use(enum.Enum):
    """How surely a running program of this name captures the screen."""

    ALWAYS = "always"
    AS_CLIENT = "as-client"
    IF_TOLD = "if-told"


@dataclass(frozen=True, slots=True)
class Tool:
    """A known program. `name` may end in ``*``; `why` says what it does to a screen."""

    name: str
    use: Use
    why: str


_SHOT, _RECORDS, _SERVES, _READS = "takes still pictures", "records", "serves the screen to others", "can read a screen among other inputs"

TOOLS = (
    *(
        Tool(name, Use.ALWAYS, _SHOT)
        for name in (
            "scrot",
            "import",
            "import-im*",
            "xwd",
            "maim",
            "escrotum",
            "shotgun",
            "shutter",
            "gnome-screenshot",
            "mate-screenshot",
            "xfce4-screenshooter",
            "lximage-qt",
            "spectacle",
            "ksnip",
            "ksnapshot",
            "flameshot",
            "deepin-screenshot",
            "grim",
            "grimshot",
            "hyprshot",
            "wayshot",
            "screengrab",
            "fbgrab",
            "fbcat",
            "xmag",  # magnifiers: what they show stays when the page is gone, and can then be taken
            "xzoom",
            "kmag",
            "magnus",
        )
    ),
    *(
        Tool(name, Use.ALWAYS, _RECORDS)
        for name in (
            "simplescreenrecorder",
            "ssr-glinject",
            "obs",
            "vokoscreen*",
            "kazam",
            "peek",
            "byzanz-record",
            "recordmydesktop",
            "gtk-recordmydesktop",
            "green-recorder",
            "kooha",
            "wf-recorder",
            "wl-screenrec",
            "gpu-screen-recorder*",
            "xvidcap",
        )
    ),
    *(Tool(name, Use.ALWAYS, _SERVES) for name in ("x11vnc", "x0vncserver", "x0tigervncserver", "krfb", "vino-server", "wayvnc")),
    *(
        Tool(name, Use.AS_CLIENT, _READS)
        for name in (
            *("ffmpeg", "ffprobe", "avconv", "mencoder", "melt", "gst-launch-1.0", "screenshot"),  # the last is GIMP's
            *("magick", "magick-im*", "compare-im*", "composite-im*", "conjure-im*", "convert-im*", "identify-im*", "mogrify-im*"),
            *("montage-im*", "stream-im*", "gm", "graphicsmagick"),
        )
    ),
    *(Tool(name, Use.IF_TOLD, _READS) for name in ("vlc", "cvlc", "mpv", "mplayer", "ffplay", "display-im*", "animate-im*")),
)

_EXACT = {one.name: one for one in TOOLS if "*" not in one.name}
_PATTERNS = tuple(one for one in TOOLS if "*" in one.name)

# Arguments by which a program that does many things is told to read a screen.
_SCREEN_WORDS = ("x11grab", "kmsgrab", "fbdev", "xcbgrab", "ximagesrc", "pipewiresrc", "screen://", "x:root", "root:", "-window")
_NAME_CHARACTERS = 15
_WINDOWS_PICTURE = "x:"  # ImageMagick: a window's picture, by its number
_FOLDERS = ("/usr/bin", "/usr/local/bin", "/bin", "/opt/bin", "/snap/bin", "/var/lib/flatpak/exports/bin")


def known(executable: str) -> Tool | None:
    """The entry of an executable's base name."""
    return _EXACT.get(executable) or next((one for one in _PATTERNS if executable.startswith(one.name.partition("*")[0])), None)


def is_name_of_one(process: str) -> bool:
    """Whether a process's name, of which the kernel keeps `_NAME_CHARACTERS`, is that of a known program."""
    return bool(process) and (
        known(process) is not None or (len(process) == _NAME_CHARACTERS and any(one.startswith(process) for one in _EXACT))
    )


def names_a_screen(arguments: Iterable[str]) -> bool:
    """Whether arguments tell a program of many uses to read the screen."""
    said = [one.lower() for one in arguments]
    return any(word in one for one in said for word in _SCREEN_WORDS) or any(one.startswith(_WINDOWS_PICTURE) for one in said)


def installed() -> dict[Path, Tool]:
    """The known programs of this workstation, links resolved; programs that go through an interpreter are found by their script."""
    folders = [*_FOLDERS, *(one for one in os.environ.get("PATH", "").split(":") if one.startswith("/"))]
    found: dict[Path, Tool] = {}
    for folder in dict.fromkeys(os.path.realpath(one) for one in folders):
        try:
            names = os.listdir(folder)  # noqa: PTH208 - thousands of names
        except OSError:
            continue
        for name in names:
            if (tool := known(name)) is not None:
                real = Path(os.path.realpath(f"{folder}/{name}"))
                if real.is_file() and not _is_many(real.name):
                    found[real] = tool
    return found


def _is_many(name: str) -> bool:
    """One file with many names: starting it says nothing about what it does."""
    return name in {"busybox", "flatpak", "snap", "env"}
