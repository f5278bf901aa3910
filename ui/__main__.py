"""``python -m ui --vault DIR`` opens the desk window on a vault."""

import sys

from ui.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
