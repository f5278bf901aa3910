"""The look: colours, type and shape from `tokens.toml`, applied to the application once and again when the scheme changes.

Rules of this module:

- Every colour, size and font in `ui` comes from here. Nothing else names a colour.
- State colours (amber, red, green) mean state. `soft` grounds are derived, so that the contrast test covers what is painted.
- Widgets ask at paint time and repaint on `QEvent.PaletteChange`, so that changing the scheme needs no restart and no list of widgets.
- Before the first paint every Qt class touched costs: enums are built then (the `Qt` namespace and QStyle are a third of a bare window's
  start). So `apply_first` asks for neither, some imports are late, and tokens are named tuples, which need no `dataclasses`.
- Reduced motion and the scheme follow the system; `CASEVAULT_SCHEME` (light, dark) and `CASEVAULT_REDUCED_MOTION=1` say otherwise.

Thread: the interface's main thread. Raises `DefectError` theme.tokens when the token file is not what the code expects.
"""

from __future__ import annotations

import enum
import os
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from ui.resource_files import RESOURCES, read_flat
from vault.errors import DefectError

if TYPE_CHECKING:
    from PySide6.QtGui import QBrush
    from PySide6.QtWidgets import QWidget


class Scheme(enum.Enum):
    """Light or dark."""

    LIGHT = "light"
    DARK = "dark"


class Colour(enum.Enum):
    """A colour by what it is for. Values ending in ``_soft`` are derived grounds; the rest stand in the token file."""

    SURFACE_0 = "surface_0"
    SURFACE_1 = "surface_1"
    SURFACE_2 = "surface_2"
    SURFACE_3 = "surface_3"
    TEXT = "text"
    TEXT_QUIET = "text_quiet"
    TEXT_DISABLED = "text_disabled"
    DIVIDER = "divider"
    EDGE = "edge"
    ACCENT = "accent"
    ACCENT_TEXT = "accent_text"
    ON_ACCENT = "on_accent"
    AMBER = "amber"
    AMBER_FILL = "amber_fill"
    RED = "red"
    GREEN = "green"
    ON_RED = "on_red"
    BACKDROP = "backdrop"
    SHADOW = "shadow"
    FOUND = "found"
    FOUND_CURRENT = "found_current"
    FOUND_EDGE = "found_edge"
    ACCENT_SOFT = "accent_soft"
    AMBER_SOFT = "amber_soft"
    RED_SOFT = "red_soft"
    GREEN_SOFT = "green_soft"


class TypeSize(enum.Enum):
    """The type scale."""

    TINY = "tiny"
    SMALL = "small"
    BODY = "body"
    TITLE = "title"
    DISPLAY = "display"


class Weight(enum.Enum):
    """Emphasis is by weight, not by size."""

    REGULAR = 400
    MEDIUM = 500
    STRONG = 600


class Tone(enum.Enum):
    """What a mark says about a thing's state. Never shown by colour alone: an icon and a word go with it."""

    PLAIN = "plain"
    ACCENT = "accent"
    ATTENTION = "attention"
    BREACH = "breach"
    PROVEN = "proven"


class Shape(NamedTuple):
    """Measures in logical pixels (and one time) that widgets share."""

    grid_px: int
    radius_px: int
    row_px: int
    row_dense_px: int
    hit_px: int
    soft_percent: int
    motion_ms: int


class Tokens(NamedTuple):
    """One scheme, complete.

    `colours` maps every `Colour` to ``#RRGGBB``; `sizes_pt` every `TypeSize`.
    """

    scheme: Scheme
    colours: dict[Colour, str]
    sizes_pt: dict[TypeSize, int]
    family: str
    mono_family: str
    shape: Shape


