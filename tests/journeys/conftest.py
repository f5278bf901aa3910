"""One crew a module: its tests each register cases of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import Crew
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station

EVERYBODY = (ADMINISTRATOR, AUDITOR, CUSTODIAN, SECOND_SUPERVISOR, SUPERVISOR, COLLEAGUE, OFFICER)


@pytest.fixture(scope="module")
def crew(staffed: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    folder = tmp_path_factory.mktemp("crew")
    station = staffed.copy_to(folder / "vault")
    yield Crew.of(station, folder, EVERYBODY)
    station.close()
