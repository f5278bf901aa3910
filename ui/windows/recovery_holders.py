"""The recovery slot on the key servers' page: who may open this vault without them, and enrolling others.

Rules:

- What stands here is the header's slot, and the trail's word on since when and by whom; where the trail says nothing, nothing is said,
  and nothing of it while something stands proposed: a small screen has no room for both.
- An administrator proposes; a supervisor agrees to the very same within a quarter of an hour, bringing the same files. The verb is there
  for whom it is, and for a supervisor only while something stands proposed.
- A holder is a thumbprint, to be compared with the holder's own; the name beside it is the file's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Colour, TypeSize
from ui.widgets.buttons import Button
from ui.widgets.chosen_field import ChoiceField
from ui.widgets.field import LineField
from ui.widgets.label import Label
from ui.windows.act_sheet import ActSheet
from ui.windows.drop_zone import open_picker, path_of
from ui.windows.naming import isolated, who
from vault.services.recovery import HolderLine, HoldersProposed, RecoveryHolders, RecoveryState

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError

_FEWEST: Final = 2
_LONGEST_PATH = 1_000


class RecoveryBar(QWidget):
    """One line of what there is, and the role's verb. `asked` is the verb."""

    asked = Signal()

    def __init__(self, bridge: Bridge, *, administers: bool) -> None:
        super().__init__()
        self._bridge, self._administers = bridge, administers
        self.state: RecoveryState | None = None  # until told
        self._words = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self._words.setObjectName("recovery_words")
        self.verb = Button(strings.text("recovery.propose" if administers else "recovery.agree"), icon=IconName.KEY, key_hint="H")
        self.verb.setObjectName("recovery_verb")
        self.verb.clicked.connect(self.asked)
        self.verb.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._words, 1)
        row.addWidget(self.verb, 0, Qt.AlignmentFlag.AlignVCenter)

    def refresh(self) -> None:
        """Ask what there is."""
        self._bridge.ask(RecoveryHolders.state).then(self.take, self._cannot).owner(self)

    def tick(self) -> None:
        """Take away what no longer stands proposed."""
        if self.state is not None:
            self.take(self.state)

    def take(self, state: RecoveryState) -> None:
        """Show what there is."""
        self.state = state
        words = [strings.text("recovery.none")]
        if state.threshold:
            words = [strings.text("recovery.enrolled", threshold=state.threshold, holders=len(state.thumbprints))]
        proposed = self.standing()
        if proposed is None and state.since_us and state.agreed_by is not None:
            words.append(strings.text("recovery.since", time=strings.local_time(state.since_us), who=who(state.agreed_by)))
        if proposed is not None:
            words.append(
                strings.text(
                    "recovery.proposed",
                    who=who(proposed.by),
                    threshold=proposed.threshold,
                    holders=len(proposed.thumbprints),
                    time=strings.local_time(proposed.ends_us),
                )
            )
        self._words.setText(" ".join(words))
        self.verb.setVisible(self.offers())

    def standing(self) -> HoldersProposed | None:
        """What stands proposed now."""
        proposed = self.state.proposed if self.state is not None else None
        return proposed if proposed is not None and proposed.ends_us > strings.now_us() else None

    def offers(self) -> bool:
        """Whether this role can do something."""
        return self.state is not None and (self._administers or self.standing() is not None)

    def _cannot(self, error: VaultError) -> None:
        self.state = None
        told = messages.explain(error)
        self._words.setText(f"{told.title}. {told.next_step}")
        self.verb.hide()


