"""The network as evidence: the kernel's answers as they are written, this machine's own, and a network of the test's own."""

from __future__ import annotations

import ast
import errno
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from tests.journeys.own_session import ROOT
from tests.station import SteppedClock
from vault.domain.breach import Signal, SignalKind
from vault.domain.place import ApprovedPlace, Fit, Gateway, Link, PlaceEvidence, judge
from vault.sensors import place
from vault.sensors.place import PlaceReader, PlaceWatch, evidence_of
from vault.sensors.screen import Finding, How

ROUTER = "00:1b:2c:3d:4e:5f"
UP, CARRIER, LOOPBACK = 0x1, 0x10000, 0x8
ETHERNET, NONE, PPP, SIT = 1, 65534, 512, 776


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def interface(index: int, name: str, kind: str = "", *, flags: int = UP | CARRIER, hardware: int = ETHERNET) -> bytes:
    body = struct.pack("=BxHiII", 0, hardware, index, flags, 0) + attribute(3, name.encode() + b"\0")
    return body + (attribute(18 | 0x8000, attribute(1, kind.encode() + b"\0")) if kind else b"")


def address(index: int, text: str, *, scope: int = 0, flags: int = 0) -> bytes:
    own = ip_interface(text)
    family = socket.AF_INET if own.version == 4 else socket.AF_INET6
    body = struct.pack("=BBBBI", family, own.network.prefixlen, flags & 0xFF, scope, index) + attribute(1, own.ip.packed)
    return body + attribute(8, struct.pack("=I", flags))


def route(index: int, gateway: str, *, length: int = 0, table: int = 254, kind: int = 1) -> bytes:
    to = ip_address(gateway)
    family = socket.AF_INET if to.version == 4 else socket.AF_INET6
    body = struct.pack("=BBBBBBBBI", family, length, 0, 0, table, 3, 0, kind, 0)
    return body + attribute(4, struct.pack("=I", index)) + attribute(5, to.packed)


def neighbour(index: int, text: str, hardware: str, state: int = 2) -> bytes:
    of = ip_address(text)
    family = socket.AF_INET if of.version == 4 else socket.AF_INET6
    body = struct.pack("=BxxxiHBB", family, index, state, 0, 1) + attribute(1, of.packed)
    return body + attribute(2, bytes.fromhex(hardware.replace(":", "")))


ETH = interface(2, "eth0")
OWN = (Link("eth0", (ip_interface("10.20.3.4/16"),), (Gateway("10.20.0.1", ROUTER),)),)

