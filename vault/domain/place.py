"""Where a workstation seems to stand: what its network looks like, and which approved place that fits.

Rules (DESIGN §6):

1. It is evidence, never a decision: on a workstation that is bound to key servers their answer decides, and this is a line of its reports.
2. An address counts on an interface that is up and has a carrier; where the machine has a default gateway, on the interface that leads to
   one, so that the bridge of a virtual machine is no place. A place that names gateways asks for the hardware address of one of them.
3. A tunnel that is up and a remote session count against the fit, whatever the network; but for a tunnel of an interface the place names,
   as that of a docked car which is never without one.
4. What fits no place is told at an opening at once, and while open when it has lasted; once an opening of the vault, and again only after
   it fitted. At an opening a network without a gateway, or whose gateway's hardware address is not known yet, is given a little time.
   What could not be read changes nothing. Time lasts only while looks are close together: after a sleep it begins anew.

LIMIT: all of it can be imitated: anybody can give a router of their own these addresses and these hardware addresses, and whoever is root
can hide a tunnel, give one a name that is allowed, or show no network at all. Who opens without a network and closes within the little
time, or sleeps again and again before it has lasted, is not told of. A tunnel in a router, in a program or in the kernel without an
interface (IPsec) is not seen.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_network
from typing import Final

from vault.errors import RefusedError

PLACE_FACTS: Final = frozenset(
    {
        *("place_name", "place_fit", "place_addresses", "place_gateways", "place_tunnels", "place_remote", "place_unread"),
        *("place_clock", "place_server_clock"),
    }
)
"""The names of the facts that say where something happened."""

PLACES_MOST: Final = 64
_EACH_MOST: Final = 32
_NAME_MOST: Final = 60  # characters
_VALUE_MOST: Final = 200  # characters of a fact
_HARDWARE_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NO_HARDWARE: Final = "00:00:00:00:00:00"
_INTERFACE = re.compile(r"[!-.0-9;-~]{1,15}")  # what Linux lets an interface be called: no space, no slash, no colon
_PARTS: Final = frozenset({"name", "subnets", "gateways", "tunnel_allowed"})

Network = IPv4Network | IPv6Network
InterfaceAddress = IPv4Interface | IPv6Interface
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApprovedPlace:
    """A place the station's policy names: headquarters, a substation, a court office, a docked car."""

    name: str
    subnets: tuple[Network, ...]
    gateways: tuple[str, ...] = ()  # hardware addresses, ``aa:bb:cc:dd:ee:ff``; without one, any gateway
    tunnel_allowed: tuple[str, ...] = ()  # names of interfaces, ``wg0``


@dataclass(frozen=True, slots=True)
class Gateway:
    """A default gateway."""

    address: str
    hardware: str = ""  # empty: the system does not know it, or not yet


