"""Where the launcher begins: ``start.py VAULT`` opens the desk, ``start.py VAULT COMMAND ...`` is the command line on that vault.

Rules:

- Code comes from the folder of this file, which root owns, and from nowhere else (``-I -S -B``: no environment, no site, no .pth).
- The vault is the one compiled into the launcher: a caller's own ``--vault`` is overruled.
"""

import sys

HERE = __file__.rpartition("/")[0]
sys.path += [HERE, f"{HERE}/packages"]

if __name__ == "__main__":
    vault, words = sys.argv[1], sys.argv[2:]
    from ui.__main__ import begin

    if words in ([], ["--steps"]) or (words[0] == "run" and not {"-h", "--help"} & set(words)):
        sys.exit(begin(["--vault", vault, *(word for word in words if word == "--steps")]))  # and no other word of the caller's
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command can say that it stopped
    from vault.platform import environment

    environment.clean([])
    if words[0] == "sentinel":
        from vault.sentinel import main as watch  # not by way of the commands, which load the database engine

        watch([*words[1:], "--vault", vault])  # the last one counts, and behind a bare "--" it is refused
        sys.exit(0)
    from vault.commands import main

    main(words, vault)
