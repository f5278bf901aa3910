"""Fence reading: the page memory never holds more of a page than its veil and a band; by policy or by marking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conftest import COLLEAGUE, OFFICER
from tests.journeys.crew import Crew, refused
from tests.station import CUSTODIAN
from vault.domain.audit import AuditKind
from vault.domain.identity import CheckOutId, DocumentId
from vault.errors import DefectError
from vault.services.views import BandImage, PageImage

DPI = 100
Held = tuple[CheckOutId, DocumentId]


@pytest.fixture
def fenced(crew: Crew) -> Iterator[tuple[Crew, Held]]:
    """A page of text on screen, fenced."""
    shipped = crew.vault.world.policy
    case_id = crew.new_case(CUSTODIAN, OFFICER, "\n".join(f"line {number} of what was said" for number in range(200)))
    held = crew.take(OFFICER, case_id)
    crew.vault.world.policy = replace(shipped, fence_reading="always")
    yield crew, (held.check_out_id, crew.first_document(held.check_out_id))
    crew.at(OFFICER)
    crew.vault.reading.leave_page()
    crew.vault.world.policy = shipped


def rows_of(crew: Crew, image: PageImage | BandImage) -> list[bytes]:
    view = crew.station.pages.view(image.slot)
    try:
        return [bytes(view[row * image.stride_bytes : (row + 1) * image.stride_bytes]) for row in range(image.height_px)]
    finally:
        view.release()


def test_the_page_memory_holds_a_veil_and_a_band_and_nothing_else_of_the_page(fenced: tuple[Crew, Held]) -> None:
    crew, held = fenced
    policy = crew.vault.world.policy
    crew.vault.world.policy = replace(policy, fence_reading="never")
    whole = crew.vault.reading.view_page(*held, 1, DPI, 0)
    assert whole.veil_of_px is None
    rows = rows_of(crew, whole)
    crew.vault.reading.leave_page()
    crew.vault.world.policy = policy

    veil = crew.vault.reading.view_page(*held, 1, DPI, 0)
    assert veil.veil_of_px == (whole.width_px, whole.height_px)
    assert veil.width_px <= whole.width_px // 20
    assert veil.height_px <= whole.height_px // 20
    band = crew.vault.reading.show_band(*held, 1, 0.0, 0.3, 1.0, 0.4)
    assert (band.left_px, band.width_px) == (0, whole.width_px)
    assert abs(band.top_px - 0.3 * whole.height_px) <= 1
    assert abs(band.height_px - 0.1 * whole.height_px) <= 2
    inked = [number for number, row in enumerate(rows) if len(set(row)) > 40]
    inside = [number for number in inked if band.top_px <= number < band.top_px + band.height_px]
    outside = [number for number in inked if number not in range(band.top_px - 1, band.top_px + band.height_px + 1)]
    assert inside, "there is text in the band"
    assert len(outside) > 3 * len(inside), "and much more outside it"
    memory = b"".join(bytes(crew.station.pages.view(slot)) for slot in (0, 1))
    # The mark differs from view to view, so a row is looked for by its darkest pixels: what carries the text.
    dark = [min(row[0::4]) for row in rows_of(crew, band)]
    assert min(dark) < 128, "the band is readable"
    used = veil.width_px * veil.height_px * 4 + band.stride_bytes * band.height_px
    assert len(memory) - memory.count(0) <= used, "nothing but the veil and the band"
    crew.vault.reading.leave_page()
    assert not crew.something_to_see()


def test_a_band_is_cut_to_a_quarter_of_the_page(fenced: tuple[Crew, Held]) -> None:
    crew, held = fenced
    veil = crew.vault.reading.view_page(*held, 1, DPI, 0)
    assert veil.veil_of_px is not None
    for left, top, right, bottom in ((0.0, 0.0, 1.0, 1.0), (0.0, 0.5, 1.0, 1.0), (0.2, 0.0, 0.7, 1.0)):
        band = crew.vault.reading.show_band(*held, 1, left, top, right, bottom)
        assert band.width_px * band.height_px <= 0.251 * veil.veil_of_px[0] * veil.veil_of_px[1]


def test_a_band_is_of_the_page_on_screen_and_of_nobody_elses(fenced: tuple[Crew, Held]) -> None:
    crew, held = fenced
    with refused("reading.left"):
        crew.vault.reading.show_band(*held, 1, 0, 0, 1, 0.1)
    crew.vault.reading.view_page(*held, 1, DPI, 0)
    with refused("reading.left"):
        crew.vault.reading.show_band(*held, 2, 0, 0, 1, 0.1)
    for nonsense in ((0, 0.2, 1, 0.1), (-1, 0, 1, 0.1), (0, 0, 2, 0.1), (0, 0, float("nan"), 0.1)):
        with pytest.raises(DefectError, match=r"reading\.band"):
            crew.vault.reading.show_band(*held, 1, *nonsense)
    crew.vault.reading.leave_page()
    with refused("reading.left"):
        crew.vault.reading.show_band(*held, 1, 0, 0, 1, 0.1)
    crew.vault.reading.view_page(*held, 1, DPI, 0)
    views = len(crew.trail(AuditKind.PAGE_VIEWED))
    crew.vault.reading.show_band(*held, 1, 0, 0, 1, 0.1)
    assert len(crew.trail(AuditKind.PAGE_VIEWED)) == views, "the view is recorded, its bands are not"
    crew.at(COLLEAGUE)
    with refused("custody.not-held"):
        crew.vault.reading.show_band(*held, 1, 0, 0, 1, 0.1)


def test_the_marking_decides_where_policy_says_so(fenced: tuple[Crew, Held]) -> None:
    crew, held = fenced
    crew.vault.world.policy = replace(crew.vault.world.policy, fence_reading="restricted")
    assert crew.vault.reading.view_page(*held, 1, DPI, 0).veil_of_px is None, "an official case"
    assert crew.vault.reading.open_file(held[0]).fence_percent == 0
    crew.vault.world.policy = replace(crew.vault.world.policy, fence_reading="always", fence_band_percent=12)
    assert crew.vault.reading.open_file(held[0]).fence_percent == 12
