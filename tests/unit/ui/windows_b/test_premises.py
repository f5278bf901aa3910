"""Key servers: asking them takes time and says so, the verbs of each role, errors beside their field, the harm before the verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui import strings
from ui.windows.people import PeoplePage
from ui.windows.premises import PremisesPage, _mark
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.services.ports import MetServer, PremisesFacts

Stage = Callable[..., Any]
THUMBPRINT = "Zq0PlOk9Mi8Nj7Bh6Vg5Cf4Xd3Zs2Aq1WsEdRfTgYhU"
ONE = PremisesFacts(1, stage.KEY_SERVERS.servers[:1])


def ready(on_stage: Stage, person: Any, **answers: Any) -> Any:
    on = on_stage(PremisesPage, person, 7, **answers)
    on.until(lambda: on.page._facts is not None and on.page.recovery.state is not None)
    return on


def states(on: Any) -> list[str]:
    return [_mark(row)[0] for row in on.page._rows.items]


def test_what_there_is_is_shown_and_no_server_is_asked_before_somebody_wants_it(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    assert on.page.table.hasFocus()
    assert states(on) == [strings.text("premises.not_asked")] * 2
    assert on.find("premises_heading").text() == strings.text("premises.heading", count=2)
    assert on.find("premises_remark").text() == strings.text("premises.must_answer", threshold=1, count=2)
    assert not on.asked("Premises.test")


def test_asking_takes_time_and_says_so_and_is_asked_once(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR)
    on.bridge.held_back.add("Premises.test")
    on.press(Qt.Key.Key_T)
    on.press(Qt.Key.Key_T)
    assert states(on) == [strings.text("premises.asking")] * 2
    assert not on.find("premises_test").isEnabled()
    on.bridge.release("Premises.test")
    assert states(on)[0].startswith(strings.text("premises.proven").partition("{")[0])
    assert states(on)[1] == strings.text("premises.failed.unreachable")
    assert on.find("premises_test").isEnabled()
    assert len(on.asked("Premises.test")) == 1


def test_an_administrator_adds_and_rotates_a_supervisor_takes_off(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.press(Qt.Key.Key_D)
    assert not on.there("premises_remove_sheet")
    assert [one.name for one in on.page.actions()] == ["premises.test", "premises.add", "premises.rotate", "premises.holders"]
    on.press(Qt.Key.Key_R)
    on.until(lambda: on.there("premises_rotate_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Premises.rotate") == [()])
    other = ready(on_stage, stage.SUPERVISOR)
    other.press(Qt.Key.Key_R)
    assert not other.there("premises_rotate_sheet")
    assert [one.name for one in other.page.actions()] == ["premises.test", "premises.add", "premises.remove"]


def test_an_administrator_asks_for_one_more_than_now_a_supervisor_for_as_few_as_they_like(on_stage: Stage) -> None:
    offered = []
    for person in (stage.ADMINISTRATOR, stage.SUPERVISOR):
        on = ready(on_stage, person)
        on.press(Qt.Key.Key_N, control=True)
        on.until(lambda: on.there("premises_add_sheet"))  # noqa: B023
        choice = on.find("premises_add_threshold")
        offered.append([choice.itemText(n) for n in range(choice.count())])
        on.press(Qt.Key.Key_Escape)
    assert offered == [["2 of 3", "3 of 3"], ["1 of 3", "2 of 3", "3 of 3"]]


def adding(on: Any, **fields: str) -> Any:
    on.press(Qt.Key.Key_N, control=True)
    on.until(lambda: on.there("premises_add_sheet"))
    given = {"name": "Substation", "address": "http://10.20.9.3:7500", "thumbprint": THUMBPRINT} | fields
    for name, words in given.items():
        on.fill(f"premises_add_{name}", words)
    on.press(Qt.Key.Key_Return, control=True)
    return on.find("premises_add_sheet")


def test_a_server_is_added_by_keys_alone(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.bridge.held_back.add("Premises.add")
    sheet = adding(on)
    assert on.asked("Premises.add") == [(MetServer("Substation", "http://10.20.9.3:7500"), THUMBPRINT, 2)]
    assert sheet.primary.accessibleName() == strings.text("premises.asking")
    on.press(Qt.Key.Key_Escape)
    assert on.there("premises_add_sheet"), "what was begun is waited for"
    on.bridge.release("Premises.add")
    on.until(lambda: not on.there("premises_add_sheet"))
    assert [row.server.name for row in on.page._rows.items][-1] == "Substation"


def test_the_first_server_is_bound_from_the_empty_page(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR, Premises__servers=stage.NO_KEY_SERVERS)
    on.until(lambda: on.find("premises_add_first").hasFocus())
    assert not on.there("premises_list")
    on.press(Qt.Key.Key_Space)
    on.until(lambda: on.there("premises_add_sheet"))
    assert not on.there("premises_add_threshold"), "one of one"
    on.press(Qt.Key.Key_Escape)
    other = ready(on_stage, stage.SUPERVISOR, Premises__servers=stage.NO_KEY_SERVERS)
    assert [one.name for one in other.page.actions()] == ["premises.add"]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", " "),
        ("name", "key ROOM"),
        ("address", "keys.station.example"),
        ("thumbprint", "nTQ2aGq1"),
        ("thumbprint", THUMBPRINT[:-1] + "="),
        ("certificate", "workstation.pem"),
        ("authority", "../front.pem"),
    ],
)
def test_what_cannot_stand_is_said_beside_its_field_and_not_sent(on_stage: Stage, field: str, typed: str) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    adding(on, **{field: typed})
    assert on.asked("Premises.add") == []
    assert on.find(f"premises_add_{field}").hasFocus()
    assert on.find(f"premises_add_{field}").accessibleDescription()


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (UnavailableError("premises.unreachable"), "address"),
        (RefusedError("premises.address"), "address"),
        (UnavailableError("premises.malformed"), "address"),
        (UnavailableError("premises.refused"), "thumbprint"),
        (UnavailableError("premises.not-let-in", status=400), "certificate"),
        (TamperError("premises.not-pinned"), "thumbprint"),
        (UnavailableError("premises.certificate"), "certificate"),
        (UnavailableError("premises.front-certificate"), "authority"),
        (RefusedError("premises.name-taken"), "name"),
        (UnavailableError("premises.others", threshold=2, servers=2), ""),
        (TamperError("premises.unsigned-key"), ""),
        (UnavailableError("keyring.locked"), ""),
    ],
    ids=lambda one: one.code if isinstance(one, VaultError) else one,
)
def test_what_a_server_says_is_told_beside_the_field_it_is_about(on_stage: Stage, error: VaultError, field: str) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR, Premises__add=error)
    sheet = adding(on)
    on.until(sheet.primary.isEnabled)
    if field:
        assert on.find(f"premises_add_{field}").accessibleDescription()
        assert on.find(f"premises_add_{field}").hasFocus()
        assert not sheet.error.isVisible()
    else:
        assert sheet.error.isVisible()
    assert on.find("premises_add_name").text() == "Substation"
    on.press(Qt.Key.Key_Escape)
    on.until(lambda: not on.there("premises_add_sheet"))


@pytest.mark.parametrize(("facts", "harm"), [(stage.KEY_SERVERS, "harm_some"), (ONE, "harm_last")], ids=["one of two", "the last"])
def test_taking_one_off_names_the_harm_and_starts_on_the_way_back(on_stage: Stage, facts: PremisesFacts, harm: str) -> None:
    on = ready(on_stage, stage.SUPERVISOR, Premises__servers=facts)
    on.press(Qt.Key.Key_D)
    on.until(lambda: on.there("premises_remove_sheet"))
    words = [one.text() for one in on.find("premises_remove_sheet").findChildren(type(on.find("premises_heading")))]
    assert strings.text(f"premises.remove_sheet.{harm}") in words
    assert on.find("premises_remove_cancel").hasFocus()
    on.press(Qt.Key.Key_Return)
    on.until(lambda: not on.there("premises_remove_sheet"))
    assert on.asked("Premises.remove") == []
    on.press(Qt.Key.Key_D)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Premises.remove") == [("Key room", 1)])
    on.until(lambda: not on.there("premises_remove_sheet"))
    assert len(on.page._rows.items) == len(facts.servers) - 1 or harm == "harm_last"


def test_escape_goes_back_to_people_and_people_lead_here(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR)
    gone: list[tuple[str, str]] = []
    on.page.go.connect(lambda key, what: gone.append((key, what)))
    on.press(Qt.Key.Key_Escape)
    assert gone == [("people", "")]
    people = on_stage(PeoplePage, stage.ADMINISTRATOR)
    people.page.go.connect(lambda key, what: gone.append((key, what)))
    people.find("people_premises").click()
    assert gone[-1] == ("premises", "")


def test_every_failure_has_its_words() -> None:
    from ui.windows.premises import _Row, _Stand

    server = stage.KEY_SERVERS.servers[0]
    codes = ("unreachable", "refused", "malformed", "certificate", "front-certificate", "wrong-answer", "not-pinned")
    words = {_mark(_Row(server, _Stand.FAILED, f"premises.{one}"))[0] for one in codes}
    assert len(words) == len(codes)


def test_a_small_screen_at_double_scale_shows_both_servers(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.frame.resize(640, 360)
    on.until(on.page._split.narrow)
    on.until(lambda: on.page.table.verticalScrollBar().maximum() == 0)
