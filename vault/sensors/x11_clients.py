"""The clients of the display and what was thought of each: one ledger for the watching thread and for whoever asks before a page.

Rules:

- A client is looked at once, when it is first seen, and its standing kept until it is gone: 0.1 ms a question afterwards. One whose process
  seemed to be gone is looked at again for as long as it is connected. One that was vouched for has its turn again, one client every
  `_AGAIN_SECONDS`: code can be put into a program while it runs, and it can become another.
- A number of the display is given out again when its client went; a client is therefore its number and its process.
- The display knows who connected, not who has the connection now: a program can hand it to a child and end, or become another. Whoever
  holds one is therefore looked for among all processes: at the first question, soon after a client came, and every
  `_HOLDERS_EVERY_SECONDS`.
- A client that ended before it could be looked at is nobody's report: ordinary programs (xset, xclip -o) come and go within milliseconds.

LIMIT: a holder whose descriptors this account may not read is not found.
LIMIT: so long, times the number of clients, passes before such a one is noticed.

Thread: any; each caller brings a connection of its own.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass

from vault.sensors import sockets
from vault.sensors.officers_view import looking_at_programs
from vault.sensors.programs import Program, Standing, Vouching
from vault.sensors.x11_wire import Client, Connection, X11Error

_AGAIN_SECONDS = 1.0
_LOOK_SECONDS = 3.0  # it takes milliseconds
_HOLDERS_EVERY_SECONDS, _HOLDERS_SOON_SECONDS = 15.0, 0.3  # it takes some 20 ms


@dataclass(frozen=True, slots=True)
class Sight:
    """A client of the display and the program behind it. `is_new`: nobody was told of it before.

    The client's `base` is 0 where the program holds a connection that another one made.
    """

    client: Client
    program: Program
    is_new: bool


class ClientLedger:
    """Who is connected, and who of them nobody vouches for."""

    def __init__(self, vouching: Vouching) -> None:
        self._vouching = vouching
        self._known: dict[Client, Program] = {}
        self._lock = threading.Lock()
        self._turns: list[Client] = []  # who is looked at again next, last first
        self._again_at = 0.0
        self._holders: tuple[Program, ...] = ()  # they have a connection that another program made, and nobody vouches for them
        self._holders_at = 0.0

    @looking_at_programs()
    def look(self, connection: Connection) -> list[Sight]:
        """Give the clients that nobody vouches for, and those that went before they could be looked at.

        Raises:
            X11Error: the connection is gone, or whoever looks already does not come back.
        """
        clients = connection.clients()
        if not self._lock.acquire(timeout=_LOOK_SECONDS):
            raise X11Error("somebody else is still looking")
        try:
            before, self._known = self._known, {}
            found = []
            again = self._whose_turn(before)
            for client in clients:
                program = None if client == again else before.get(client)
                is_new = client not in before
                if program is None or program.standing is Standing.GONE:  # still connected: so it was not, or hides it
                    program = self._vouching.look(client.pid, is_client=True)
                self._known[client] = program
                if program.standing is not Standing.VOUCHED:
                    found.append(Sight(client, program, is_new))
            now = time.monotonic()
            if before and self._known.keys() - before.keys():
                self._holders_at = min(self._holders_at, now + _HOLDERS_SOON_SECONDS)
            if now >= self._holders_at:
                self._holders_at = now + _HOLDERS_EVERY_SECONDS
                self._holders = self._look_at_holders(connection)
            for one in self._holders:
                if self._vouching.look(one.pid).standing is not Standing.GONE:
                    found.append(Sight(Client(0, one.pid), one, is_new=False))
            return found
        finally:
            self._lock.release()

    def _look_at_holders(self, connection: Connection) -> tuple[Program, ...]:
        with socket.socket(fileno=os.dup(connection.fileno())) as display:
            place = display.getpeername()
        ends = sockets.clients_of_display(os.fsdecode(place).lstrip("\0")) or frozenset()
        seen = {client.pid for client in self._known}
        found = []
        for pid in [int(one) for one in os.listdir("/proc") if one.isdecimal()]:  # noqa: PTH208
            if pid not in seen and ends & (sockets.sockets_of(pid) or frozenset()) and not self._vouching.is_ours(pid):
                program = self._vouching.look(pid, is_client=True)
                if program.standing in (Standing.STRANGER, Standing.CAPTURES):
                    found.append(program)
        return tuple(found)

    def _whose_turn(self, known: dict[Client, Program]) -> Client | None:
        now = time.monotonic()
        if now < self._again_at:
            return None
        self._again_at = now + _AGAIN_SECONDS
        if not self._turns:
            self._turns = [client for client, program in known.items() if program.standing is Standing.VOUCHED]
        return self._turns.pop() if self._turns else None
