"""What the trace service gets of the detector: a picture read once, views scored against it in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from vault.services.rendition import GreyPicture
from vault.trace.detector import readings_of, scores


class PictureImpression:
    """`vault.services.tracing.Impression` of a picture."""

    def __init__(self, picture: GreyPicture) -> None:
        """Read the picture: seconds for a large one."""
        grey = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height_px, picture.width_px)
        self._readings: Final = readings_of(grey)

    @property
    def readings(self) -> int:
        """How many ways it was read."""
        return len(self._readings)

    def scores(self, views: Sequence[bytes]) -> Sequence[float]:
        """The best score of each view over all readings."""
        best: list[float] = scores(self._readings, views).max(axis=1).tolist()
        return best
