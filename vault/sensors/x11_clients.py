"""The clients of the display and what was thought of each: one ledger for the watching thread and for whoever asks before a page.

Rules:

- A client is looked at once, when it is first seen, and its standing kept until it is gone: 0.1 ms a question afterwards. One whose process
  seemed to be gone is looked at again for as long as it is connected.
- A number of the display is given out again when its client went; a client is therefore its number and its process.
- A client that ended before it could be looked at is nobody's report: ordinary programs (xset, xclip -o) come and go within milliseconds.

LIMIT: a process that connects and then executes another program keeps its connection and its standing.

Thread: any; each caller brings a connection of its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from vault.sensors.programs import Program, Standing, Vouching
from vault.sensors.x11_wire import Client, Connection


@dataclass(frozen=True, slots=True)
class Sight:
    """A client of the display and the program behind it. `is_new`: nobody was told of it before."""

    client: Client
    program: Program
    is_new: bool


class ClientLedger:
    """Who is connected, and who of them nobody vouches for."""

    def __init__(self, vouching: Vouching) -> None:
        self._vouching = vouching
        self._known: dict[Client, Program] = {}
        self._lock = threading.Lock()

    def look(self, connection: Connection) -> list[Sight]:
        """Give the clients that nobody vouches for, and those that went before they could be looked at.

        Raises:
            X11Error: the connection is gone.
        """
        clients = connection.clients()
        with self._lock:
            before, self._known = self._known, {}
            found = []
            for client in clients:
                program = before.get(client)
                is_new = program is None
                if program is None or program.standing is Standing.GONE:  # still connected: so it was not, or hides it
                    program = self._vouching.look(client.pid, is_client=True)
                self._known[client] = program
                if program.standing is not Standing.VOUCHED:
                    found.append(Sight(client, program, is_new))
            return found
