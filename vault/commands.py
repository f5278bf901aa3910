"""The ``casevault`` command line.

    casevault found --vault DIR            found a vault; asks for the station and its three founders
    casevault demo --vault DIR             found the demo station if there is none, and say who works there
    casevault code --vault DIR BADGE       the one-time code of a demo person
    casevault run --vault DIR              open the desk
    casevault intake --vault DIR --case NUMBER PATH...   take files in; asks who you are
    casevault trace --vault DIR PICTURE    name the page view a picture was made of; asks who you are (supervisor or auditor)
    casevault recovery holder --name NAME FILE            make a recovery holder's key, offline; prints its public half
    casevault recovery enrol --vault DIR --threshold T PUBLIC...   have T of these holders open the vault; asks two people who they are
    casevault recovery open --vault DIR HOLDERFILE...     open the vault for hours without its key servers; asks the holders
    casevault policy show --vault DIR      print the policy in force; asks who you are (administrator or supervisor)
    casevault policy set --vault DIR FILE  lay another one over what the product ships; asks who you are (supervisor), and why
    casevault policy default --vault DIR   go back to what the product ships; asks likewise
    casevault sentinel --vault DIR         watch the vault while no desk has it open; runs until it is told to end
    casevault verify DIR                   verify the audit trail

Passphrases and codes are asked for, never taken from the command line. Words come from ``resources/strings/en.toml``.
Exit status: 0 done, 1 refused or failed, 2 wrong use, 3 the trail does not hold, 4 nobody is named.
"""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `main` can say that it stopped: a traceback of imports tells nobody anything

import argparse
import getpass
import os
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from vault import platform as system
from vault.assembly import (
    LOCK_NAME,
    REGISTER_NAME,
    Vault,
    found_vault,
    hold_alone,
    holds_a_vault,
    load_policy,
    open_vault,
    read_policy_text,
    station_policy,
    verified_header,
)
from vault.crypto.keypairs import verify
from vault.crypto.locksmith import VaultLocksmith
from vault.crypto.passphrase import check_passphrase
from vault.crypto.premises import PremisesLock
from vault.crypto.recovery import HolderPublic, make_holder_file, open_holder_file, require_holders
from vault.crypto.slots import Argon2Cost, vault_keys
from vault.demo import current_code, make_demo, read_plan
from vault.domain.breach import Signal, SignalKind
from vault.domain.policy import Policy
from vault.errors import RefusedError, VaultError
from vault.platform.secret_service import open_secret_keeper
from vault.premises import Lease, keep_hours, open_slot
from vault.recovery import DEFAULT_HOURS, MOST_HOURS, enrol_holders, open_by_holders, propose_holders, read_small_file
from vault.secret import Secret
from vault.services.events import Event, IntakeMoved
from vault.services.intake import FILES_MOST
from vault.services.locksmith import WORKSTATION_CONTEXT
from vault.services.page_memory import PageMemory
from vault.services.ports import Clock, MetServer, PremisesFacts, Signers
from vault.services.views import CaseLine, Enrolment, FileState, Founder
from vault.services.witness import broken, unpack, witness_name
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.storage.verify import verify_file
from vault.threads import InlineThreads

_STRINGS = Path(__file__).resolve().parent.parent / "resources" / "strings" / "en.toml"
_DOES_NOT_HOLD = 3
_NOBODY = 4
_PREMISES_END_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None, installed: str = "") -> None:
    """Run one command and exit; on the installed vault if its folder is said, whatever vault the arguments name."""
    system.harden_process()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # it ends this process, whatever was inherited
    options = _parser(installed).parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    if installed:
        options.vault = Path(installed)
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as while this was imported
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _require_text(options)
        status = options.run(options)
        print(end="", flush=True)
        sys.exit(status)
    except VaultError as error:
        _complain(error)
    except (EOFError, KeyboardInterrupt):
        print(_words()["stopped"], file=sys.stderr)
    except BrokenPipeError:  # whoever read what is printed has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter would complain at its end
    sys.exit(1)


