"""Which approved place the evidence fits: one line an attack; when a misfit is told; and places that are written wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_interface, ip_network

import pytest

from vault.assembly import station_policy
from vault.domain.place import (
    MISFITS,
    PLACE_FACTS,
    PLACES_MOST,
    ApprovedPlace,
    Fit,
    Gateway,
    Link,
    PlaceEvidence,
    PlaceFit,
    Presence,
    judge,
)
from vault.domain.policy import Policy, policy_from
from vault.errors import RefusedError

ROUTER, CELLAR, OTHER = "00:1b:2c:3d:4e:5f", "00:1b:2c:3d:4e:60", "66:55:44:33:22:11"
HEADQUARTERS = ApprovedPlace("Headquarters", (ip_network("10.20.0.0/16"), ip_network("2001:db8:20::/48")), (ROUTER, CELLAR))
COURT = ApprovedPlace("Court office", (ip_network("192.168.7.0/24"),))
CAR = ApprovedPlace("Car 12, docked", (ip_network("172.30.0.0/24"),), (), ("wg0", "tun0"))
CAR_SHED = ApprovedPlace("Car shed", (ip_network("172.30.0.0/16"),))
PLACES = (HEADQUARTERS, COURT)


def link(*addresses: str, gateway: str | None = ROUTER, name: str = "eth0") -> Link:
    gateways = () if gateway is None else (Gateway("10.20.0.1", gateway),)
    return Link(name, tuple(ip_interface(one) for one in addresses), gateways)


INSIDE = link("10.20.3.4/16")
TWO_ROUTERS = Link("eth0", (ip_interface("10.20.3.4/16"),), (Gateway("10.20.0.1", OTHER), Gateway("fe80::9")))

#: what the machine shows · what is said of it
ATTACKS: Sequence[tuple[str, PlaceEvidence, PlaceFit]] = [
    ("at headquarters", PlaceEvidence((INSIDE,)), PlaceFit(Fit.FITS, "Headquarters")),
    ("by the second gateway", PlaceEvidence((link("10.20.3.4/16", gateway=CELLAR),)), PlaceFit(Fit.FITS, "Headquarters")),
    ("at the second place", PlaceEvidence((link("192.168.7.9/24", gateway=OTHER),)), PlaceFit(Fit.FITS, "Court office")),
    ("IPv6 alone", PlaceEvidence((link("2001:db8:20:1::9/64"),)), PlaceFit(Fit.FITS, "Headquarters")),
    ("a cable and a wireless network", PlaceEvidence((link("172.16.0.2/12", gateway=OTHER), INSIDE)), PlaceFit(Fit.FITS, "Headquarters")),
    ("a closed network without a gateway", PlaceEvidence((link("192.168.7.9/24", gateway=None),)), PlaceFit(Fit.FITS, "Court office")),
    ("at home", PlaceEvidence((link("192.168.1.5/24", gateway=OTHER),)), PlaceFit(Fit.OTHER_NETWORK)),
    ("IPv6 of elsewhere", PlaceEvidence((link("2001:db8:21::9/64"),)), PlaceFit(Fit.OTHER_NETWORK)),
    ("the subnet imitated, another gateway", PlaceEvidence((link("10.20.3.4/16", gateway=OTHER),)), PlaceFit(Fit.OTHER_GATEWAY)),
    ("the subnet imitated, no gateway", PlaceEvidence((link("10.20.3.4/16", gateway=None),)), PlaceFit(Fit.OTHER_GATEWAY)),
    ("the gateway has not answered yet", PlaceEvidence((link("10.20.3.4/16", gateway=""),)), PlaceFit(Fit.GATEWAY_UNKNOWN)),
    (
        "the address on a bridge of its own, home at the gateway",
        PlaceEvidence((link("192.168.7.1/24", gateway=None, name="br0"), link("192.168.1.5/24", gateway=OTHER))),
        PlaceFit(Fit.OTHER_NETWORK),
    ),
    (
        "the address on one interface, the gateway at another",
        PlaceEvidence((link("10.20.3.4/16", gateway=OTHER), link("192.168.1.5/24", gateway=ROUTER, name="wlan0"))),
        PlaceFit(Fit.OTHER_GATEWAY),
    ),
    ("IPv4 by another router, IPv6 by one that has not answered", PlaceEvidence((TWO_ROUTERS,)), PlaceFit(Fit.OTHER_GATEWAY)),
    ("a tunnel up at headquarters", PlaceEvidence((INSIDE,), ("wg0 (wireguard)",)), PlaceFit(Fit.TUNNEL, "Headquarters")),
    ("a tunnel up at home", PlaceEvidence((link("192.168.1.5/24", gateway=OTHER),), ("tun0 (tun)",)), PlaceFit(Fit.OTHER_NETWORK)),
    ("a remote session at headquarters", PlaceEvidence((INSIDE,), (), ("served server",)), PlaceFit(Fit.REMOTE_SESSION, "Headquarters")),
    ("nobody can say whether it is remote", PlaceEvidence((INSIDE,), remote=None), PlaceFit(Fit.FITS, "Headquarters")),
    ("no network at all", PlaceEvidence(), PlaceFit(Fit.NO_NETWORK)),
    ("an interface without an address", PlaceEvidence((link(gateway=None),)), PlaceFit(Fit.NO_NETWORK)),
    ("nothing can be read", PlaceEvidence(unread="not-readable"), PlaceFit(Fit.NOT_READ)),
]


@pytest.mark.parametrize(("evidence", "said"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_what_is_said_of_the_evidence(evidence: PlaceEvidence, said: PlaceFit) -> None:
    assert judge(PLACES, evidence) == said
    assert judge((), evidence) == PlaceFit(Fit.NOT_SET)
    names = [name for name, _value in (*evidence.facts(), *said.facts())]
    assert set(names) <= PLACE_FACTS
    assert len(set(names)) == len(names)


def test_facts_are_short_whatever_the_machine_has() -> None:
    many = tuple(link(*(f"2001:db8:{n:x}:{m:x}:aaaa:bbbb:cccc:{m:x}/64" for m in range(20)), name=f"wwan{n}") for n in range(20))
    facts = dict(PlaceEvidence(many, tuple(f"wg{n} (wireguard)" for n in range(900)), ("x" * 500,)).facts())
    assert all(0 < len(value) <= 200 for value in facts.values())
    assert facts["place_addresses"].endswith(", +396")
    assert facts["place_remote"] == "+1"
    assert dict(PlaceEvidence(remote=None).facts())["place_remote"] == "not-readable", "not: none"
    assert dict(PlaceEvidence((INSIDE,)).facts()) == {
        "place_addresses": "eth0 10.20.3.4/16",
        "place_gateways": f"10.20.0.1 {ROUTER}",
        "place_tunnels": "none",
        "place_remote": "none",
    }


SECOND = 1_000_000
ALONE = frozenset({Fit.NO_NETWORK})
#: the looks (fit, at which second) · what is told at which second
LOOKS: Sequence[tuple[str, Sequence[tuple[Fit, int]], Sequence[tuple[str, int]]]] = [
    ("fits all along", [(Fit.FITS, 0), (Fit.FITS, 10)], []),
    ("opened elsewhere: at once, and once", [(Fit.OTHER_NETWORK, 0), (Fit.OTHER_NETWORK, 10), (Fit.TUNNEL, 500)], [("opening", 0)]),
    ("opened without a network", [(Fit.NO_NETWORK, 0), (Fit.NO_NETWORK, 9), (Fit.NO_NETWORK, 10)], [("opening", 10)]),
    ("opened before the network was there", [(Fit.NO_NETWORK, 0), (Fit.GATEWAY_UNKNOWN, 4), (Fit.FITS, 6), (Fit.FITS, 16)], []),
    ("nothing could be read at the opening", [(Fit.NOT_READ, 0), (Fit.OTHER_NETWORK, 10)], [("opening", 10)]),
    ("one look in between that read nothing", [(Fit.TUNNEL, 0), (Fit.NOT_READ, 10), (Fit.TUNNEL, 20), (Fit.TUNNEL, 50)], [("opening", 0)]),
    ("unreadable while it lasts", [(Fit.FITS, 0), (Fit.TUNNEL, 10), (Fit.NOT_READ, 20), (Fit.TUNNEL, 40)], [("open", 40)]),
    ("the gateway answers in time", [(Fit.GATEWAY_UNKNOWN, 0), (Fit.FITS, 3), (Fit.FITS, 20)], []),
    ("the gateway never answers", [(Fit.GATEWAY_UNKNOWN, 0), (Fit.GATEWAY_UNKNOWN, 9), (Fit.GATEWAY_UNKNOWN, 10)], [("opening", 10)]),
    ("the gateway is another", [(Fit.GATEWAY_UNKNOWN, 0), (Fit.OTHER_GATEWAY, 1)], [("opening", 1)]),
    ("a blip while open", [(Fit.FITS, 0), (Fit.NO_NETWORK, 10), (Fit.NO_NETWORK, 39), (Fit.FITS, 41)], []),
    ("moved while open", [(Fit.FITS, 0), (Fit.NO_NETWORK, 10), (Fit.OTHER_NETWORK, 40), (Fit.OTHER_NETWORK, 99)], [("open", 40)]),
    (
        "moved, brought back, moved again",
        [(Fit.FITS, 0), (Fit.TUNNEL, 1), (Fit.TUNNEL, 31), (Fit.FITS, 40), (Fit.TUNNEL, 50), (Fit.TUNNEL, 80)],
        [("open", 31), ("open", 80)],
    ),
    ("asleep: the first look after waking is the first", [(Fit.FITS, 0), (Fit.NO_NETWORK, 9000), (Fit.FITS, 9005)], []),
    ("no network, asleep, no network", [(Fit.FITS, 0), (Fit.NO_NETWORK, 10), (Fit.NO_NETWORK, 9000), (Fit.FITS, 9005)], []),
    ("asleep at the opening", [(Fit.NO_NETWORK, 0), (Fit.NO_NETWORK, 9000), (Fit.FITS, 9005)], []),
    ("asleep, and unreadable at first", [(Fit.FITS, 0), (Fit.NO_NETWORK, 10), (Fit.NOT_READ, 9000), (Fit.NO_NETWORK, 9001)], []),
    ("asleep, and still away after it", [(Fit.FITS, 0), (Fit.TUNNEL, 1), (Fit.TUNNEL, 900), (Fit.TUNNEL, 930)], [("open", 930)]),
    ("bound to a key server: nothing is judged", [(Fit.NOT_SET, 0), (Fit.NOT_SET, 100)], []),
    ("unbound while away", [(Fit.NOT_SET, 0), (Fit.OTHER_NETWORK, 10), (Fit.OTHER_NETWORK, 40)], [("open", 40)]),
]


@pytest.mark.parametrize(("looks", "told"), [row[1:] for row in LOOKS], ids=[row[0] for row in LOOKS])
def test_when_it_is_told(looks: Sequence[tuple[Fit, int]], told: Sequence[tuple[str, int]]) -> None:
    presence = Presence(10 * SECOND, 30 * SECOND, 30 * SECOND)
    said = []
    for fit, at in looks:
        if moment := presence.look(fit, at * SECOND, has_gateway=fit not in ALONE):
            said.append((moment, at))
        assert fit is Fit.NOT_READ or presence.is_pending == (fit in MISFITS and not said) or said
    assert said == list(told)


@pytest.mark.parametrize("fit", sorted(MISFITS, key=lambda one: one.value))
def test_an_opening_without_any_gateway_is_given_time_whatever_does_not_fit(fit: Fit) -> None:
    presence = Presence(10 * SECOND, 30 * SECOND, 30 * SECOND)
    assert [presence.look(fit, at * SECOND, has_gateway=False) for at in (0, 9, 10, 11)] == ["", "", "opening", ""]


def test_the_bridge_of_a_container_is_no_gateway() -> None:
    assert not PlaceEvidence((link("172.17.0.1/16", gateway=None, name="docker0"),)).has_gateway
    assert PlaceEvidence((link("172.17.0.1/16", gateway=None, name="docker0"), INSIDE)).has_gateway


DOCKED = link("172.30.0.9/24")
#: the tunnels that are up in a car, or at the shed · what is said of it
TUNNELS: Sequence[tuple[str, PlaceEvidence, PlaceFit]] = [
    ("its own", PlaceEvidence((DOCKED,), ("wg0 (wireguard)",)), PlaceFit(Fit.FITS, "Car 12, docked")),
    ("all of its own", PlaceEvidence((DOCKED,), ("tun0 (tun)", "wg0 (wireguard)")), PlaceFit(Fit.FITS, "Car 12, docked")),
    ("its own and another", PlaceEvidence((DOCKED,), ("wg0 (wireguard)", "wg1 (wireguard)")), PlaceFit(Fit.TUNNEL, "Car shed")),
    ("one that is called nearly so", PlaceEvidence((DOCKED,), ("wg00 (wireguard)",)), PlaceFit(Fit.TUNNEL, "Car shed")),
    (
        "its own, by a remote session",
        PlaceEvidence((DOCKED,), ("wg0 (tun)",), ("served x",)),
        PlaceFit(Fit.REMOTE_SESSION, "Car 12, docked"),
    ),
    ("its own, somewhere else", PlaceEvidence((link("192.168.1.5/24"),), ("wg0 (wireguard)",)), PlaceFit(Fit.OTHER_NETWORK)),
    ("its own, at a place that names none", PlaceEvidence((INSIDE,), ("wg0 (wireguard)",)), PlaceFit(Fit.TUNNEL, "Headquarters")),
    ("none", PlaceEvidence((DOCKED,)), PlaceFit(Fit.FITS, "Car shed")),
]


@pytest.mark.parametrize(("evidence", "said"), [row[1:] for row in TUNNELS], ids=[row[0] for row in TUNNELS])
def test_a_place_may_have_tunnels_of_its_own(evidence: PlaceEvidence, said: PlaceFit) -> None:
    assert judge((HEADQUARTERS, CAR_SHED, CAR), evidence) == said


# ---- the policy --------------------------------------------------------------------------------------------------------------------


def test_places_are_taken_in_a_stations_own_form() -> None:
    policy = station_policy(
        Policy(),
        """
        [[approved_places]]
        name = "Headquarters"
        subnets = ["10.20.0.0/16", "2001:db8:20::/48"]
        gateways = ["00-1B-2C-3D-4E-5F", "00:1b:2c:3d:4e:60"]

        [[approved_places]]
        name = "Court office"
        subnets = ["192.168.7.0/24"]

        [[approved_places]]
        name = "Car 12, docked"
        subnets = ["172.30.0.0/24"]
        tunnel_allowed = ["wg0", "tun0"]
        """,
    )
    assert policy.approved_places == (*PLACES, CAR)
    assert station_policy(policy, "approved_places = []").approved_places == ()


GOOD = {"name": "Headquarters", "subnets": ["10.20.0.0/16"]}
#: a list of places · (place, part) that is named
WRONG: Sequence[tuple[str, object, tuple[str, str]]] = [
    ("no table in it", ["Headquarters"], ("1", "approved_places")),
    ("no name", [{"subnets": ["10.20.0.0/16"]}], ("1", "name")),
    ("an empty name", [GOOD, {**GOOD, "name": " "}], ("2", "name")),
    ("a name of two lines", [{**GOOD, "name": "a\nb"}], ("1", "name")),
    ("a name that is too long", [{**GOOD, "name": "x" * 61}], ("1", "name")),
    ("one name twice", [GOOD, GOOD], ("Headquarters", "name")),
    ("no subnets", [{"name": "Headquarters"}], ("Headquarters", "subnets")),
    ("an empty list of subnets", [{**GOOD, "subnets": []}], ("Headquarters", "subnets")),
    ("a subnet that is no list", [{**GOOD, "subnets": "10.20.0.0/16"}], ("Headquarters", "subnets")),
    ("an address without a mask", [{**GOOD, "subnets": ["10.20.0.0"]}], ("Headquarters", "subnets")),
    ("an address with a mask", [{**GOOD, "subnets": ["10.20.0.9/16"]}], ("Headquarters", "subnets")),
    ("no address", [{**GOOD, "subnets": ["10.20.0.0/16", "10.256.0.0/16"]}], ("Headquarters", "subnets")),
    ("a mask that is none", [{**GOOD, "subnets": ["10.20.0.0/33"]}], ("Headquarters", "subnets")),
    ("the whole internet", [{**GOOD, "subnets": ["0.0.0.0/0"]}], ("Headquarters", "subnets")),
    ("a number", [{**GOOD, "subnets": [10]}], ("Headquarters", "subnets")),
    ("a hardware address too short", [{**GOOD, "gateways": ["00:1b:2c:3d:4e"]}], ("Headquarters", "gateways")),
    ("a hardware address that is none", [{**GOOD, "gateways": ["00:1b:2c:3d:4e:5g"]}], ("Headquarters", "gateways")),
    ("nobody's hardware address", [{**GOOD, "gateways": ["00:00:00:00:00:00"]}], ("Headquarters", "gateways")),
    ("an address for a hardware address", [{**GOOD, "gateways": ["10.20.0.1"]}], ("Headquarters", "gateways")),
    ("an empty list of gateways", [{**GOOD, "gateways": []}], ("Headquarters", "gateways")),
    ("gateways that are no list", [{**GOOD, "gateways": "00:1b:2c:3d:4e:5f"}], ("Headquarters", "gateways")),
    ("an empty list of tunnels", [{**GOOD, "tunnel_allowed": []}], ("Headquarters", "tunnel_allowed")),
    ("any tunnel", [{**GOOD, "tunnel_allowed": True}], ("Headquarters", "tunnel_allowed")),
    ("a tunnel with its kind", [{**GOOD, "tunnel_allowed": ["wg0 (wireguard)"]}], ("Headquarters", "tunnel_allowed")),
    ("a tunnel whose name is too long", [{**GOOD, "tunnel_allowed": ["w" * 16]}], ("Headquarters", "tunnel_allowed")),
    ("a tunnel that is no name", [{**GOOD, "tunnel_allowed": [0]}], ("Headquarters", "tunnel_allowed")),
    ("a part there is not", [{**GOOD, "ssid": "station"}], ("Headquarters", "ssid")),
]


@pytest.mark.parametrize(("value", "named"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_places_written_wrongly_are_refused_and_named(value: object, named: tuple[str, str]) -> None:
    with pytest.raises(RefusedError, match=r"^policy\.place ") as refusal:
        policy_from({"approved_places": value})
    assert (refusal.value.facts["place"], refusal.value.facts["part"]) == named


@pytest.mark.parametrize("value", ["10.20.0.0/16", GOOD, [{**GOOD, "name": str(n)} for n in range(PLACES_MOST + 1)]])
def test_what_is_no_list_of_places_or_too_long_a_one_is_refused_without_a_name(value: object) -> None:
    with pytest.raises(RefusedError, match=r"^policy\.places ") as refusal:
        policy_from({"approved_places": value})
    assert refusal.value.facts == {"most": PLACES_MOST}