@dataclass(frozen=True, slots=True)
class Link:
    """An interface that is up and has a carrier; no loopback, no tunnel."""

    name: str
    addresses: tuple[InterfaceAddress, ...]
    gateways: tuple[Gateway, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceEvidence:
    """What could be read of where this workstation stands."""

    links: tuple[Link, ...] = ()
    tunnels: tuple[str, ...] = ()  # ``wg0 (wireguard)``
    remote: tuple[str, ...] | None = ()  # evidence of a remote session: ``forwarded relay``; None: it could not be looked for
    unread: str = ""  # why nothing could be read: not-on-this-system, not-readable

    @property
    def has_gateway(self) -> bool:
        """Whether any network leads on."""
        return any(link.gateways for link in self.links)

    def facts(self) -> Facts:
        """As facts of a report: names of interfaces, addresses, tunnels, evidence of a remote session; nothing of people or cases."""
        if self.unread:
            return (("place_unread", self.unread),)
        addresses = [f"{link.name} {one}" for link in self.links for one in link.addresses]
        gateways = [f"{one.address} {one.hardware}".strip() for link in self.links for one in link.gateways]
        return (
            ("place_addresses", _listed(addresses)),
            ("place_gateways", _listed(gateways)),
            ("place_tunnels", _listed(self.tunnels)),
            ("place_remote", "not-readable" if self.remote is None else _listed(self.remote)),
        )


class Fit(enum.Enum):
    """What the evidence says of the approved places."""

    FITS = "fits"
    NOT_SET = "not-set"  # the policy names no place
    NOT_READ = "not-read"
    NOT_JUDGED = "not-judged"  # the vault is shut, and the places lie in it
    NO_NETWORK = "no-network"
    OTHER_NETWORK = "other-network"
    OTHER_GATEWAY = "other-gateway"
    GATEWAY_UNKNOWN = "gateway-unknown"
    TUNNEL = "tunnel"  # else it would fit
    REMOTE_SESSION = "remote-session"  # else it would fit


MISFITS: Final = frozenset(Fit) - {Fit.FITS, Fit.NOT_SET, Fit.NOT_READ, Fit.NOT_JUDGED}


@dataclass(frozen=True, slots=True)
class PlaceFit:
    """The judgement, and the place it names if it names one."""

    fit: Fit
    place: str = ""

    def facts(self) -> Facts:
        """As facts of a report."""
        named = (("place_name", self.place),) if self.place else ()
        return (*named, ("place_fit", self.fit.value))


def judge(places: Sequence[ApprovedPlace], evidence: PlaceEvidence) -> PlaceFit:
    """Say which approved place the evidence fits, or why none."""
    if not places:
        return PlaceFit(Fit.NOT_SET)
    if evidence.unread:
        return PlaceFit(Fit.NOT_READ)
    links = [link for link in evidence.links if link.gateways] or [link for link in evidence.links if link.addresses]
    if not links:
        return PlaceFit(Fit.NO_NETWORK)
    found = [_compare(place, links) for place in places]
    if Fit.FITS not in found:
        return PlaceFit(next((one for one in (Fit.GATEWAY_UNKNOWN, Fit.OTHER_GATEWAY) if one in found), Fit.OTHER_NETWORK))
    fitting = [place for place, fit in zip(places, found, strict=True) if fit is Fit.FITS]
    place = next((one for one in fitting if _tunnels_are_its_own(one, evidence)), None)
    if place is None:
        return PlaceFit(Fit.TUNNEL, fitting[0].name)
    return PlaceFit(Fit.REMOTE_SESSION if evidence.remote else Fit.FITS, place.name)


def _tunnels_are_its_own(place: ApprovedPlace, evidence: PlaceEvidence) -> bool:
    return all(one.partition(" ")[0] in place.tunnel_allowed for one in evidence.tunnels)


def _compare(place: ApprovedPlace, links: Iterable[Link]) -> Fit:
    within = [link for link in links if any(_is_in(one, subnet) for one in link.addresses for subnet in place.subnets)]
    if not within:
        return Fit.OTHER_NETWORK
    if not place.gateways:
        return Fit.FITS
    hardware = {one.hardware for link in within for one in link.gateways}
    if hardware & set(place.gateways):
        return Fit.FITS
    return Fit.GATEWAY_UNKNOWN if hardware == {""} else Fit.OTHER_GATEWAY  # a known one that is wrong is wrong, whoever else is silent


def _is_in(address: InterfaceAddress, subnet: Network) -> bool:
    return address.version == subnet.version and address.ip in subnet


class Presence:
    """When what fits no place is told, for one open vault on a workstation bound to no key server.

    Args:
        settling_us: how long a gateway may be unknown, or none be there, after the opening.
        lasting_us: how long, while open, nothing may fit.
        apart_us: looks that are further apart have a sleep between them.
    """

    def __init__(self, settling_us: int, lasting_us: int, apart_us: int) -> None:
        self._settling_us = settling_us
        self._lasting_us = lasting_us
        self._apart_us = apart_us
        self._looked_us: int | None = None  # boot time of the last look
        self._opening = True
        self._since_us: int | None = None  # boot time of the first look that did not fit
        self._told = False

    @property
    def is_pending(self) -> bool:
        """Whether something does not fit and is not told yet: look again soon."""
        return self._since_us is not None and not self._told

    def look(self, fit: Fit, boot_us: int, *, has_gateway: bool) -> str:
        """Take in a look; give ``opening`` or ``open`` if it is to be told now, otherwise nothing."""
        slept = self._looked_us is not None and boot_us - self._looked_us > self._apart_us
        self._looked_us = boot_us
        if slept and self._since_us is not None:
            self._since_us = boot_us
        if fit is Fit.NOT_READ:
            return ""
        if fit not in MISFITS:
            self._opening, self._since_us, self._told = False, None, False
            return ""
        if self._since_us is None:
            self._since_us = boot_us
        allowed_us = self._lasting_us
        if self._opening:
            allowed_us = self._settling_us if fit is Fit.GATEWAY_UNKNOWN or not has_gateway else 0
        if self._told or boot_us - self._since_us < allowed_us:
            return ""
        moment = "opening" if self._opening else "open"
        self._opening, self._told = False, True
        return moment


def places_from(value: object) -> tuple[ApprovedPlace, ...]:
    """Make the approved places of a policy's list of tables.

    Raises:
        RefusedError: policy.places, it is no list, or too long a one; policy.place, with the place's name or number and the part that may
            not be so.
    """
    if not isinstance(value, list) or len(value) > PLACES_MOST:
        raise RefusedError("policy.places", most=PLACES_MOST)
    places: list[ApprovedPlace] = []
    for number, one in enumerate(value, start=1):
        made = _place(one, str(number))
        if any(made.name == other.name for other in places):
            raise RefusedError("policy.place", place=made.name, part="name")
        places.append(made)
    return tuple(places)


def _place(value: object, number: str) -> ApprovedPlace:
    if not isinstance(value, Mapping):
        raise RefusedError("policy.place", place=number, part="approved_places")
    name = value.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > _NAME_MOST or not name.isprintable():
        raise RefusedError("policy.place", place=number, part="name")
    if unknown := sorted(str(part) for part in value if part not in _PARTS):
        raise RefusedError("policy.place", place=name, part=unknown[0][:_NAME_MOST])
    subnets = [_subnet(one) for one in _strings(value.get("subnets"))]
    gateways = [_hardware_address(one) for one in _strings(value.get("gateways", ()))]
    tunnels = [_interface(one) for one in _strings(value.get("tunnel_allowed", ()))]
    if not subnets or None in subnets:
        raise RefusedError("policy.place", place=name, part="subnets")
    if ("gateways" in value and not gateways) or None in gateways:
        raise RefusedError("policy.place", place=name, part="gateways")
    if ("tunnel_allowed" in value and not tunnels) or None in tunnels:
        raise RefusedError("policy.place", place=name, part="tunnel_allowed")
    return ApprovedPlace(
        name,
        tuple(one for one in subnets if one is not None),
        tuple(one for one in gateways if one is not None),
        tuple(one for one in tunnels if one is not None),
    )


def _strings(value: object) -> Sequence[object]:
    """The entries of a list; nothing of what is none, or is too long, which no part may be."""
    return value if isinstance(value, (list, tuple)) and len(value) <= _EACH_MOST else ()


def _subnet(text: object) -> Network | None:
    """A network; an address with a mask is refused, for nobody knows which of the two was meant, and so is the whole internet."""
    if not isinstance(text, str) or "/" not in text:
        return None
    try:
        subnet = ip_network(text)
    except ValueError:
        return None
    return subnet if subnet.prefixlen else None


def _hardware_address(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    written = text.lower().replace("-", ":")
    return written if _HARDWARE_ADDRESS.fullmatch(written) and written != _NO_HARDWARE else None


def _interface(text: object) -> str | None:
    return text if isinstance(text, str) and _INTERFACE.fullmatch(text) else None


def _listed(values: Sequence[str]) -> str:
    """Values beside each other as long as a fact may be, with the number of those left out."""
    shown = ""
    for number, one in enumerate(values):
        longer = f"{shown}, {one}" if shown else one
        if len(longer) > _VALUE_MOST - len(", +999"):
            return f"{shown}, +{len(values) - number}".removeprefix(", ")
        shown = longer
    return shown or "none"
