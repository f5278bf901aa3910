"""Where this workstation stands, as the kernel knows its network; and the watch over it while a vault is open (DESIGN §6, V67-V69).

Rules:

1. Nothing is sent to the network: interfaces, addresses, default gateways and their hardware addresses are asked of the kernel over
   rtnetlink, in this process's own network namespace (which /sys does not show). A gateway nobody spoke to yet has no hardware address.
2. A tunnel is told by the kernel's kind of the interface, or by its hardware type; one that is down does not count.
3. Evidence of a remote session is what the remote-session sensor knows; nothing of it is found here.
4. A reading is good for two seconds: reports that come at once share one, and none waits for more than a millisecond or so.
5. Evidence never costs a report: what cannot be read or looked for is told as such, after a second try of the kernel.
6. The watch looks every few seconds, oftener while something does not fit; when to tell is `domain.place.Presence`'s to say. On a
   workstation bound to key servers it tells nothing.

LIMIT: evidence can be imitated (`vault.domain.place`). Routes of several gateways at once, through a gateway of the other family (RTA_VIA),
without a gateway (a modem's ``default dev wwan0``) and of other tables than the main one are not read. Other systems than Linux are not
read at all, and say so.

Thread: `PlaceReader.look` from any; `PlaceWatch` has one, ``place``. Source: rtnetlink(7), linux/if_link.h, if_arp.h, neighbour.h.
"""

from __future__ import annotations

import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Final

from vault.domain.breach import Signal, SignalKind
from vault.domain.place import (
    ApprovedPlace,
    Facts,
    Fit,
    Gateway,
    InterfaceAddress,
    Link,
    PlaceEvidence,
    PlaceFit,
    Presence,
    judge,
)
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.screen import Finding
from vault.services.ports import Clock

_log = logging.getLogger(__name__)

NOT_ON_THIS_SYSTEM: Final = "not-on-this-system"
NOT_READABLE: Final = "not-readable"

_GOOD_FOR_SECONDS: Final = 2.0
_WAIT_SECONDS: Final = 0.2
_MOST_BYTES: Final = 1 << 20  # of one answer: some thousand interfaces; what is beyond is not looked at
_PENDING_SECONDS: Final = 1.0
_TRIES: Final = 2  # an answer of the kernel may be cut short by a change of what it lists
_ASLEEP_LOOKS: Final = 3  # as many looks that did not come, and at least …
_ASLEEP_SECONDS: Final = 15.0  # … this long: the machine slept
_ROUTE: Final = 0  # NETLINK_ROUTE
_GET_LINK, _GET_ADDRESS, _GET_ROUTE, _GET_NEIGHBOUR = 18, 22, 26, 30
_NEW = {_GET_LINK: 16, _GET_ADDRESS: 20, _GET_ROUTE: 24, _GET_NEIGHBOUR: 28}
_DONE, _FAILED = 3, 2
_DUMP: Final = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, hardware type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE_MESSAGE = struct.Struct("=BBBBBBBBI")  # rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, flags
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # ndmsg: family, index, state, flags, type
_ATTRIBUTE = struct.Struct("=HH")
_NESTED_MASK: Final = 0x3FFF
_NAME, _LINK_INFO, _EXTENDED, _INFO_KIND = 3, 18, 29, 1
_SKIP_STATISTICS: Final = 8
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_RTA_OUT, _RTA_GATEWAY = 4, 5
_NDA_ADDRESS, _NDA_HARDWARE = 1, 2
_UP, _LOOPBACK, _CARRIER = 0x1, 0x8, 0x10000
_NOT_OURS_YET: Final = 0x40 | 0x08  # tentative, or a duplicate
_LINK_LOCAL_SCOPE: Final = 253
_MAIN_TABLE, _UNICAST = 254, 1
_KNOWN: Final = 0x02 | 0x04 | 0x08 | 0x10 | 0x80  # reachable, stale, delay, probe, permanent
_HARDWARE_BYTES: Final = 6

_TUNNEL_KINDS = frozenset(
    {
        *("tun", "wireguard", "ppp", "ovpn", "ovpn-dco", "amneziawg"),
        *("ipip", "sit", "ip6tnl", "gre", "gretap", "ip6gre", "ip6gretap", "erspan", "ip6erspan", "vti", "vti6", "xfrm"),
        *("vxlan", "geneve", "bareudp", "l2tp", "fou", "gtp"),
    }
)
_TUNNEL_TYPES = {256: "slip", 512: "ppp", 768: "ipip", 769: "ip6tnl", 776: "sit", 778: "gre", 823: "ip6gre"}  # ARPHRD_*
_NO_NETWORK_KINDS = frozenset({"dummy", "ifb", "nlmon"})  # an address there is nobody's network


@dataclass(frozen=True, slots=True)
class _Interface:
    name: str
    kind: str
    is_tunnel: bool
    is_network: bool


