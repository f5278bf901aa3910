"""V67-V77: place, time, network, against a real key server on this machine's loopback, for V69 and V71 behind a real front;
`make premises-drill` has networks of its own.

The station is bound to the key server by its command, once, when the first of these rows needs it; no row after them runs a desk elsewhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from weakref import WeakKeyDictionary

from tests.attacks.suite.rig import Rig, passphrase_of, wait_until
from tests.front import Front, running_front
from tests.journeys.desk_driver import ROOT, children_of
from tests.premises_drill.thief import export_keyring, import_keyring
from tests.tang import TangServer
from vault.assembly import CONTENT_NAME, REGISTER_NAME
from vault.commands import _error_words
from vault.demo import read_plan
from vault.domain.breach import SignalKind
from vault.storage.spool import FOLDER_NAME

_OFF, _LOST, _TAMPERED = SignalKind.OFF_PREMISES, SignalKind.PREMISES_LOST, SignalKind.STORE_TAMPERED
_UNREACHABLE, _OTHER_KEYS, _IMPOSTOR = "premises.unreachable", "premises.refused", "premises.wrong-answer"
_PATIENCE_SECONDS = 60.0
_SOON = 0.1  # nothing is committed before the workstation is back
_FOUNDERS = ("9001", "4001", "7001")
_NOBODY = ("0000", "no passphrase of anybody", "000000")  # who the command is told asks
_DAY, _HOUR = 86_400, 3_600
_CHILDREN = 3  # of a desk: the vault process and its two workers
_FALSE_TIME_C = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(which, at);
    const char *by = getenv("FALSE_SECONDS");
    if (by && which == CLOCK_REALTIME) at->tv_sec += atol(by);
    return status;
}
"""


@dataclass
class _Bound:
    """The station and its key server."""

    rig: Rig
    server: TangServer
    people: Iterator[str] = field(default_factory=lambda: cycle(("9001", "4001", "4002")))  # a code is good once

    def command(self, *answers: str, act: tuple[str, ...] = ("list",), **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``casevault premises``; it has no terminal and asks on its standard input."""
        return subprocess.run(
            [sys.executable, "-m", "vault.commands", "premises", "--vault", str(self.rig.station.directory), *act],
            cwd=ROOT,
            env={**os.environ, **environment},
            input="".join(f"{one}\n" for one in answers),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
            start_new_session=True,
        )

    def come_back(self) -> None:
        """Open the vault as one of those who may; what was sealed meanwhile is taken in."""
        self.signed_in(next(self.people), "list")

    def signed_in(self, badge_no: str, *act: str) -> None:
        """Run the command as somebody: an administrator binds, a supervisor takes a server off."""
        done = self.command(badge_no, passphrase_of(badge_no), self.rig.station.code(badge_no), act=act)
        assert done.returncode == 0, done.stderr

    def refused(self, code: str) -> bool:
        """Whether the vault stays shut, for this reason, whoever asks."""
        done = self.command(*_NOBODY)
        return done.returncode == 1 and _error_words(code)[0] in done.stderr

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have no key server answer."""
        self.server.close()
        try:
            yield
        finally:
            self.server = TangServer(self.server.keys, port=self.server.port)

    @contextmanager
    def impostor(self, advertisement: Path) -> Iterator[None]:
        """Have the drill's impostor at the key server's address."""
        program = [sys.executable, "-m", "tests.premises_drill.impostor", str(advertisement), str(self.server.port)]
        made = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE)
        assert made.stdout is not None
        assert made.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            made.stdout.close()
            made.terminate()
            made.wait()


_BOUND: WeakKeyDictionary[Rig, _Bound] = WeakKeyDictionary()


def _bound(rig: Rig) -> _Bound:
    if rig not in _BOUND:
        made = _Bound(rig, TangServer(rig.home.parent / "key-room"))
        made.signed_in("9001", "add", "--name", "Key room", "--url", made.server.url, "--thumbprint", made.server.thumbprint())
        _BOUND[rig] = made
    return _BOUND[rig]


