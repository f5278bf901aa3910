"""What the desk loads before its first paint, and that the short cuts it takes there are Qt's own values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from ui import theme
from ui.resource_files import RESOURCES
from ui.theme import Colour
from ui.widgets import painting
from ui.widgets.buttons import Button
from ui.widgets.early import set_properties
from ui.widgets.field import LineField
from ui.widgets.label import Label
from ui.widgets.passphrase_field import PassphraseField
from vault.errors import DefectError

ROOT = Path(__file__).resolve().parents[3]

# Enums are noted as they are built: PySide6 builds those of a class when it is first touched.
_PROGRAM = """
import enum, json, linecache, os, sys
made, build = [], enum.EnumType.__new__
def note(kind, name, *rest, **more):
    made.append(name)
    return build(kind, name, *rest, **more)
enum.EnumType.__new__ = note
import ui.app
def first_paint(routing):
    found = {"modules": sorted(sys.modules), "enums": made, "sources": list(linecache.cache), "variables": list(os.environ)}
    print(json.dumps(found), flush=True)
    os._exit(0)
ui.app.Routing._start = first_paint
ui.app.main(["--vault", "nowhere"])
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("config"))}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_only_the_sign_in_is_imported_before_the_first_paint(first: dict[str, list[str]]) -> None:
    assert [name for name in first["modules"] if name.partition(".")[0] in {"ui", "vault"}] == [
        "ui",
        "ui.app",
        "ui.bare_import",
        "ui.icons",
        "ui.resource_files",
        "ui.strings",
        "ui.theme",
        "ui.widgets",
        "ui.widgets.buttons",
        "ui.widgets.early",
        "ui.widgets.field",
        "ui.widgets.label",
        "ui.widgets.painting",
        "ui.widgets.passphrase_field",
        "ui.windows",
        "ui.windows.quiet_page",
        "ui.windows.sign_in",
        "vault",
        "vault.errors",
    ]


@pytest.mark.parametrize(
    "name",
    ["msgspec", "cryptography", "sqlalchemy", "sqlcipher3", "tomllib", "dataclasses", "subprocess", "asyncio"],
)
def test_nothing_heavy_is_imported_before_the_first_paint(first: dict[str, list[str]], name: str) -> None:
    assert name not in first["modules"]


def test_of_qt_only_core_gui_and_widgets_are_imported_before_the_first_paint(first: dict[str, list[str]]) -> None:
    assert [name for name in first["modules"] if name.startswith("PySide6.Qt")] == ["PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets"]


def test_no_source_of_ours_is_read_before_the_first_paint(first: dict[str, list[str]]) -> None:
    assert [path for path in first["sources"] if Path(path).is_relative_to(ROOT / "ui")] == [str(ROOT / "ui" / "__init__.py")]


def test_our_font_configuration_is_well_formed_and_is_handed_to_nobody_else(first: dict[str, list[str]]) -> None:
    folders = [element.text for element in ElementTree.parse(RESOURCES / "fonts" / "fonts.conf").iter("dir")]
    assert folders == ["/usr/share/fonts", "/usr/local/share/fonts"]
    assert "FONTCONFIG_FILE" not in first["variables"]


@pytest.mark.parametrize("name", ["Key", "WidgetAttribute", "AlignmentFlag", "PixelMetric", "StandardPixmap", "ScrollState"])
def test_enums_of_qt_its_style_and_all_events_are_not_built_before_the_first_paint(first: dict[str, list[str]], name: str) -> None:
    assert "Colour" in first["enums"]  # the note is taken
    assert name not in first["enums"]


def test_flags_by_number_are_qts() -> None:
    assert Qt.AlignmentFlag.AlignLeft.value == painting.ALIGN_LEFT
    assert Qt.AlignmentFlag.AlignVCenter.value == painting.ALIGN_VCENTER
    assert (
        Qt.AlignmentFlag.AlignAbsolute.value | Qt.AlignmentFlag.AlignVCenter.value | Qt.TextFlag.TextSingleLine.value == painting._ONE_LINE
    )
    assert Qt.TextFlag.TextSingleLine.value == painting.SINGLE_LINE
    assert Qt.TextFlag.TextWordWrap.value == painting.WORD_WRAP


def test_a_label_starts_as_a_qlabel_is_aligned(qapp: QApplication) -> None:
    assert QLabel().alignment().value == (painting.ALIGN_LEFT | painting.ALIGN_VCENTER)


def test_properties_by_name_arrive(qapp: QApplication) -> None:
    label, code, passphrase, button = Label("words"), LineField("code", copy_disabled=True, digits=True), PassphraseField("p"), Button("Go")
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert label.textInteractionFlags() == Qt.TextInteractionFlag.NoTextInteraction
    assert code.line.contextMenuPolicy() is Qt.ContextMenuPolicy.PreventContextMenu
    sensitive = Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText | Qt.InputMethodHint.ImhNoAutoUppercase
    assert code.line.inputMethodHints() == Qt.InputMethodHint.ImhDigitsOnly | sensitive
    assert passphrase.line.inputMethodHints() == Qt.InputMethodHint.ImhHiddenText | sensitive
    assert button.focusPolicy() is Qt.FocusPolicy.StrongFocus
    button.ensurePolished()
    assert button.testAttribute(Qt.WidgetAttribute.WA_Hover)


@pytest.mark.parametrize("values", [{"focusPolicy": "VeryStrongFocus"}, {"focusPolity": "StrongFocus"}])
def test_a_property_that_is_not_qts_is_a_defect(qapp: QApplication, values: dict[str, str]) -> None:
    with pytest.raises(DefectError):
        set_properties(QLabel(), **values)


@pytest.mark.parametrize("role", list(Colour))
def test_a_brush_has_its_colour(qapp: QApplication, role: Colour) -> None:
    assert theme.brush(role).color() == theme.colour(role)
    assert theme.brush(role).style() is Qt.BrushStyle.SolidPattern