class PlaceReader:
    """Reads the evidence.

    Args:
        remote: what is known of a remote session; called from the reader's callers, any thread.
    """

    def __init__(self, remote: Callable[[], Sequence[Finding]]) -> None:
        self._remote = remote
        self._reading = threading.Lock()
        self._read_at = 0.0
        self._evidence: PlaceEvidence | None = None

    def look(self) -> PlaceEvidence:
        """Give the evidence of now, at most two seconds old. Raises nothing."""
        if sys.platform != "linux":
            return PlaceEvidence(unread=NOT_ON_THIS_SYSTEM)
        with self._reading:
            if self._evidence is None or time.monotonic() - self._read_at >= _GOOD_FOR_SECONDS:
                self._evidence, self._read_at = _read(self._remotely()), time.monotonic()
            return self._evidence

    def _remotely(self) -> tuple[str, ...] | None:
        try:
            return tuple(dict.fromkeys(f"{one.how.value} {one.by}" for one in self._remote()))
        except Exception:
            _log.exception("a remote session could not be looked for")  # no descriptor left, for one: the report goes on without it
            return None

    def facts(self) -> Facts:
        """As facts of a report that is made while the vault is shut: the approved places lie in it, so nothing is judged."""
        return (*PlaceFit(Fit.NOT_JUDGED).facts(), *self.look().facts())


