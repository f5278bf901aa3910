"""``python -m ui --vault DIR`` opens the desk window on a vault."""

import gc
import sys

if __name__ == "__main__":
    gc.disable()  # while the interface is imported; `main` sets it going again after the first paint
    from ui.app import main

    sys.exit(main(sys.argv[1:]))