def come_back(rig: Rig) -> None:
    """Open the vault where it belongs, as one of those who may, and close it; what was sealed meanwhile is taken in."""
    _bound(rig).come_back()


def carried_off(rig: Rig) -> None:
    """V67: the key server is out of reach, of a closed vault and of an open page."""
    bound = _bound(rig)
    with rig.act("V67", "open it away", _OFF, seconds=_SOON, code=_UNREACHABLE) as act:
        with bound.away():
            act.check(bound.refused(_UNREACHABLE), "it does not open")
        bound.come_back()
    rig.start_desk()
    rig.open_window()
    rig.sign_in()
    rig.page()
    with rig.act("V67", "the cable out while a page is shown", _LOST, seconds=_SOON) as act, bound.away():
        act.check(wait_until(lambda: not rig.screen.shows_page(), _PATIENCE_SECONDS), "the page is covered")
        vault = rig.desk.vault_pid()
        rig.desk.wait("show lock", since=0, seconds=_PATIENCE_SECONDS)
        act.check(wait_until(lambda: not Path(f"/proc/{vault}").exists(), _PATIENCE_SECONDS), "locked, and the vault process ended")
        rig.desk.wait("focus cannot_open_act", since=0, seconds=_PATIENCE_SECONDS)
        rig.end_desk()
    bound.come_back()


def imitated(rig: Rig) -> None:
    """V68: at the same address a Tang with other keys, and one that plays the advertisement word for word."""
    bound = _bound(rig)
    advertisement = rig.home.parent / "advertisement"
    with urllib.request.urlopen(f"{bound.server.url}/adv", timeout=10) as answer:
        advertisement.write_bytes(answer.read())
    with rig.act("V68", "another Tang", _OFF, seconds=_SOON, code=_OTHER_KEYS) as act, bound.away():
        other = TangServer(rig.home.parent / "other-keys", port=bound.server.port)
        act.check(bound.refused(_OTHER_KEYS), "it does not open")
        other.close()
        act.check(other.requests > 0, "it was asked")
    with rig.act("V68", "an impostor", _OFF, seconds=_SOON, code=_IMPOSTOR) as act:
        with bound.away(), bound.impostor(advertisement):
            act.check(bound.refused(_IMPOSTOR), "it does not open")
        bound.come_back()


def tunnelled(rig: Rig) -> None:
    """V69: the far end of a tunnel to the front, without the workstation's identity, with it (declared: the premises), and revoked."""
    bound = _bound(rig)
    room = rig.home.parent / "behind-a-front"
    room.mkdir()
    with running_front(room, "ws-07") as front, _tunnel_to(front.port) as port:
        identity, authority = front.folder / "ws-07.pem", front.folder / "authority.pem"
        where = ("--name", "Front", "--url", f"https://127.0.0.1:{port}", "--thumbprint", front.station.thumbprint())
        bound.signed_in("9001", "add", *where, "--certificate", str(identity), "--authority", str(authority), "--threshold", "2")
        own, asked = identity.read_bytes(), front.station.requests
        with rig.act("V69", "through a tunnel, with a certificate that is no workstation's", _OFF, seconds=_SOON, code=_OTHER_KEYS) as act:
            identity.write_bytes((front.folder / "front.pem").read_bytes())
            act.check(bound.refused(_OTHER_KEYS), "it does not open")
            act.check(front.station.requests == asked, "the key server is not asked")
            act.check(_last_line(front) == ("CN=127.0.0.1", "127.0.0.1", "400"), "the front's log says so")
            identity.write_bytes(own)
        with rig.act("V69", "with the workstation's identity") as act:
            bound.come_back()
            act.check(_last_line(front) == ("CN=ws-07", "127.0.0.1", "200"), "it opens, and the log says who, and from where")
        with rig.act("V69", "with that identity revoked", _OFF, seconds=_SOON, code=_OTHER_KEYS) as act:
            front.identities("revoke", "ws-07")
            front.reload()
            act.check(bound.refused(_OTHER_KEYS), "it does not open")
            act.check(_last_line(front) == ("CN=ws-07", "127.0.0.1", "400"), "the log says so")
        front.identities("workstation", "ws-08")
        identity.write_bytes((front.folder / "ws-08.pem").read_bytes())
        bound.signed_in("4001", "remove", "--name", "Front", "--threshold", "1")


