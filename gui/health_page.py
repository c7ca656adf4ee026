"""The page of health: what live sound needs, whether it is there, and what to do where it is not."""

from collections.abc import Sequence
from itertools import takewhile

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import text
from gui.controller import Controller
from gui.parts import Card, button, row
from realtime.checks import Finding, examine_session, examine_system

NAME_WIDTH = 150  # logical pixels


class HealthPage(QWidget):
    """Checks when it comes to sight and when asked to, on another thread: a sound server may be slow."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._check = button(text.HEALTH_CHECK, self.check)
        self._summary = QLabel()
        self._card = Card()
        self._lay_out()

    def check(self) -> None:
        """Look everything over again."""
        self._check.setEnabled(False)
        self._summary.setText(text.HEALTH_CHECKING)
        self._controller.background.run(self._look, self._take)

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        if self._check.isEnabled():
            self.check()

    def _lay_out(self) -> None:
        list_of_all = QScrollArea()
        list_of_all.setWidgetResizable(True)
        list_of_all.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it can be reached
        list_of_all.setWidget(self._card)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(row(self._check, self._summary, None))
        column.addWidget(list_of_all, 1)

    def _look(self) -> list[Finding]:
        return list(takewhile(lambda finding: self._controller.background.is_open, examine_system()))

    def _take(self, system: Sequence[Finding]) -> None:
        findings = [*system, *examine_session(self._controller.status)]
        problems = sum(not finding.ok for finding in findings)
        self._summary.setText(text.HEALTH_PROBLEMS.format(count=problems) if problems else text.HEALTH_GOOD)
        self._check.setEnabled(True)
        self._fill(findings)

    def _fill(self, findings: Sequence[Finding]) -> None:
        while (old := self._card.column.takeAt(0)) is not None:
            if (widget := old.widget()) is not None:
                widget.deleteLater()
        for finding in findings:
            self._card.column.addWidget(_Row(finding))
        self._card.column.addStretch(1)


class _Row(QWidget):
    """Reached with Tab and read out as one sentence; its words can be copied."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        name = text.HEALTH_NAMES[finding.name]
        state = text.HEALTH_OK if finding.ok else text.HEALTH_BAD
        mark, title, says = QLabel(text.HEALTH_MARKS[finding.ok]), QLabel(name), QLabel(finding.says)
        mark.setProperty("role", "good" if finding.ok else "problem")
        mark.setToolTip(state)
        title.setProperty("role", "" if finding.ok else "problem")
        says.setWordWrap(True)
        says.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        says.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        says.setAccessibleName(f"{name}, {state}: {finding.says}")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.addWidget(mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(title, 0, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(says, 0, 2)
        grid.setHorizontalSpacing(8)
        grid.setColumnMinimumWidth(1, NAME_WIDTH)
        grid.setColumnStretch(2, 1)