class PlaceWatch:
    """The evidence against the approved places, while a vault is open.

    Args:
        places: the policy's.
        reader: the evidence.
        is_bound: whether this workstation is bound to key servers; any thread, must not block.
        clock: boot time counts.
        look_seconds: from look to look; a gateway may be unknown, or none be there, for as long after the opening.
        lasting_seconds: how long nothing may fit while the vault is open.
    """

    def __init__(
        self,
        places: Sequence[ApprovedPlace],
        reader: PlaceReader,
        is_bound: Callable[[], bool],
        clock: Clock,
        look_seconds: float,
        lasting_seconds: float,
    ) -> None:
        self._places = tuple(places)
        self._reader = reader
        self._is_bound = is_bound
        self._clock = clock
        self._look_seconds = look_seconds
        apart_seconds = max(_ASLEEP_LOOKS * look_seconds, _ASLEEP_SECONDS)
        self._presence = Presence(int(look_seconds * 1_000_000), int(lasting_seconds * 1_000_000), int(apart_seconds * 1_000_000))
        self._fit: Fit | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_watching(self) -> bool:
        """Whether the watch runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def fit(self) -> Fit | None:
        """What the last look said; None before the first, and if the watch does not run."""
        return self._fit if self.is_watching else None

    def facts(self) -> Facts:
        """The evidence of now and what it fits, as facts of a report (any thread)."""
        evidence = self._reader.look()
        return (*judge(self._places, evidence).facts(), *evidence.facts())

    def start(self, emit: Emit) -> None:
        """Look at once, and then again and again; without approved places there is nothing to watch."""
        if self._places and self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(emit,), name="place", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; a look takes a moment."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        if thread is not None:
            thread.join()

    def _run(self, emit: Emit) -> None:
        try:
            while True:
                self._look(emit)
                if self._stopping.wait(min(_PENDING_SECONDS, self._look_seconds) if self._presence.is_pending else self._look_seconds):
                    return
        except Exception:
            _log.exception("the watch over the place failed")  # the strip says that it does not run

    def _look(self, emit: Emit) -> None:
        evidence = self._reader.look()
        said = judge(self._places, evidence)
        self._fit = said.fit
        fit = Fit.NOT_SET if self._is_bound() else said.fit
        if moment := self._presence.look(fit, self._clock.boot_us(), has_gateway=evidence.has_gateway):
            facts = (("moment", moment), *said.facts(), *evidence.facts())
            emit(Signal(SignalKind.PLACE_NOT_APPROVED, wall_clock_us(), facts))


# ---- the kernel's answers ------------------------------------------------------------------------------------------------------------


def _read(remote: tuple[str, ...] | None) -> PlaceEvidence:
    for _try in range(_TRIES):
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE) as netlink:
                netlink.settimeout(_WAIT_SECONDS)
                answers = {asked: tuple(_ask(netlink, asked)) for asked in _NEW}
            return evidence_of(answers, remote)
        except (OSError, ValueError, struct.error) as error:
            _log.warning("the network's evidence cannot be read: %s", type(error).__name__)
    return PlaceEvidence(remote=remote, unread=NOT_READABLE)


def evidence_of(answers: Mapping[int, Sequence[bytes]], remote: tuple[str, ...] | None = ()) -> PlaceEvidence:
    """Make the evidence of the kernel's answers: bodies of messages by what was asked for.

    Raises:
        ValueError, struct.error: it is none of the kernel's.
    """
    interfaces = dict(_interfaces(answers.get(_GET_LINK, ())))
    addresses: dict[int, list[InterfaceAddress]] = {}
    for index, address in _addresses(answers.get(_GET_ADDRESS, ())):
        addresses.setdefault(index, []).append(address)
    hardware = dict(_neighbours(answers.get(_GET_NEIGHBOUR, ())))
    gateways: dict[int, list[Gateway]] = {}
    for index, at in dict.fromkeys(_default_gateways(answers.get(_GET_ROUTE, ()))):
        gateways.setdefault(index, []).append(Gateway(str(at), hardware.get((index, at), "")))
    links = tuple(
        Link(one.name, tuple(addresses.get(index, ())), tuple(gateways.get(index, ())))
        for index, one in sorted(interfaces.items())
        if one.is_network and (index in addresses or index in gateways)
    )
    tunnels = tuple(f"{one.name} ({one.kind})" for _index, one in sorted(interfaces.items()) if one.is_tunnel)
    return PlaceEvidence(links, tunnels, remote)


def _interfaces(bodies: Sequence[bytes]) -> Iterator[tuple[int, _Interface]]:
    """Interfaces that are up, by index; of those without a carrier, tunnels only."""
    for body in bodies:
        _family, hardware_type, index, flags, _change = _LINK.unpack_from(body)
        if not flags & _UP or flags & _LOOPBACK:
            continue
        said = _attributes(body[_LINK.size :])
        kind = _text(_attributes(said.get(_LINK_INFO, b"")).get(_INFO_KIND, b""))
        is_tunnel = kind in _TUNNEL_KINDS or hardware_type in _TUNNEL_TYPES
        is_network = bool(flags & _CARRIER) and not is_tunnel and kind not in _NO_NETWORK_KINDS
        kind = kind or _TUNNEL_TYPES.get(hardware_type, "")
        yield index, _Interface(_text(said.get(_NAME, b"")), kind, is_tunnel, is_network)


def _addresses(bodies: Sequence[bytes]) -> Iterator[tuple[int, InterfaceAddress]]:
    """(interface, address) of every address that says something of a network: none that every machine gives itself."""
    for body in bodies:
        family, prefix_length, flags, scope, index = _ADDRESS.unpack_from(body)
        said = _attributes(body[_ADDRESS.size :])
        flags = int.from_bytes(said.get(_IFA_FLAGS, bytes([flags])), sys.byteorder)
        own = said.get(_IFA_LOCAL) or said.get(_IFA_ADDRESS, b"")
        if family in (socket.AF_INET, socket.AF_INET6) and scope < _LINK_LOCAL_SCOPE and not flags & _NOT_OURS_YET:
            yield index, ip_interface((own, prefix_length))


def _default_gateways(bodies: Sequence[bytes]) -> Iterator[tuple[int, IPv4Address | IPv6Address]]:
    for body in bodies:
        family, destination_length, _, _, table, _, _, route_type, _ = _ROUTE_MESSAGE.unpack_from(body)
        if family not in (socket.AF_INET, socket.AF_INET6) or destination_length or (table, route_type) != (_MAIN_TABLE, _UNICAST):
            continue
        said = _attributes(body[_ROUTE_MESSAGE.size :])
        if _RTA_GATEWAY in said and _RTA_OUT in said:
            yield int.from_bytes(said[_RTA_OUT], sys.byteorder), ip_address(said[_RTA_GATEWAY])


def _neighbours(bodies: Sequence[bytes]) -> Iterator[tuple[tuple[int, IPv4Address | IPv6Address], str]]:
    """Who is known on which interface, by address, and by which hardware address."""
    for body in bodies:
        family, index, state, _flags, _type = _NEIGHBOUR.unpack_from(body)
        if family not in (socket.AF_INET, socket.AF_INET6) or not state & _KNOWN:
            continue
        said = _attributes(body[_NEIGHBOUR.size :])
        if len(hardware := said.get(_NDA_HARDWARE, b"")) == _HARDWARE_BYTES and _NDA_ADDRESS in said:
            yield (index, ip_address(said[_NDA_ADDRESS])), hardware.hex(":")


def _ask(netlink: socket.socket, asked: int) -> Iterator[bytes]:
    """The bodies of the kernel's answers. Raises OSError: the kernel does not say, or somebody else answered."""
    body = bytes({_GET_LINK: _LINK, _GET_ADDRESS: _ADDRESS, _GET_ROUTE: _ROUTE_MESSAGE, _GET_NEIGHBOUR: _NEIGHBOUR}[asked].size)
    if asked == _GET_LINK:
        body += _ATTRIBUTE.pack(8, _EXTENDED) + struct.pack("=I", _SKIP_STATISTICS)
    netlink.send(_HEADER.pack(_HEADER.size + len(body), asked, _DUMP, asked, 0) + body)
    taken = 0
    while taken < _MOST_BYTES:
        data, (sender, _groups) = netlink.recvfrom(1 << 17)
        if sender:
            raise OSError("not the kernel")
        taken += len(data)
        at = 0
        while at + _HEADER.size <= len(data):
            length, kind, _flags, sequence, _port = _HEADER.unpack_from(data, at)
            if length < _HEADER.size or kind == _FAILED:
                raise OSError("rtnetlink")
            if sequence == asked and kind == _DONE:
                return
            if sequence == asked and kind == _NEW[asked]:
                yield data[at + _HEADER.size : at + length]
            at += (length + 3) & ~3
    raise OSError("too much")


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _NESTED_MASK] = data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")[:32]