_SOFT = {
    Colour.ACCENT_SOFT: Colour.ACCENT,
    Colour.AMBER_SOFT: Colour.AMBER_FILL,
    Colour.RED_SOFT: Colour.RED,
    Colour.GREEN_SOFT: Colour.GREEN,
}
_INK = {
    Tone.PLAIN: Colour.TEXT_QUIET,
    Tone.ACCENT: Colour.ACCENT_TEXT,
    Tone.ATTENTION: Colour.AMBER,
    Tone.BREACH: Colour.RED,
    Tone.PROVEN: Colour.GREEN,
}
_GROUND = {
    Tone.PLAIN: Colour.SURFACE_2,
    Tone.ACCENT: Colour.ACCENT_SOFT,
    Tone.ATTENTION: Colour.AMBER_SOFT,
    Tone.BREACH: Colour.RED_SOFT,
    Tone.PROVEN: Colour.GREEN_SOFT,
}
_FOREGROUND = {
    Colour.TEXT: QPalette.ColorRole.WindowText,
    Colour.TEXT_QUIET: QPalette.ColorRole.PlaceholderText,
    Colour.RED: QPalette.ColorRole.BrightText,
    Colour.ON_ACCENT: QPalette.ColorRole.HighlightedText,
    Colour.ACCENT_TEXT: QPalette.ColorRole.Link,
}
_FONT_FILES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")
# For names in scripts that Inter lacks (Arabic, Hebrew, Chinese …), on machines without other fonts: 5 MB not read for the first paint.
_FALLBACK_FONT_FILES = ("DejaVuSans.ttf", "DroidSansFallbackFull.ttf")
_FALLBACK_FAMILIES = ("DejaVu Sans", "Droid Sans Fallback")
_MONO_FILE = "DejaVuSansMono.ttf"


def load_tokens(scheme: Scheme) -> Tokens:
    """Read one scheme from the token file.

    Raises:
        DefectError: theme.tokens, a token is missing or is not what it should be.
    """
    try:
        flat = read_flat(RESOURCES / "theme" / "tokens.toml")
        colours = {c: str(flat[f"{scheme.value}.{c.value}"]) for c in Colour if c not in _SOFT}
        shape = Shape(**{name: int(flat[f"shape.{name}"]) for name in Shape._fields})
        for soft, base in _SOFT.items():
            colours[soft] = _mix(colours[base], colours[Colour.SURFACE_1], shape.soft_percent)
        return Tokens(
            scheme=scheme,
            colours=colours,
            sizes_pt={size: int(flat[f"type.{size.value}_pt"]) for size in TypeSize},
            family=str(flat["type.family"]),
            mono_family=str(flat["type.mono_family"]),
            shape=shape,
        )
    except (OSError, KeyError, ValueError) as error:
        raise DefectError("theme.tokens") from error


