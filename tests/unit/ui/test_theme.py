"""Contrast is arithmetic on the token file, for every pairing that is painted."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from ui import theme
from ui.theme import Colour, Scheme, Tokens, Tone, TypeSize, Weight

C = Colour
SURFACES = (C.SURFACE_0, C.SURFACE_1, C.SURFACE_2, C.SURFACE_3)
STATES = ((C.ACCENT_TEXT, C.ACCENT_SOFT), (C.AMBER, C.AMBER_SOFT), (C.RED, C.RED_SOFT), (C.GREEN, C.GREEN_SOFT))
# Text on a ground: 4.5:1 (WCAG 2.2, 1.4.3).
TEXT = [
    *[(ink, surface) for ink in (C.TEXT, C.TEXT_QUIET) for surface in SURFACES],
    *[(ink, surface) for ink, _ in STATES for surface in SURFACES],
    *STATES,
    *[(C.TEXT, soft) for _, soft in STATES],
    *[(C.TEXT_QUIET, soft) for _, soft in STATES],
    (C.ON_ACCENT, C.ACCENT),
    (C.ON_RED, C.RED),
]
# Edges, icons, focus rings and bars against what is beside them: 3:1 (1.4.11).
EDGES = [
    *[(C.EDGE, surface) for surface in SURFACES],
    *[(C.ACCENT_TEXT, surface) for surface in (*SURFACES, C.BACKDROP)],  # the focus ring
    *[(C.ACCENT, surface) for surface in (C.SURFACE_0, C.SURFACE_1, C.SURFACE_2)],  # the primary button
    (C.RED, C.SURFACE_1),
    (C.FOUND_EDGE, C.FOUND_CURRENT),
]


def _luminance(value: str) -> float:
    channels = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(tokens: Tokens, one: Colour, other: Colour) -> float:
    high, low = sorted((_luminance(tokens.colours[one]), _luminance(tokens.colours[other])), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(scheme: Scheme, ink: Colour, ground: Colour) -> None:
    assert _contrast(theme.load_tokens(scheme), ink, ground) >= 4.5


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_can_be_seen(scheme: Scheme, edge: Colour, ground: Colour) -> None:
    assert _contrast(theme.load_tokens(scheme), edge, ground) >= 3.0


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("tone", Tone)
def test_every_tone_is_a_tested_pairing(scheme: Scheme, tone: Tone) -> None:
    assert (theme.ink(tone), theme.ground(tone)) in TEXT


def test_the_scale_is_the_one_of_the_design() -> None:
    tokens = theme.load_tokens(Scheme.LIGHT)
    assert [tokens.sizes_pt[size] for size in TypeSize] == [11, 12, 13, 16, 22]
    assert tokens.shape.grid_px == 4
    assert (tokens.shape.row_px, tokens.shape.row_dense_px, tokens.shape.hit_px) == (32, 28, 28)
    assert all(px % 4 == 0 for px in (tokens.shape.row_px, tokens.shape.row_dense_px, tokens.shape.hit_px))


def test_fonts_are_ours(desk: QApplication) -> None:
    assert QFontInfo(theme.font()).family() == "Inter"
    assert QFontInfo(theme.font(weight=Weight.STRONG)).weight() == 600
    assert QFontInfo(theme.font(mono=True)).family() == "DejaVu Sans Mono"


def test_a_scheme_changes_what_is_on_screen(desk: QApplication) -> None:
    theme.apply_theme(desk, Scheme.DARK)
    dark = theme.load_tokens(Scheme.DARK).colours[Colour.SURFACE_0]
    assert desk.palette().color(QPalette.ColorRole.Window).name().upper() == dark
    assert theme.colour(Colour.SURFACE_0).name().upper() == dark


def test_reduced_motion_is_none(desk: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEVAULT_REDUCED_MOTION", "1")
    theme.apply_theme(desk, Scheme.LIGHT)
    assert theme.motion_ms() == 0