class HoldersSheet(ActSheet):
    """Name the holders by the files of their public halves: a supervisor agrees to those `proposed`; without them they are proposed."""

    def __init__(self, host: QWidget, bridge: Bridge, proposed: HoldersProposed | None, done: Callable[[RecoveryState], None]) -> None:
        act = "agree" if proposed is not None else "propose"
        super().__init__(host, "recovery", strings.text(f"recovery.{act}_title"), strings.text(f"recovery.{act}_verb"), width_px=600)
        self._bridge, self._proposed, self._done = bridge, proposed, done
        self._holders: dict[str, HolderLine] = {}  # by thumbprint, in the order they were brought
        facts: dict[str, strings.Value] = {}
        if proposed is not None:
            facts = {"who": who(proposed.by), "threshold": proposed.threshold, "holders": len(proposed.thumbprints)}
        self.body.addWidget(Label(strings.text(f"recovery.{act}_sentence", **facts), role=Colour.TEXT_QUIET, wrap=True))
        self.list = Label("", TypeSize.SMALL, mono=True, wrap=True)
        self.list.setObjectName("recovery_list")
        self.path = LineField(strings.text("recovery.file"), hint=strings.text("recovery.file_hint"), max_length=_LONGEST_PATH)
        self.path.control.setObjectName("recovery_file")
        self.path.submitted.connect(self._typed)
        self.path.changed.connect(lambda: self.path.set_error(""))
        self.choose = Button(strings.text("recovery.choose"), icon=IconName.FILE, key_hint="Ctrl+O", shortcut="Ctrl+O")
        self.choose.setObjectName("recovery_choose")
        self.choose.clicked.connect(self._choose)
        self.threshold = ChoiceField(strings.text("recovery.threshold"), hint=strings.text("recovery.threshold_hint"))
        self.threshold.control.setObjectName("recovery_threshold")
        self.threshold.setVisible(False)
        self.body.addWidget(self.list)
        self.body.addWidget(self.path)
        self.body.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.threshold)
        self.accepted.connect(self._save)
        self._show_holders()

    def open_over(self) -> None:
        """Show the sheet with the keyboard where the first file is named."""
        super().open_over()
        self.path.control.setFocus(Qt.FocusReason.PopupFocusReason)

    # -- bringing ----------------------------------------------------------------------------------------------------------------------

    def _typed(self) -> None:
        path = path_of(self.path.value())
        if path:
            self._bring((path,))
        else:
            self._blame("premises.add_sheet.path_form")

    def _choose(self) -> None:
        open_picker(self, "recovery_picker", strings.text("recovery.picker"), self._bring, QFileDialog.FileMode.ExistingFiles)

    def _bring(self, paths: tuple[str, ...]) -> None:
        for path in paths:
            self._bridge.ask(RecoveryHolders.public_half, path).then(self._brought, self._not_brought).owner(self)

    def _brought(self, line: HolderLine) -> None:
        if line.thumbprint in self._holders:
            self._blame("recovery.twice")
        elif self._proposed is not None and line.thumbprint not in self._proposed.thumbprints:
            self._blame("recovery.not_proposed")
        else:
            self._holders[line.thumbprint] = line
            self.path.set_value("")
            self._show_holders()

    def _not_brought(self, error: VaultError) -> None:
        told = messages.explain(error)
        self.path.set_error(f"{told.title}. {told.next_step}")
        self._place()

    def _blame(self, words: str) -> None:
        self.path.set_error(strings.text(words))
        self.path.control.setFocus(Qt.FocusReason.OtherFocusReason)
        self._place()

    def _show_holders(self) -> None:
        if self._proposed is None:
            lines = [f"{one.thumbprint}  {isolated(one.name)}" for one in self._holders.values()]
            chosen, count = self.threshold.value(), len(self._holders)
            words = [(str(n), strings.text("premises.threshold_of", n=n, servers=count)) for n in range(_FEWEST, count + 1)]
            self.threshold.set_choices(words)
            self.threshold.set_value(chosen)
            self.threshold.setVisible(count > _FEWEST)
        else:
            missing = strings.text("recovery.missing")
            named = {one: isolated(self._holders[one].name) for one in self._holders}
            lines = [f"{one}  {named.get(one, missing)}" for one in self._proposed.thumbprints]
        self.list.setText("\n".join(lines))
        self.list.setVisible(bool(lines))
        QTimer.singleShot(0, self, self._place)  # once what was shown is laid out: it is measured

    # -- the act -----------------------------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        if self._proposed is not None:
            if len(self._holders) < len(self._proposed.thumbprints):
                self._blame("recovery.not_all")
                return
            publics = tuple(self._holders[one].public for one in self._proposed.thumbprints)
            self.send(self._bridge.ask(RecoveryHolders.enrol, self._proposed.threshold, publics), self._done)
        elif len(self._holders) < _FEWEST:
            self._blame("recovery.too_few")
        else:
            publics = tuple(one.public for one in self._holders.values())
            self.send(self._bridge.ask(RecoveryHolders.propose, int(self.threshold.value()), publics), self._done)