def _require_text(options: argparse.Namespace) -> None:
    """Refuse words that are no text, or that would steer the terminal they are shown on. Raises RefusedError command.not-text."""
    if not all(value.isprintable() for value in vars(options).values() if isinstance(value, str)):
        raise RefusedError("command.not-text")


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join the thumbprint to its option: one in sixty-four begins with a hyphen, and would be taken for another option."""
    words = list(arguments)
    for number in range(len(words) - 2, -1, -1):
        if words[number] == "--thumbprint":
            words[number : number + 2] = ["=".join(words[number : number + 2])]
    return words


def _path(word: str) -> Path:
    """What a word names. An empty one, as a variable of the shell that is not set, would be taken for the folder this runs in."""
    if not word:
        raise argparse.ArgumentTypeError(_words()["no_path"])
    return Path(word)


def _parser(installed: str = "") -> argparse.ArgumentParser:
    words, must_say = _words(), not installed
    parser = argparse.ArgumentParser(prog="casevault", description=words["description"])
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - one of the functions below
        made = commands.add_parser(name, help=words[f"help_{name}"])
        made.set_defaults(run=run)
        if name != "verify":
            made.add_argument("--vault", type=_path, required=must_say)
        return made

    command("found", _found).add_argument("--policy", type=_path, help=words["help_policy"])
    demo = command("demo", _demo)
    demo.add_argument("--without-documents", action="store_true")
    demo.add_argument("--policy", type=_path, help=words["help_policy"])
    command("code", _code).add_argument("badge")
    command("run", _run)
    intake = command("intake", _intake)
    intake.add_argument("--case", required=True)
    intake.add_argument("paths", nargs="+", type=_path)
    command("trace", _trace).add_argument("picture", type=_path)
    command("verify", _verify).add_argument("vault", type=_path, nargs=None if must_say else "?")
    sentinel = command("sentinel", _sentinel)
    sentinel.add_argument("--patience", type=float, default=60.0, help=words["help_patience"])
    sentinel.add_argument("--folder", action="append", default=[], help=words["help_folder"])
    premises = command("premises", _premises)
    premises.add_argument("act", choices=("list", "add", "rotate", "remove", "test"))
    premises.add_argument("--name", default="", help=words["help_premises_name"])
    premises.add_argument("--url", default="", help=words["help_premises_url"])
    premises.add_argument("--thumbprint", default="", help=words["help_premises_thumbprint"])
    premises.add_argument("--threshold", type=int, help=words["help_premises_threshold"])
    premises.add_argument("--certificate", default="", help=words["help_premises_certificate"])
    premises.add_argument("--authority", default="", help=words["help_premises_authority"])
    _add_recovery(commands.add_parser("recovery", help=words["help_recovery"]).add_subparsers(required=True), must_say=must_say)
    _add_policy(commands.add_parser("policy", help=words["help_station_policy"]).add_subparsers(required=True), must_say=must_say)
    return parser


def _add_policy(acts: Any, *, must_say: bool) -> None:  # noqa: ANN401 - argparse keeps the type to itself
    words = _words()
    for name, run in (("show", _policy_show), ("set", _policy_set), ("default", _policy_set)):
        act = acts.add_parser(name, help=words[f"help_policy_{name}"])
        act.add_argument("--vault", type=_path, required=must_say)
        if name == "set":
            act.add_argument("file", type=_path, help=words["help_policy"])
        act.set_defaults(run=run)


def _add_recovery(acts: Any, *, must_say: bool) -> None:  # noqa: ANN401 - argparse keeps the type to itself
    words = _words()
    holder = acts.add_parser("holder", help=words["help_recovery_holder"])
    holder.add_argument("--name", required=True, help=words["help_recovery_name"])
    holder.add_argument("file", type=_path)
    holder.add_argument("--vault", type=_path, help=argparse.SUPPRESS)  # a holder's key is of no vault
    holder.set_defaults(run=_recovery_holder)
    enrol = acts.add_parser("enrol", help=words["help_recovery_enrol"])
    enrol.add_argument("--vault", type=_path, required=must_say)
    enrol.add_argument("--threshold", type=int, required=True, help=words["help_recovery_threshold"])
    enrol.add_argument("public", nargs="+", type=_path, help=words["help_recovery_public"])
    enrol.set_defaults(run=_recovery_enrol)
    opened = acts.add_parser("open", help=words["help_recovery_open"])
    opened.add_argument("--vault", type=_path, required=must_say)
    opened.add_argument("--hours", type=int, choices=range(1, MOST_HOURS + 1), default=DEFAULT_HOURS, help=words["help_recovery_hours"])
    opened.add_argument("file", nargs="+", type=_path)
    opened.set_defaults(run=_recovery_open)


def _found(options: argparse.Namespace) -> int:
    words = _words()
    policy_text = read_policy_text(options.policy) if options.policy else ""
    station_policy(load_policy(), policy_text)  # what would be refused in the end is refused before anybody types
    if holds_a_vault(options.vault):
        raise RefusedError("founding.already")
    station = _asked(words["ask_station"])
    founders = tuple(
        Founder(
            _asked(words["ask_badge"].format(role=words[role])),
            _asked(words["ask_name"].format(role=words[role])),
            _new_passphrase(words[role]),
        )
        for role in ("administrator", "supervisor", "custodian")
    )
    found_vault(
        options.vault,
        station,
        (founders[0], founders[1], founders[2]),
        open_secret_keeper,
        system.SystemClock(),
        system.SystemEntropy(),
        Argon2Cost(),
        policy_text,
        _show_second_factors,
    )
    print(words["founded"].format(vault=options.vault))
    return 0


def _demo(options: argparse.Namespace) -> int:
    words, plan = _words(), read_plan()
    if not (options.vault / HEADER_NAME).exists():
        with _alone(options.vault, make=True):
            make_demo(
                options.vault,
                open_secret_keeper,
                system.SystemClock(),
                system.SystemEntropy(),
                lambda stage: print(words[f"stage_{stage}"], file=sys.stderr),
                take_in=not options.without_documents,
                policy_text=read_policy_text(options.policy) if options.policy else "",
            )
    print(words["demo_people"])
    for person in plan["person"]:
        print(f"  {person['badge_no']:<6} {person['role']:<14} {person['name']:<24} {person['passphrase']}")
    print(words["demo_codes"].format(vault=options.vault))
    return 0


def _code(options: argparse.Namespace) -> int:
    code = current_code(options.vault, open_secret_keeper, options.badge, system.SystemClock().now_us())
    print(code or _words()["no_code"])
    return 0 if code else 1


def _run(options: argparse.Namespace) -> int:
    os.execv(sys.executable, [sys.executable, "-m", "ui", "--vault", str(options.vault)])  # noqa: S606 - our own window


def _sentinel(options: argparse.Namespace) -> int:
    """Become the sentinel: this process has loaded the database engine, which that one must not carry."""
    words = [sys.executable, "-m", "vault.sentinel", "--vault", str(options.vault), "--patience", str(options.patience)]
    words += [f"--folder={one}" for one in options.folder]
    os.execv(sys.executable, words)  # noqa: S606 - our own module


def _intake(options: argparse.Namespace) -> int:
    words = _words()

    def told(event: Event) -> None:
        if isinstance(event, IntakeMoved) and event.intake.total_bytes and sys.stderr.isatty():
            share = event.intake.done_bytes * 100 // event.intake.total_bytes
            print(f"\r{share:3d} %", end="" if not event.intake.finished else "\n", file=sys.stderr)

    with _signed_in(options.vault, told) as vault:
        if (case := _case_of(vault, options.case.strip())) is None:
            print(words["no_case"].format(number=options.case), file=sys.stderr)
            return 1
        started = vault.intake.start(case.case_id, tuple(str(path.absolute()) for path in options.paths))
        ended = vault.intake.status(started.intake_no)
    if ended.reason:
        raise RefusedError(ended.reason, most=FILES_MOST)
    for file in ended.files:
        reason = _error_words(file.reason)[0] if file.reason else ""
        if file.unshown:
            reason = words["intake_unshown"].format(files=file.unshown.attached_files, notes=file.unshown.notes)
        print(f"{file.state.value:<10} {file.size_bytes:>13} {file.page_count:>6} {file.name}  {reason}")
    return 0 if all(one.state in {FileState.DONE, FileState.PRESENT} for one in ended.files) else 1


def _case_of(vault: Vault, number: str) -> CaseLine | None:
    """The case of that number. There may be many whose number or title has it within, newer ones first."""
    page = vault.desk.cases(number, "", 200)
    while True:
        found = next((one for one in page.lines if one.rms_number.casefold() == number.casefold()), None)
        if found is not None or not page.next_anchor:
            return found
        page = vault.desk.cases(number, page.next_anchor, 200)


def _premises(options: argparse.Namespace) -> int:
    words = _words()
    with _signed_in(options.vault) as vault:
        if options.act == "test":
            tests = vault.premises.test()
            for tested in tests:
                print(f"{tested.name:<24} {_error_words(tested.code)[0] if tested.code else words['premises_proven']}")
            if not tests:
                print(words["premises_none"])
            return 1 if not tests or any(one.code for one in tests) else 0
        if options.act == "add":
            server = MetServer(options.name, options.url, _absolute(options.certificate), _absolute(options.authority))
            facts = vault.premises.add(server, options.thumbprint, _threshold(options, vault.premises.servers(), 1))
        elif options.act == "remove":
            facts = vault.premises.remove(options.name, _threshold(options, vault.premises.servers(), -1))
        else:
            facts = vault.premises.rotate() if options.act == "rotate" else vault.premises.servers()
    if not facts.servers:
        print(words["premises_none"])
    else:
        print(words["premises_bound"].format(threshold=facts.threshold, servers=len(facts.servers)))
    for one in facts.servers:
        print(f"{one.name:<24} {one.url:<32} {' '.join(one.thumbprints)}")
    return 0


def _threshold(options: argparse.Namespace, before: PremisesFacts, more: int) -> int:
    """What was said, and unless anything was, as many as before: nothing is weakened by leaving a word out."""
    if options.threshold is not None:
        return int(options.threshold)
    return max(1, min(before.threshold, len(before.servers) + more))


def _policy_show(options: argparse.Namespace) -> int:
    words = _words()
    with _signed_in(options.vault) as vault:
        lines = vault.station_policy.lines()
    print(words["policy_in_force"])
    for one in lines:
        print(f"{one.name} = {one.value}" + (words["policy_own"].format(shipped=one.shipped) if one.own else ""))
    return 0


def _policy_set(options: argparse.Namespace) -> int:
    words = _words()
    text = read_policy_text(options.file) if "file" in options else ""
    station_policy(load_policy(), text)  # a mistake in the file is told before anybody signs in
    with _signed_in(options.vault) as vault:
        changes = vault.station_policy.changes(text)
        if not changes:
            print(words["policy_same"])
            return 0
        for one in changes:
            before, after = words[f"policy_{_whose(own=one.own_before)}"], words[f"policy_{_whose(own=one.own_after)}"]
            print(f"{one.name}: {one.before} ({before}) -> {one.after} ({after})")
        reason = _asked(words["ask_policy_reason"])
        if _asked(words["ask_policy_sure"]).strip() != words["policy_sure"]:
            print(words["policy_left"])
            return 1
        notice = vault.station_policy.lay(text, reason)
    print(words["policy_laid"].format(report=notice.report_no if notice is not None else ""))
    return 0


def _whose(*, own: bool) -> str:
    return "of_station" if own else "as_shipped"


def _recovery_holder(options: argparse.Namespace) -> int:
    words = _words()
    passphrase = Secret(_new_passphrase(options.name).encode())
    check_passphrase(passphrase, "")
    content, public = make_holder_file(options.name, passphrase, Argon2Cost())
    try:
        descriptor = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - opened for its owner alone, and never over another file
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise RefusedError("recovery.file") from error
    print(public.encode())
    print(words["recovery_thumbprint"].format(thumbprint=public.thumbprint))
    return 0


def _recovery_enrol(options: argparse.Namespace) -> int:
    words = _words()
    holders = tuple(HolderPublic.decode(read_small_file(path).decode(errors="replace")) for path in options.public)
    require_holders(options.threshold, holders)
    print(words["recovery_holders"].format(threshold=options.threshold, holders=len(holders)))
    for one in holders:
        print(f"  {one.label:<24} {one.thumbprint}")
    for role, act in (("administrator", propose_holders), ("supervisor_any", enrol_holders)):
        print(words["recovery_signs"].format(role=words[role]))
        with _signed_in(options.vault) as vault:
            act(vault, options.threshold, holders)
    print(words["recovery_enrolled"])
    return 0


def _recovery_open(options: argparse.Namespace) -> int:
    words, pages = _words(), PageMemory.create()
    clock, entropy = system.SystemClock(), system.SystemEntropy()
    try:
        pairs = []
        for path in options.file:
            content = read_small_file(path)
            pairs.append(open_holder_file(content, Secret(_asked(words["ask_holder"].format(file=path), getpass.getpass).encode())))
        with _alone(options.vault):
            opened = open_by_holders(options.vault, pairs, open_secret_keeper, clock, entropy, load_policy(), pages, hours=options.hours)
    except VaultError as error:
        Spooling(options.vault, open_secret_keeper, clock, entropy).note(error)
        raise
    finally:
        pages.close()
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(opened.ends_us // 1_000_000))
    print(words["recovery_opened"].format(until=until, report=opened.notice.report_no))
    return 0


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""


def _trace(options: argparse.Namespace) -> int:
    words = _words()
    with _signed_in(options.vault) as vault:
        found = vault.tracing.trace(str(options.picture.absolute()))
    figures = {"score": f"{found.score / 100:.2f}", "threshold": f"{found.threshold / 100:.2f}", "views": found.views}
    if not found.named:
        print(words["trace_nobody"].format(**figures))
        return _NOBODY
    officer = found.officer
    print(words["trace_named"].format(**figures, entry=found.audit_seq))
    rows = (
        ("trace_officer", f"{officer.name} · {officer.badge_no}" if officer else "—"),
        ("trace_workstation", found.workstation_name),
        ("trace_minute", time.strftime("%Y-%m-%d %H:%M", time.localtime(found.at_us // 1_000_000))),
        ("trace_page", words["trace_page_of"].format(page=found.page_no, document=found.document_id, case=found.case_label)),
        ("trace_check_out", found.check_out_id),
    )
    for name, value in rows:
        print(f"  {words[name]:<14} {value}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    words, clock = _words(), system.SystemClock()
    spooling = Spooling(options.vault, open_secret_keeper, clock, system.SystemEntropy())
    with _alone(options.vault):
        try:
            header = read_unverified_header(options.vault / HEADER_NAME)
            keeper = open_secret_keeper(header.vault_id)
            opened = open_slot(header, keeper, clock.now_us())
            secrets, lock = opened.secrets, opened.lock if opened.recovery is None else None
            verified = verified_header(header, secrets)
            public = secrets.key_pair.public.sign
            policy = station_policy(load_policy(), verified.policy)
            lease = _lease(
                lambda: lock, policy, clock, lambda signal: spooling.seal(signal, verified.supervisors_public_kem, options.vault)
            )
            stop_hours = keep_hours(opened.recovery.ends_us if opened.recovery is not None else 0, clock, _hours_over)
            lease.start()
            try:
                verdict = verify_file(
                    options.vault / REGISTER_NAME,
                    vault_keys(secrets.vault_key).register,
                    unpack(keeper.read(witness_name(header.vault_id))),
                    lambda statement, signature: verify(public, WORKSTATION_CONTEXT, statement, signature),
                    Signers(VaultLocksmith(secrets, Argon2Cost()), verified.directory_roots),
                )
            finally:
                lease.stop()
                stop_hours()
        except VaultError as error:
            spooling.note(error)
            raise
    if verdict.holds:
        print(words["holds"].format(entries=verdict.entries, checkpoints=verdict.checkpoints, witnessed=verdict.witnessed_seq))
        print(words["holds_custody"].format(signatures=verdict.signatures))
        if verdict.sealed_statements:
            print(words["sealed_statements"].format(statements=verdict.sealed_statements))
        return 0
    spooling.note(broken(verdict))
    print(words["does_not_hold"].format(seq=verdict.bad_seq, why=words[f"why_{verdict.reason.replace('-', '_')}"]))
    return _DOES_NOT_HOLD


# ---- words and questions -----------------------------------------------------------------------------------------------------------


@contextmanager
def _signed_in(directory: Path, told: Callable[[Event], None] = lambda _event: None) -> Iterator[Vault]:
    """Open the vault and have somebody sign in; close both afterwards. What keeps it shut is reported as the desk reports it.

    Who it is, is asked first: an open vault waits for no passphrase. While it is open the premises are proven as a desk proves them.
    """
    words, pages = _words(), PageMemory.create()
    clock, entropy = system.SystemClock(), system.SystemEntropy()
    spooling = Spooling(directory, open_secret_keeper, clock, entropy)
    with _alone(directory):
        pass  # a desk that has it is told before anybody types
    signs_in = (_asked(words["ask_own_badge"]), _asked(words["ask_passphrase"], getpass.getpass), _asked(words["ask_code"]))
    with _alone(directory):
        try:
            vault = open_vault(directory, open_secret_keeper, clock, entropy, load_policy(), InlineThreads(), told, pages)
        except VaultError as error:
            spooling.note(error)
            raise
        public = vault.world.station.supervisors_kem_public
        lease = _lease(lambda: vault.binding.lock, vault.world.policy, clock, lambda signal: spooling.seal(signal, public, directory))
        lease.start()
        stop_hours = keep_hours(vault.binding.recovery_ends_us, clock, _hours_over)
        try:
            vault.report_opening()
            spooling.take(vault)  # first: the look compares what is counted then
            vault.place_witness.look()
            vault.session.sign_in(*signs_in)
            yield vault
        finally:
            if vault.world.session is not None:
                vault.session.sign_out()
            vault.witness.seal_now()
            if lease.holds:
                vault.place_witness.last(*vault.store.audit_head())
            vault.close()
            lease.stop()
            stop_hours()
            pages.close()


def _lease(
    lock: Callable[[], PremisesLock | None],
    policy: Policy,
    clock: Clock,
    seal: Callable[[Signal], object],
    end: Callable[[int], object] | None = None,
) -> Lease:
    """Give the lease of a vault that a command has open: when it runs out a report is sealed, and the process ends with its keys.

    The report goes into the spool, because the store belongs to the thread that is at work: the next opening takes it in.
    """

    def over() -> None:
        signal.setitimer(signal.ITIMER_REAL, _PREMISES_END_SECONDS)  # whatever the keyring or the disk is doing, and without a thread
        facts = (("lease_seconds", policy.premises_lease_seconds),)
        try:
            seal(Signal(SignalKind.PREMISES_LOST, clock.now_us(), facts))
        except VaultError as error:
            _complain(error)
        finally:  # whatever fails besides, as where no memory is left
            with suppress(OSError, MemoryError):
                print(_words()["premises_over"], file=sys.stderr, flush=True)
            signal.setitimer(signal.ITIMER_REAL, 0)
            (end or os._exit)(1)

    return Lease(lock, clock, policy.premises_proof_seconds, policy.premises_lease_seconds, lambda _lost: None, over)


def _hours_over() -> None:
    """End this process with its keys."""
    with suppress(OSError, MemoryError):
        print(_words()["recovery_over"], file=sys.stderr, flush=True)
    os._exit(1)


def _alone(directory: Path, *, make: bool = False) -> AbstractContextManager[object]:
    """Hold a vault's lock; where there is no vault, nothing is made unless `make` is said. Raises RefusedError vault.not-there."""
    try:
        if make:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not (holds_a_vault(directory) or (directory / LOCK_NAME).exists()):
            raise RefusedError("vault.not-there", folder=str(directory))
    except OSError as error:
        raise RefusedError("vault.not-there", folder=str(directory)) from error
    return hold_alone(directory)


