"""A capture program of one's own: grab.py FILE saves what the screen shows."""

import sys

from PySide6.QtGui import QGuiApplication

app = QGuiApplication(sys.argv)
app.primaryScreen().grabWindow(0).save(sys.argv[1], "PNG")