def _mix(over: str, under: str, percent: int) -> str:
    pairs = ((int(over[i : i + 2], 16), int(under[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{(o * percent + u * (100 - percent)) // 100:02X}" for o, u in pairs)


class _Applied:
    """What is on screen now: written by `apply_theme`, read by every paint."""

    def __init__(self) -> None:
        self.tokens = load_tokens(Scheme.LIGHT)
        self.colours: dict[Colour, QColor] = {}
        self.fonts: dict[tuple[TypeSize, Weight, bool, bool], QFont] = {}
        self.brushes = QPalette()
        self.fonts_registered = self.fallbacks_registered = False
        self.follows = False
        self.mono_registered = False
        self.reduced_motion: bool | None = None
        self.chosen: Scheme | None = None


_applied: _Applied | None = None


def _now() -> _Applied:
    global _applied  # noqa: PLW0603 -- one application, one look; passing it through every paint would say no more
    if _applied is None:
        _applied = _Applied()
    return _applied


def apply_theme(app: QApplication, scheme: Scheme | None = None) -> Tokens:
    """Dress the application: fonts, palette, style sheet. Call once before the first window, and again to change the scheme.

    Args:
        app: the application.
        scheme: None follows the system (and keeps following it), unless CASEVAULT_SCHEME names one.
    Returns:
        the tokens now in use.
    """
    now = _now()
    _register_fonts()
    _register_fallback_fonts()
    if not now.follows:
        app.setStyle("Fusion")
        _follow(app)
    now.chosen = scheme or _forced()
    _dress(app, now.chosen or _system_scheme())
    return now.tokens


STYLE_ARGUMENTS = ("-style", "fusion")
"""For the application's argument list: so that `apply_first` need not name the style."""


def apply_first(app: QApplication) -> None:
    """Dress the application for its first window, as cheaply as can be; `follow_system` does the rest after the first paint.

    Args:
        app: made with STYLE_ARGUMENTS; nothing has dressed it yet.
    """
    now = _now()
    # fontconfig starts with the first font. Our own configuration spares it half of what it would parse: 3 ms.
    os.environ["FONTCONFIG_FILE"] = str(RESOURCES / "fonts" / "fonts.conf")
    _register_fonts()
    del os.environ["FONTCONFIG_FILE"]
    now.chosen = _forced()
    # The platform's own palette says what its colour scheme is; asking for that by name would build the enums of Qt.
    middle = 128
    dark = app.palette().color(QPalette.ColorRole.Window).lightness() < middle
    _dress(app, now.chosen or (Scheme.DARK if dark else Scheme.LIGHT))


def follow_system(app: QApplication) -> None:
    """Follow the system's colour scheme from now on, and have the fonts of every script; after `apply_first`."""
    _register_fallback_fonts()
    _follow(app)
    _system_scheme_changed()


def _register_fonts() -> None:
    now = _now()
    if not now.fonts_registered:
        for name in _FONT_FILES:
            QFontDatabase.addApplicationFont(str(RESOURCES / "fonts" / name))
        now.fonts_registered = True


def _register_fallback_fonts() -> None:
    now = _now()
    if not now.fallbacks_registered:
        for name in _FALLBACK_FONT_FILES:
            QFontDatabase.addApplicationFont(str(RESOURCES / "fonts" / name))
        now.fallbacks_registered = True


def _follow(app: QApplication) -> None:
    if not _now().follows:
        _now().follows = True
        # The system's change arrives on the hints; a chosen scheme ignores it.
        app.styleHints().colorSchemeChanged.connect(_system_scheme_changed)


def _forced() -> Scheme | None:
    forced = os.environ.get("CASEVAULT_SCHEME")
    return Scheme(forced) if forced in {s.value for s in Scheme} else None


def _system_scheme() -> Scheme:
    from PySide6.QtCore import Qt  # noqa: PLC0415 -- after the first paint

    dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
    return Scheme.DARK if dark else Scheme.LIGHT


def _system_scheme_changed() -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and _now().chosen is None and _system_scheme() is not _now().tokens.scheme:
        _dress(app, _system_scheme())


def _dress(app: QApplication, scheme: Scheme) -> None:
    now = _now()
    if now.tokens.scheme is not scheme:
        now.tokens = load_tokens(scheme)
    now.colours = {role: QColor(value) for role, value in now.tokens.colours.items()}
    now.fonts.clear()
    now.reduced_motion = None
    app.setFont(font())
    app.setPalette(_palette())
    app.setStyleSheet(_style_sheet(now.tokens))


def tokens() -> Tokens:
    """Give the tokens on screen now."""
    return _now().tokens


def shape() -> Shape:
    """Give the measures on screen now."""
    return _now().tokens.shape


def colour(role: Colour) -> QColor:
    """Give a colour of the scheme on screen now. The QColor is shared: never change it."""
    now = _now()
    found = now.colours.get(role)
    if found is None:
        found = now.colours[role] = QColor(now.tokens.colours[role])
    return found


def brush(role: Colour) -> QBrush:
    """Give a solid brush of a colour. Made by a palette, because QBrush(QColor) builds the enums of Qt."""
    brushes = _now().brushes
    brushes.setColor(QPalette.ColorRole.Window, colour(role))
    return brushes.brush(QPalette.ColorRole.Window)


def set_foreground(widget: QWidget, role: Colour) -> None:
    """Have the widget's painters start with a pen of this ink, where the application's palette has it; see `painting.set_ink`."""
    widget.setForegroundRole(_FOREGROUND.get(role, QPalette.ColorRole.WindowText))


def ink(tone: Tone) -> Colour:
    """Give the text and icon colour of a state."""
    return _INK[tone]


def ground(tone: Tone) -> Colour:
    """Give the soft ground of a state."""
    return _GROUND[tone]


def motion_ms() -> int:
    """Give how long a change of place may move; 0 when the system asks for reduced motion."""
    now = _now()
    if now.reduced_motion is None:
        now.reduced_motion = os.environ.get("CASEVAULT_REDUCED_MOTION") == "1" or _system_is_still()
    return 0 if now.reduced_motion else now.tokens.shape.motion_ms


def _system_is_still() -> bool:
    from PySide6.QtWidgets import QStyle  # noqa: PLC0415 -- its enums cost 50 ms: not before the first paint

    return QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) == 0


def font(size: TypeSize = TypeSize.BODY, weight: Weight = Weight.REGULAR, *, tabular: bool = False, mono: bool = False) -> QFont:
    """Give a font of the scale.

    Args:
        size: a step of the scale; never a number.
        weight: emphasis.
        tabular: figures of one width, for numbers and times in columns.
        mono: hashes and report numbers only.
    """
    now = _now()
    key = (size, weight, tabular, mono)
    found = now.fonts.get(key)
    if found is not None:
        return found
    if mono and not now.mono_registered:
        QFontDatabase.addApplicationFont(str(RESOURCES / "fonts" / _MONO_FILE))
        now.mono_registered = True
    found = QFont()
    found.setFamilies([now.tokens.mono_family if mono else now.tokens.family, *_FALLBACK_FAMILIES])
    found.setPixelSize(round(now.tokens.sizes_pt[size] * _font_scale()))
    found.setWeight(QFont.Weight(weight.value))
    found.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if tabular and not mono:
        found.setFeature(QFont.Tag("tnum"), 1)
    now.fonts[key] = found
    return found


def _font_scale() -> float:
    screen = QGuiApplication.primaryScreen()
    reference_dpi = 96.0
    return max(1.0, screen.logicalDotsPerInch() / reference_dpi) if screen is not None else 1.0


def _palette() -> QPalette:
    role, palette = QPalette.ColorRole, QPalette()
    for which, ink_role in (
        (role.Window, Colour.SURFACE_0),
        (role.WindowText, Colour.TEXT),
        (role.Base, Colour.SURFACE_1),
        (role.AlternateBase, Colour.SURFACE_0),
        (role.Text, Colour.TEXT),
        (role.PlaceholderText, Colour.TEXT_QUIET),
        (role.Button, Colour.SURFACE_2),
        (role.ButtonText, Colour.TEXT),
        (role.BrightText, Colour.RED),
        (role.Highlight, Colour.ACCENT),
        (role.HighlightedText, Colour.ON_ACCENT),
        (role.ToolTipBase, Colour.SURFACE_3),
        (role.ToolTipText, Colour.TEXT),
        (role.Link, Colour.ACCENT_TEXT),
        (role.Mid, Colour.DIVIDER),
        (role.Dark, Colour.EDGE),
        (role.Shadow, Colour.SHADOW),
        (role.Accent, Colour.ACCENT),
    ):
        palette.setColor(which, colour(ink_role))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, colour(Colour.TEXT_DISABLED))
    return palette


_STYLE_SHEET = """
QLineEdit, QComboBox, QDateTimeEdit, QPlainTextEdit {{
    background: {surface_1}; color: {text}; border: 1px solid {edge}; border-radius: {radius_px}px; padding: 5px 9px;
    min-height: 20px; placeholder-text-color: {text_quiet};
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QLineEdit:focus, QComboBox:focus, QDateTimeEdit:focus, QPlainTextEdit:focus {{ border: 2px solid {accent_text}; padding: 4px 8px; }}
QLineEdit[refused="true"], QComboBox[refused="true"], QDateTimeEdit[refused="true"], QPlainTextEdit[refused="true"] {{
    border: 2px solid {red}; padding: 4px 8px;
}}
QLineEdit:disabled, QComboBox:disabled, QDateTimeEdit:disabled {{ background: {surface_0}; color: {text_disabled}; }}
QDateTimeEdit QLineEdit, QDateTimeEdit QLineEdit:focus {{ border: 0; padding: 0; min-height: 20px; background: transparent; }}
QComboBox::drop-down {{ border: 0; width: 20px; }}
QDateTimeEdit::up-button, QDateTimeEdit::down-button {{ border: 0; width: 0; height: 0; image: none; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{
    background: {surface_1}; color: {text}; border: 1px solid {edge}; outline: 0;
    selection-background-color: {surface_3}; selection-color: {text};
}}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{
    background: {edge}; border: 3px solid transparent; border-radius: 5px; background-clip: padding; min-height: 28px; min-width: 28px;
}}
QScrollBar::handle:hover {{ background: {text_quiet}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; width: 0; height: 0; }}
QToolTip {{ background: {surface_3}; color: {text}; border: 1px solid {edge}; padding: 4px 8px; }}
QMenu {{ background: {surface_1}; color: {text}; border: 1px solid {edge}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {surface_3}; }}
"""


def _style_sheet(used: Tokens) -> str:
    values: dict[str, str | int] = {role.value: value for role, value in used.colours.items()}
    return _STYLE_SHEET.format(radius_px=used.shape.radius_px, **values)
