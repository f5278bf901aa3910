"""The trace room: reads the invisible mark of a page view out of a picture of a screen.

Holds: `paper` (a picture's small differences of light, without what is printed), `lattice` (where the tiles lie: scale, turn, slope, place)
and `detector` (the chips as read, and the scores of views against them); `impression` is what the trace service is given.
May import: `vault.errors`, `vault.domain`, `vault.services.rendition` and numpy; nothing else of the vault, and no parser: pixels come
out of the rendition worker. It never holds the trace key: chips of the views to compare are given to it.
Runs in [V] when somebody asks for a trace, on the lane that asks; numpy is imported then and not before. No state, no file, no thread.
Raises: nothing; a picture that shows nothing gives no reading.
"""