#: interfaces, addresses, routes, neighbours · the evidence
MACHINES: Sequence[tuple[str, tuple[list[bytes], list[bytes], list[bytes], list[bytes]], PlaceEvidence]] = [
    ("no network at all", ([interface(1, "lo", flags=UP | CARRIER | LOOPBACK)], [address(1, "127.0.0.1/8")], [], []), PlaceEvidence()),
    ("nothing", ([], [], [], []), PlaceEvidence()),
    (
        "a desk",
        ([ETH], [address(2, "10.20.3.4/16")], [route(2, "10.20.0.1")], [neighbour(2, "10.20.0.1", ROUTER)]),
        PlaceEvidence(OWN),
    ),
    (
        "IPv6 alone",
        (
            [ETH],
            [address(2, "2001:db8::9/64"), address(2, "fe80::1/64", scope=253)],
            [route(2, "fe80::9")],
            [neighbour(2, "fe80::9", ROUTER)],
        ),
        PlaceEvidence((Link("eth0", (ip_interface("2001:db8::9/64"),), (Gateway("fe80::9", ROUTER),)),)),
    ),
    (
        "the gateway did not answer, and one that failed",
        (
            [ETH],
            [address(2, "10.20.3.4/16")],
            [route(2, "10.20.0.1"), route(2, "10.20.0.2")],
            [neighbour(2, "10.20.0.2", ROUTER, state=0x20)],
        ),
        PlaceEvidence((Link("eth0", (ip_interface("10.20.3.4/16"),), (Gateway("10.20.0.1"), Gateway("10.20.0.2"))),)),
    ),
    (
        "the gateway's address known on another interface",
        ([ETH], [address(2, "10.20.3.4/16")], [route(2, "10.20.0.1")], [neighbour(3, "10.20.0.1", ROUTER)]),
        PlaceEvidence((Link("eth0", (ip_interface("10.20.3.4/16"),), (Gateway("10.20.0.1"),)),)),
    ),
    (
        "a route that is no default, of another table, that leads nowhere",
        (
            [ETH],
            [address(2, "10.20.3.4/16")],
            [route(2, "10.9.9.9", length=8), route(2, "10.9.9.9", table=99), route(2, "10.9.9.9", kind=7)],
            [],
        ),
        PlaceEvidence((Link("eth0", (ip_interface("10.20.3.4/16"),)),)),
    ),
    ("the cable out", ([interface(2, "eth0", flags=UP)], [address(2, "10.20.3.4/16")], [route(2, "10.20.0.1")], []), PlaceEvidence()),
    ("down", ([interface(2, "eth0", flags=0)], [address(2, "10.20.3.4/16")], [], []), PlaceEvidence()),
    ("an address not ours yet", ([ETH], [address(2, "2001:db8::9/64", flags=0x40)], [], []), PlaceEvidence()),
    ("an address on a dummy", ([interface(3, "dummy0", "dummy")], [address(3, "10.20.3.4/16")], [], []), PlaceEvidence()),
    (
        "tunnels, up, some without a carrier",
        (
            [
                interface(9, "wg0", "wireguard", hardware=NONE),
                interface(4, "tun0", "tun", flags=UP, hardware=NONE),
                interface(5, "ppp0", hardware=PPP),
                interface(6, "sit0", "sit", flags=0, hardware=SIT),
            ],
            [address(9, "10.20.3.4/16")],
            [],
            [],
        ),
        PlaceEvidence(tunnels=("tun0 (tun)", "ppp0 (ppp)", "wg0 (wireguard)")),
    ),
    (
        "a modem that is no tunnel",
        ([interface(7, "wwan0", hardware=NONE)], [address(7, "100.64.0.2/30")], [], []),
        PlaceEvidence((Link("wwan0", (ip_interface("100.64.0.2/30"),)),)),
    ),
]


@pytest.mark.parametrize(("answers", "evidence"), [row[1:] for row in MACHINES], ids=[row[0] for row in MACHINES])
def test_what_the_kernels_answers_say(answers: tuple[list[bytes], ...], evidence: PlaceEvidence) -> None:
    assert evidence_of(dict(zip(place._NEW, answers, strict=True))) == evidence


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_an_answer_that_is_cut_off_says_less_and_breaks_nothing(cut: int) -> None:
    bodies = (ETH, address(2, "10.20.3.4/16"), route(2, "10.20.0.1"), neighbour(2, "10.20.0.1", ROUTER))
    try:
        evidence_of({asked: [body[:-cut]] for asked, body in zip(place._NEW, bodies, strict=True)})
    except (ValueError, struct.error):
        return


linux = pytest.mark.skipif(sys.platform != "linux", reason="rtnetlink is Linux")


@linux
def test_this_machine_is_read_as_the_system_shows_it() -> None:
    evidence = PlaceReader(lambda: ()).look()
    assert not evidence.unread
    shown = Path("/proc/net/if_inet6").read_text() if Path("/proc/net/if_inet6").exists() else ""
    for link in evidence.links:
        assert socket.if_nametoindex(link.name)
        for one in link.addresses:
            assert one.version == 4 or one.ip.packed.hex() in shown
    routes = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    defaults = {
        socket.inet_ntoa(struct.pack("=I", int(one[2], 16))) for one in routes if one[1] == one[7] == "0" * 8 and int(one[3], 16) & 2
    }
    assert {one.address for link in evidence.links for one in link.gateways if "." in one.address} <= defaults
    known = {(line.split()[0], line.split()[3]) for line in Path("/proc/net/arp").read_text().splitlines()[1:]}
    assert {(one.address, one.hardware) for link in evidence.links for one in link.gateways if one.hardware and "." in one.address} <= known


