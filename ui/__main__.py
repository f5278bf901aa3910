"""``python -m ui --vault DIR`` opens the desk window on a vault; installed, the launcher comes here by ``packaging/start.py``.

The order is the rule: the environment is cleaned before Qt is loaded; the process is hardened before the vault process starts, and so
before a passphrase is typed. Hardening comes after the first paint because the native calls it needs cost the start 5 ms; from a checkout
those milliseconds decide nothing, and under the launcher the kernel has hardened the process already.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_AGAIN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ui.__main__ import begin; sys.exit(begin(sys.argv[1:]))"
_ROOT = __file__.rpartition("/")[0].rpartition("/")[0]


def begin(arguments: Sequence[str]) -> int:
    """Clean the environment, then run the desk; the exit status is the desk's, 126 where the environment cannot be cleaned."""
    gc.disable()  # while the interface is imported; `main` sets it going again after the first paint
    from vault.platform import environment  # noqa: PLC0415 -- first of all, and nothing with it

    names = environment.clean((sys.executable, "-I", "-B", "-c", _AGAIN, _ROOT, *arguments))

    def harden() -> tuple[str, ...]:
        """Harden this process; say what was found at its start."""
        from contextlib import suppress  # noqa: PLC0415 -- after the first paint

        from vault import platform as system  # noqa: PLC0415
        from vault.errors import UnavailableError  # noqa: PLC0415

        with suppress(UnavailableError):  # the vault process fails at the same step, and the desk says so instead of opening
            system.harden_process(private=True)
        libraries = environment.foreign_libraries((_ROOT, *(path for path in sys.path if path.endswith("packages"))))
        return (*(f"variable:{name}" for name in names), *(f"library:{path}" for path in libraries))

    from ui.app import main  # noqa: PLC0415 -- Qt reads the environment

    return main(arguments, environment.platform_arguments(), harden)


if __name__ == "__main__":
    sys.exit(begin(sys.argv[1:]))
