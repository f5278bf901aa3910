"""A picture of a page leads back to the view it was made of: for a supervisor or an auditor, recorded, and by nothing but the mark."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER
from tests.journeys.crew import Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR
from vault.domain.audit import AuditKind
from vault.domain.protection import ProtectionState
from vault.services.views import PageImage

TEXT = "\n".join(f"line {number} of a statement that somebody photographs" for number in range(200))


def picture_of(crew: Crew, image: PageImage) -> Image.Image:
    """The page as the screen shows it."""
    with crew.station.pages.view(image.slot) as slot:
        pixels = bytes(slot[: image.stride_bytes * image.height_px])
    return Image.frombytes("RGB", (image.width_px, image.height_px), pixels, "raw", "BGRX")


def test_a_screenshot_names_the_view_to_those_who_may_ask_and_the_question_is_recorded(crew: Crew, tmp_path: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, TEXT)
    held = crew.take(OFFICER, case_id)
    reading, document_id = crew.vault.reading, crew.first_document(held.check_out_id)
    seen = [reading.view_page(held.check_out_id, document_id, page_no, 96, 0) for page_no in (1, 2, 1)]
    shot = tmp_path / "leaked.jpg"
    image = seen[2]
    picture_of(crew, image).crop((40, 60, 700, 700)).save(shot, quality=60)
    reading.leave_page()
    crew.at(SUPERVISOR)
    found = crew.vault.tracing.trace(str(shot))
    assert found.named
    assert (found.audit_seq, found.page_no, found.document_id) == (image.audit_seq, 1, document_id)
    assert found.officer is not None
    assert found.officer.badge_no == OFFICER
    assert (found.workstation_name, found.check_out_id) == (crew.vault.world.station.workstation_name, held.check_out_id)
    asked = crew.trail(AuditKind.TRACE_ASKED)[-1]
    assert f'["named",{image.audit_seq}]' in asked.facts.replace(" ", "")
    number = found.case_label
    crew.at(AUDITOR)
    found = crew.vault.tracing.trace(str(shot))
    assert found.named
    assert found.case_label != number, "an auditor is told an opaque reference"


def test_an_unmarked_picture_names_nobody_and_that_is_recorded(crew: Crew, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    Image.new("RGB", (800, 1000), "white").save(page)
    crew.at(SUPERVISOR)
    asked = len(crew.trail(AuditKind.TRACE_ASKED))
    found = crew.vault.tracing.trace(str(page))
    assert not found.named
    assert found.officer is None
    assert found.score < found.threshold
    entries = crew.trail(AuditKind.TRACE_ASKED)
    assert len(entries) == asked + 1
    assert '["named",0]' in max(entries, key=lambda one: one.seq).facts.replace(" ", "")


@pytest.mark.parametrize("badge_no", [OFFICER, COLLEAGUE, CUSTODIAN, ADMINISTRATOR])
def test_who_may_not_ask_learns_nothing(crew: Crew, tmp_path: Path, badge_no: str) -> None:
    page = tmp_path / "page.png"
    Image.new("RGB", (300, 300), "white").save(page)
    crew.at(badge_no)
    with refused("access.not-your-role"):
        crew.vault.tracing.trace(str(page))


def _png_bomb() -> bytes:
    file = io.BytesIO()
    Image.new("1", (60_000, 60_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("nothing.png", b"", "document.empty"),
        ("words.png", b"these are words\n" * 50, "document.kind-unsupported"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "document.damaged"),
        ("missing.png", None, "intake.unreadable"),
    ],
)
def test_a_hostile_picture_costs_one_refusal(crew: Crew, tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    crew.at(SUPERVISOR)
    with refused(code):
        crew.vault.tracing.trace(str(path))
    with refused("intake.not-a-file"):
        crew.vault.tracing.trace(str(tmp_path))


@pytest.mark.slow
def test_a_picture_that_would_fill_the_memory_is_refused(crew: Crew, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_bomb())
    crew.at(SUPERVISOR)
    with refused("document.too-large"):
        crew.vault.tracing.trace(str(path))


def test_the_protection_says_what_its_self_test_found(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    tracing = crew.vault.tracing
    tracing.self_test()
    assert (tracing.status().state, tracing.status().reason) == (ProtectionState.DETECTED, "read-back")
    monkeypatch.setattr(tracing, "_tools", type(tracing._tools)(tracing._tools.parser, tracing._tools.impression, lambda _chips: 1.0))
    tracing.self_test()
    assert (tracing.status().state, tracing.status().reason) == (ProtectionState.UNAVAILABLE, "not-read-back")