@linux
def test_a_reading_is_shared_for_a_moment_and_remote_evidence_comes_from_who_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def findings() -> tuple[Finding, ...]:
        asked.append(1)
        return (Finding(How.SERVED, "variable", (("variable", "X"),)), Finding(How.SERVED, "variable"), Finding(How.FORWARDED, "relay"))

    reader = PlaceReader(findings)
    assert reader.look().remote == ("served variable", "forwarded relay")
    assert reader.look() is reader.look()
    assert len(asked) == 1
    monkeypatch.setattr(place, "_GOOD_FOR_SECONDS", 0.0)
    reader.look()
    assert len(asked) == 2


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_are_not_read_and_say_so(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    reader = PlaceReader(lambda: pytest.fail("nothing is asked"))
    assert reader.facts() == (("place_fit", "not-judged"), ("place_unread", "not-on-this-system"))


@linux
def test_a_kernel_that_does_not_say_is_no_place_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: object) -> socket.socket:
        raise PermissionError

    monkeypatch.setattr(place.socket, "socket", refuse)
    evidence = PlaceReader(lambda: ()).look()
    assert evidence.unread == place.NOT_READABLE
    assert judge((ApprovedPlace("x", (ip_network("10.0.0.0/8"),)),), evidence).fit is Fit.NOT_READ


@linux
def test_a_kernel_that_fails_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = socket.socket, []

    def refuse_once(*words: int) -> socket.socket:
        if not refused:
            refused.append(words)
            raise OSError
        return real(*words)

    monkeypatch.setattr(place.socket, "socket", refuse_once)
    assert not PlaceReader(lambda: ()).look().unread
    assert refused


@linux
def test_a_remote_session_that_cannot_be_looked_for_costs_no_evidence() -> None:
    def refuse() -> tuple[Finding, ...]:
        raise OSError(errno.EMFILE, "too many open files")

    evidence = PlaceReader(refuse).look()
    assert (evidence.unread, evidence.remote) == ("", None)
    assert evidence.links == PlaceReader(tuple).look().links


# ---- the watch -----------------------------------------------------------------------------------------------------------------------


class Somewhere(PlaceReader):
    """A reader whose machine is carried about."""

    def __init__(self) -> None:
        super().__init__(tuple)
        self.evidence = PlaceEvidence(OWN)
        self.looks = 0

    def look(self) -> PlaceEvidence:
        self.looks += 1
        return self.evidence

    def looked_on(self) -> None:
        """Some looks more have come and gone."""
        enough = self.looks + 3
        until(lambda: self.looks >= enough)


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


HEADQUARTERS = ApprovedPlace("Headquarters", (ip_network("10.20.0.0/16"),), (ROUTER,))
HOME = PlaceEvidence((Link("eth0", (ip_interface("192.168.1.5/24"),), (Gateway("192.168.1.1", "66:55:44:33:22:11"),)),))


@pytest.fixture
def away() -> Somewhere:
    made = Somewhere()
    made.evidence = HOME
    return made


def watch(
    reader: PlaceReader, clock: SteppedClock, *, bound: bool = False, places: Sequence[ApprovedPlace] = (HEADQUARTERS,)
) -> PlaceWatch:
    return PlaceWatch(places, reader, lambda: bound, clock, 0.02, 30.0)


def test_opened_elsewhere_is_told_once_with_its_evidence(away: Somewhere) -> None:
    told: list[Signal] = []
    clock = SteppedClock()
    one = watch(away, clock)
    assert one.fit is None
    one.start(told.append)
    until(lambda: bool(told))
    clock.step(500.0)
    away.looked_on()
    one.stop()
    [signal] = told
    assert signal.kind is SignalKind.PLACE_NOT_APPROVED
    facts = dict(signal.facts)
    assert (facts["moment"], facts["place_fit"], facts["place_addresses"]) == ("opening", "other-network", "eth0 192.168.1.5/24")
    assert one.fit is None, "a watch that ended says nothing"
    assert all(thread.name != "place" for thread in threading.enumerate())


def test_carried_off_while_open_is_told_when_it_lasts() -> None:
    told: list[Signal] = []
    reader, clock = Somewhere(), SteppedClock()
    one = watch(reader, clock)
    one.start(told.append)
    until(lambda: one.fit is Fit.FITS)
    reader.evidence = HOME
    until(lambda: one.fit is Fit.OTHER_NETWORK)
    assert not told
    clock.step(500.0)
    reader.looked_on()
    assert not told, "asleep: the time begins anew"
    for _ in range(4):
        clock.step(10.0)
        reader.looked_on()
    until(lambda: bool(told))
    one.stop()
    [signal] = told
    assert dict(signal.facts)["moment"] == "open"