def _last_line(front: Front) -> tuple[str, str, str]:
    """Who asked the key server last, from where, and the status; nginx writes the line when the answer is given."""
    line = [one for one in front.log() if one[3] != "place file"][-1]
    return line[1], line[2], line[-1]


@contextmanager
def _tunnel_to(port: int) -> Iterator[int]:
    """A tunnel's near end: whoever calls there speaks to the front, which sees the tunnel's address."""
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        near = int(chosen.getsockname()[1])
    relay = subprocess.Popen(["socat", f"TCP-LISTEN:{near},bind=127.0.0.1,reuseaddr,fork", f"TCP:127.0.0.1:{port}"])
    try:
        assert wait_until(lambda: _answers(near), _PATIENCE_SECONDS), "the tunnel is up"
        yield near
    finally:
        relay.terminate()
        relay.wait()


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def cloned(rig: Rig) -> None:
    """V70: the folder and the whole keyring on another machine; where the key servers answer, that is the workstation (declared)."""
    bound = _bound(rig)
    clone, secrets = rig.home.parent / "clone", rig.home.parent / "clone-keyring.json"
    shutil.copytree(rig.station.directory, clone)
    export_keyring(secrets)
    with rig.act("V70", "a clone with everything") as act:
        with bound.away():
            said = _thief_says(clone, secrets)
            act.check(said == _UNREACHABLE, f"away from the key servers: {said}")
        said = _thief_says(clone, secrets)
        act.check(said == "opens", f"where they answer: {said}")


def _thief_says(clone: Path, secrets: Path) -> str:
    program = [ROOT / "packaging" / "session.sh", "headless", sys.executable, "-m", "tests.premises_drill.thief", clone, secrets]
    done = subprocess.run(program, cwd=ROOT, input="\n", capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS)
    return done.stdout.split()[-1]


def rolled_back(rig: Rig) -> None:
    """V71: the files of before put back, then the keyring with them. The vault opens, so that there is somewhere to report it."""
    bound, vault = _bound(rig), rig.station.directory
    before = rig.home.parent / "before"
    shutil.copytree(vault, before)
    bound.come_back()
    with rig.act("V71", "older files put back", _TAMPERED, seconds=_SOON, code="audit.rolled-back"):
        _put_back(vault, before)
        bound.come_back()
    room, secrets = rig.home.parent / "front-that-remembers", rig.home.parent / "before-keyring.json"
    room.mkdir()
    with running_front(room, "ws-07") as front:
        place = front.place()
        where = ("--name", "Front", "--url", place.url, "--thumbprint", front.station.thumbprint())
        bound.signed_in("9001", "add", *where, "--certificate", place.certificate, "--authority", place.authority, "--threshold", "2")
        bound.come_back()
        shutil.rmtree(before)
        shutil.copytree(vault, before)
        export_keyring(secrets)
        bound.come_back()
        with rig.act("V71", "the keyring put back as well", _TAMPERED, seconds=_SOON, code="place-file.rolled-back"):
            _put_back(vault, before)
            import_keyring(secrets)
            bound.come_back()
        bound.signed_in("4001", "remove", "--name", "Front", "--threshold", "1")


def _put_back(vault: Path, before: Path) -> None:
    for name in (f"{one}{tail}" for one in (REGISTER_NAME, CONTENT_NAME) for tail in ("", "-wal", "-shm")):
        (vault / name).unlink(missing_ok=True)
        if (before / name).exists():
            shutil.copy(before / name, vault / name)


def clock_set_back(rig: Rig) -> None:
    """V73: the vault was last open by a clock that ran an hour ahead."""
    bound, library = _bound(rig), _false_time(rig)
    with rig.act("V73", "open it an hour ahead, then now", SignalKind.CLOCK_SET_BACK, seconds=_SOON) as act:
        ahead = bound.command(*_NOBODY, LD_PRELOAD=str(library), FALSE_SECONDS=str(_HOUR))
        act.check(_error_words("session.not-recognised")[0] in ahead.stderr, "it was open an hour ahead")
        bound.come_back()