def _asked(question: str, ask: Callable[[str], str] = input) -> str:
    """Give the answer to a question. Raises RefusedError command.not-text; EOFError where nobody answers."""
    if sys.stdin is None:
        raise EOFError
    try:
        answer = ask(question)
        answer.encode()
    except UnicodeError as error:
        raise RefusedError("command.not-text") from error
    return answer


def _new_passphrase(role: str) -> str:
    words = _words()
    while True:
        first = _asked(words["ask_new_passphrase"].format(role=role), getpass.getpass)
        if first == _asked(words["ask_again"], getpass.getpass):
            return first
        print(words["not_alike"], file=sys.stderr)


def _show_second_factors(enrolments: tuple[Enrolment, ...]) -> None:
    """Show what the founders must scan. At a terminal, wait until they have; one that is closed before ends the founding."""
    for one in enrolments:
        _show_second_factor(one)
    sys.stdout.flush()
    if sys.stdin.isatty():
        _asked(_words()["ask_scanned"])


def _show_second_factor(enrolment: Enrolment) -> None:
    """Draw the QR code with half blocks: two rows of modules a line of text."""
    print(f"\n{enrolment.name} · {enrolment.badge_no}")
    rows = [*enrolment.qr_rows, *([] if len(enrolment.qr_rows) % 2 == 0 else ["0" * len(enrolment.qr_rows[0])])]
    blocks = {"00": "█", "01": "▀", "10": "▄", "11": " "}
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        print("".join(blocks[a + b] for a, b in zip(upper, lower, strict=True)))


@cache
def _strings() -> dict[str, Any]:
    with _STRINGS.open("rb") as file:
        return tomllib.load(file)


def _words() -> dict[str, str]:
    words: dict[str, str] = _strings()["commands"]
    return words


def _error_words(code: str) -> tuple[str, str, str]:
    entry = _strings()["errors"].get(code) or {"title": code, "sentence": "", "next": ""}
    return entry["title"], entry["sentence"], entry["next"]


def _complain(error: VaultError) -> None:
    facts = dict(error.facts)
    for line in _error_words(error.code):
        if line:
            print(line.format(**facts), file=sys.stderr)


if __name__ == "__main__":
    main()