def test_a_bound_workstation_is_not_judged_by_evidence_but_says_it(away: Somewhere) -> None:
    told: list[Signal] = []
    clock = SteppedClock()
    one = watch(away, clock, bound=True)
    one.start(told.append)
    until(lambda: one.fit is Fit.OTHER_NETWORK)
    clock.step(100.0)
    away.looked_on()
    one.stop()
    assert not told
    assert dict(one.facts())["place_fit"] == "other-network"


def test_without_approved_places_nothing_runs(away: Somewhere) -> None:
    one = watch(away, SteppedClock(), places=())
    one.start(lambda _signal: pytest.fail("nothing to tell"))
    assert not one.is_watching
    assert one.facts()[0] == ("place_fit", "not-set")
    one.stop()


# ---- a network of its own ------------------------------------------------------------------------------------------------------------

GATEWAY, GATEWAY_MAC = "10.20.0.1", "02:00:5e:20:00:01"
SHOW = "from vault.sensors.place import PlaceReader; print(repr(dict(PlaceReader(lambda: ()).facts())))"


@pytest.fixture
def network() -> Iterator[str]:
    """A namespace of the test's own, with a cable to a gateway in another."""
    run = f"casevault-place-{uuid.uuid4().hex[:8]}"
    machine, router = f"{run}-m", f"{run}-r"
    try:
        for name in (machine, router):
            ip("netns", "add", name)
        ip("link", "add", "eth0", "netns", machine, "type", "veth", "peer", "name", "eth0", "address", GATEWAY_MAC, "netns", router)
        for name, own in ((machine, "10.20.3.4/16"), (router, f"{GATEWAY}/16")):
            ip("-n", name, "addr", "add", own, "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", machine, "route", "add", "default", "via", GATEWAY)
        yield machine
    finally:
        for name in (machine, router):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def seen_in(namespace: str) -> dict[str, str]:
    command = ["nsenter", f"--net=/run/netns/{namespace}", "--", sys.executable, "-c", SHOW]
    found: dict[str, str] = ast.literal_eval(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    return found


@linux
@pytest.mark.skipif(sys.platform == "linux" and os.geteuid() != 0, reason="makes network namespaces: root")
def test_a_chosen_network_is_read_and_a_tunnel_in_it(network: str) -> None:
    ip("-n", network, "neigh", "replace", GATEWAY, "lladdr", GATEWAY_MAC, "dev", "eth0")
    before = seen_in(network)
    assert (before["place_addresses"], before["place_gateways"]) == ("eth0 10.20.3.4/16", f"{GATEWAY} {GATEWAY_MAC}")
    assert before["place_tunnels"] == "none"
    ip("-n", network, "tuntap", "add", "tun0", "mode", "tun")
    assert seen_in(network)["place_tunnels"] == "none", "it is down"
    ip("-n", network, "link", "set", "tun0", "up")
    ip("-n", network, "link", "set", "eth0", "down")
    after = seen_in(network)
    assert (after["place_tunnels"], after["place_addresses"]) == ("tun0 (tun)", "none")


@linux
@pytest.mark.skipif(sys.platform == "linux" and os.geteuid() != 0, reason="makes network namespaces: root")
def test_a_tunnel_is_told_whatever_it_is_called(network: str) -> None:
    """WireGuard and OpenVPN as programs make such interfaces; what they call them is theirs."""
    ip("-n", network, "link", "set", "eth0", "name", "cable")
    for name, mode in (("office0", "tun"), ("eth0", "tap")):
        ip("-n", network, "tuntap", "add", name, "mode", mode)
        ip("-n", network, "link", "set", name, "up")
    ip("-n", network, "addr", "add", "10.20.9.9/16", "dev", "eth0")
    seen = seen_in(network)
    assert (seen["place_tunnels"], seen["place_addresses"]) == ("office0 (tun), eth0 (tun)", "cable 10.20.3.4/16")