def false_time(rig: Rig) -> None:
    """V74: a library that gives the desk another day."""
    library = _false_time(rig)
    now, false = (int(rig.run("date", "+%s", **more).stdout) for more in ({}, {"LD_PRELOAD": str(library), "FALSE_SECONDS": f"-{_DAY}"}))
    with rig.act("V74", "the desk under a false day", SignalKind.HOSTILE_ENVIRONMENT, names="*LD_PRELOAD*") as act:
        act.check(now - false > _DAY // 2, "another program believes it")
        rig.start_desk(LD_PRELOAD=str(library), FALSE_SECONDS=f"-{_DAY}")
        rig.open_window()
        act.check(
            wait_until(lambda: len(children_of(rig.desk.process.pid)) >= _CHILDREN, _PATIENCE_SECONDS),
            "the vault process and its workers run",
        )
        pids = (rig.desk.process.pid, *children_of(rig.desk.process.pid))
        found = [pid for pid in pids if str(library) in Path(f"/proc/{pid}/maps").read_text()]
        act.check(not found, f"none of {len(pids)} processes has the library")
    rig.end_desk()


def _false_time(rig: Rig) -> Path:
    library, source = rig.home.parent / "false-time.so", rig.home.parent / "false-time.c"
    if not library.exists():
        source.write_text(_FALSE_TIME_C)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def held_back(rig: Rig) -> None:
    """V75: a sealed report deleted before anybody has read it."""
    bound = _bound(rig)
    spool = rig.station.directory / FOLDER_NAME
    with rig.act("V75", "a sealed report deleted", _TAMPERED, seconds=_SOON, code="spool.gap", reports="1") as act:
        with bound.away():
            bound.refused(_UNREACHABLE)
            other = TangServer(rig.home.parent / "another-room", port=bound.server.port)
            bound.refused(_OTHER_KEYS)
            other.close()
        [first, second] = sorted(spool.glob("*.report"))
        first.unlink()
        bound.come_back()
        act.check(not second.exists(), "the other one is taken in")


def watcher_stopped(rig: Rig) -> None:
    """V76: the vault process, which watches, is frozen and killed while a page is shown."""
    for name, how in (("freeze the vault process", signal.SIGSTOP), ("kill it", signal.SIGKILL)):
        rig.page()
        vault = rig.desk.vault_pid()
        with rig.act("V76", name, *((SignalKind.SENSOR_BLIND,) if how is signal.SIGSTOP else ())) as act:
            os.kill(vault, how)
            act.check(wait_until(lambda: not rig.screen.shows_page(), 20.0), "the page is covered")
            if how is signal.SIGSTOP:
                os.kill(vault, signal.SIGCONT)
    rig.end_desk()


def service_account(rig: Rig) -> None:
    """V77: accounts nobody was enrolled for."""
    bound = _bound(rig)
    with rig.act("V77", "sign in as a service would") as act:
        for badge_no in ("admin", "root", "support", "casevault"):
            done = bound.command(badge_no, badge_no, "000000")
            act.check(done.returncode == 1 and "Traceback" not in done.stderr and bound.server.url not in done.stdout, f"not as {badge_no}")
    with rig.act("V77", "who is enrolled") as act:
        with rig.station.opened("4001") as vault:
            lines = vault.administration.people()
        people = {one.person.badge_no for one in lines}
        enrolled = {one["badge_no"] for one in read_plan()["person"]}
        act.check(people == enrolled, f"{len(people)} people, all of them known {sorted(people - enrolled)}")
        later = [one for one in lines if one.person.badge_no not in _FOUNDERS]
        signed = all(one.enrolled_by and one.cosigned_by and one.enrolled_by.person_id != one.cosigned_by.person_id for one in later)
        act.check(bool(later) and signed, f"{len(later)} of them enrolled by one person and signed by another")
