"""Fixtures every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.screen import Screen, x_server
from tests.station import Station
from vault.domain.identity import Role

# However pytest is started, the tests' vaults stay out of /tmp: every desk watches it, and one of another run would open their files.
if os.name == "posix":
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/var/tmp")

pytest_plugins = ["tests.secret_service", "tests.front"]

# How fast examples come says something of the machine, and nothing of what is tested.
settings.register_profile("casevault", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("casevault")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take longest begin first: a worker that came to one last would leave the others with nothing to do."""
    items.sort(key=_patience_seconds, reverse=True)


def _patience_seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


@pytest.fixture(scope="session", autouse=True)
def own_screen(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each of several workers has a display of its own: a sensor of one would report what another's tests do to a shared one."""
    if worker_id == "master" or not os.environ.get("DISPLAY"):
        yield
        return
    with x_server(tmp_path_factory.mktemp("screen")) as screen:
        os.environ.update(screen.environment)
        yield


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """An X server that nothing but this test uses."""
    with x_server(tmp_path / "screen") as made:
        yield made


OFFICER, COLLEAGUE, SECOND_SUPERVISOR, AUDITOR = "2001", "2002", "4002", "6001"


@pytest.fixture(scope="session")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Station:
    """A founded and staffed station, closed; copied for each test, because founding costs seconds of Argon2id."""
    made = Station(tmp_path_factory.mktemp("staffed") / "vault").found()
    made.enrol(OFFICER, "Olu Brandt", Role.OFFICER, "Team A")
    made.enrol(COLLEAGUE, "Petra Šimková", Role.OFFICER, "Team A")
    made.enrol(SECOND_SUPERVISOR, "Ruth Adeyemi", Role.SUPERVISOR, "Supervisors")
    made.enrol(AUDITOR, "Ivo Mertens", Role.AUDITOR, "Administration")
    made.vault.session.sign_out()
    made.close()
    return made


@pytest.fixture
def station(staffed: Station, tmp_path: Path) -> Iterator[Station]:
    """A staffed station of the test's own; closed at the end."""
    copy = staffed.copy_to(tmp_path / "vault")
    yield copy
    copy.close()


@pytest.fixture
def fresh_station(tmp_path: Path) -> Iterator[Station]:
    """A station with its three founders only."""
    made = Station(tmp_path / "fresh").found()
    yield made
    made.close()
    shutil.rmtree(made.directory)
