"""What is loaded and built after the first paint, while the passphrase is typed: in pieces, so that no key waits long for one.

Rules of this module:

- A piece is one import, one widget or a few classes of Qt; between two pieces the event loop has its turn. What others import comes before
  them, or its time would be theirs.
- Widgets built here are thrown away, but for what the caller keeps: PySide6 pays for a class, a signal or a font when it is first used, and
  a sign-in that pays for all of them at once stands still for a quarter of a second.
- Nothing of a person or a case is touched: nobody is signed in yet.

LIMIT: one piece cannot be cut further: `vault.services.views` makes some sixty dataclasses, 30 to 40 ms.

Thread: the interface's main thread.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.bridge import Bridge

_PIECE_SECONDS = 0.004

BEFORE_THE_BRIDGE = (
    "threading",
    "socket",
    "queue",
    "logging.handlers",
    "hmac",
    "secrets",
    "ui.incident_log",
    "subprocess",
    "ui.bridge",
    "vault.services.page_memory",
)
"""What starting the vault process needs."""

AFTER_IT = (
    "json",
    "dataclasses",
    "msgspec",
    "vault.domain.identity",
    "vault.domain.audit",
    "vault.domain.protection",
    "vault.domain.access",
    "vault.domain.breach",
    "vault.domain.casefile",
    "vault.domain.custody",
    "vault.domain.policy",
    "vault.domain.reading_rules",
    "vault.services.operation",
    "vault.services.locksmith",
    "vault.services.views",
    "vault.services.events",
    "vault.services.wire",
    "vault.services.ports",
    "vault.services.world",
    "vault.services.session",
    "ui.icons",
    "ui.messages",
    "ui.windows.lock",
    "vault.services.cases",
    "vault.services.custody",
    "vault.services.register",
    "vault.services.desk",
    "vault.services.rendition",
    "vault.services.reading",
    "vault.services.breach",
    "ui.widgets.painted_text",
    "ui.widgets.inspector",
    "ui.widgets.notice_bar",
    "ui.widgets.palette",
    "ui.widgets.protection_strip",
    "ui.widgets.rail",
    "ui.widgets.frame",
    "ui.widgets.cells",
    "ui.widgets.row_window",
    "ui.widgets.record_table",
    "ui.windows.case_list",
    "ui.widgets.chosen_field",
    "ui.widgets.text_field",
    "ui.windows.act_sheet",
    "ui.windows.check_out",
    "ui.windows.case_inspector",
    "ui.windows.check_in",
    "ui.windows.holdings",
    "ui.windows.live_page",
    "ui.windows.desk",
    "ui.widgets.protected_page",
    "ui.guard.interceptor",
    "ui.windows.notice",
    "ui.windows.protection_words",
    "ui.windows.shell",
    "ui.windows.reader_bar",
    "ui.windows.reader",
    "ui.windows.find",
)
"""What a session shows first, first."""


def pieces(start_bridge: Callable[[], Bridge], make_lock_page: Callable[[], object]) -> Iterator[None]:
    """Do everything, a piece between two steps of the iterator.

    Args:
        start_bridge: starts the vault process, as soon as what it needs is here; gives its bridge, of which nothing is asked here.
        make_lock_page: makes the page that a lock shows, which must be there before it is needed in a hurry.
    """
    for name in BEFORE_THE_BRIDGE:
        importlib.import_module(name)
        yield
    bridge = start_bridge()
    yield
    for name in AFTER_IT:
        importlib.import_module(name)
        yield
    yield from _classes()
    make_lock_page()
    yield
    yield from _widgets(bridge)


def _classes() -> Iterator[None]:
    """Have PySide6 build every class with its enums: asked for an object that it did not make, it builds all of a module at once."""
    from PySide6 import QtCore, QtGui, QtWidgets  # noqa: PLC0415 -- as everything here, after the first paint

    until = time.perf_counter() + _PIECE_SECONDS
    for module, name in [(one, name) for one in (QtCore, QtGui, QtWidgets) for name in dir(one)]:
        getattr(module, name)
        if time.perf_counter() > until:
            yield
            until = time.perf_counter() + _PIECE_SECONDS
    QtWidgets.QScrollArea().viewport()
    yield


def _widgets(bridge: Bridge) -> Iterator[None]:
    """Build and lay out once what the first desk is made of."""
    from PySide6.QtCore import QRect  # noqa: PLC0415
    from PySide6.QtWidgets import QWidget  # noqa: PLC0415

    from ui import strings  # noqa: PLC0415
    from ui.icons import IconName  # noqa: PLC0415
    from ui.widgets.empty_state import EmptyState  # noqa: PLC0415
    from ui.widgets.frame import Frame  # noqa: PLC0415
    from ui.widgets.scroll_column import ScrollColumn  # noqa: PLC0415
    from ui.windows.case_list import CaseList  # noqa: PLC0415
    from ui.windows.holdings import HoldingList, QuietRows  # noqa: PLC0415
    from ui.windows.live_page import PageHead  # noqa: PLC0415

    makes: tuple[Callable[[], QWidget], ...] = (
        lambda: Frame(strings.text("app.name")),
        HoldingList,
        lambda: QuietRows("warm_up"),
        lambda: CaseList(bridge, "warm_up"),
        lambda: PageHead("warm_up", strings.text("desk.title")),
        lambda: EmptyState(IconName.CASE, strings.text("desk.no_cases"), strings.text("desk.no_cases_hint")),
        ScrollColumn,
    )
    yield
    for make in makes:
        widget = make()
        yield
        widget.resize(640, 400)
        widget.grab(QRect(0, 0, 1, 1))  # polished, laid out and painted
        yield
        widget.deleteLater()
