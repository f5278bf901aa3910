"""One-time codes: RFC 6238's own, one step either side, each good once."""

from __future__ import annotations

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto.second_factor import check_code, new_totp_secret, provisioning_uri
from vault.errors import RefusedError
from vault.secret import Secret

RFC_SECRET = Secret(b"12345678901234567890")
STEP_US = 30_000_000


def at(step: int) -> str:
    return pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").generate_otp(step)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert check_code(RFC_SECRET, code, seconds * 1_000_000, 0) == seconds // 30


@given(st.integers(2, 10**8), st.integers(-4, 4), st.integers(0, STEP_US - 1))
def test_one_step_either_side(step: int, away: int, into_us: int) -> None:
    code = at(max(0, step + away))
    now_us = step * STEP_US + into_us
    if abs(away) <= 1:
        assert check_code(RFC_SECRET, code, now_us, 0) == step + away
    elif code not in {at(step - 1), at(step), at(step + 1)}:
        with pytest.raises(RefusedError, match=r"session\.not-recognised"):
            check_code(RFC_SECRET, code, now_us, 0)


@pytest.mark.parametrize("used", [1000, 1001, 2000])
def test_a_step_and_all_before_it_are_used_up(used: int) -> None:
    assert check_code(RFC_SECRET, at(1000), 1000 * STEP_US, 999) == 1000
    with pytest.raises(RefusedError, match=r"session\.not-recognised"):
        check_code(RFC_SECRET, at(1000), 1000 * STEP_US, used)


def test_spaces_are_ignored() -> None:
    code = at(1000)
    assert check_code(RFC_SECRET, f" {code[:3]} {code[3:]} ", 1000 * STEP_US, 0) == 1000


@pytest.mark.parametrize("code", ["", "0", "٢٨٧٠٨٢", "\ud800", "287 08", "2870820", "-87082", "287082\x00", "x" * 100_000])
def test_what_is_no_code_is_not_recognised(code: str) -> None:
    with pytest.raises(RefusedError, match=r"session\.not-recognised"):
        check_code(RFC_SECRET, code, 59_000_000, 0)


def test_the_first_minutes_of_1970_do_not_fail() -> None:
    assert check_code(RFC_SECRET, at(1), 0, 0) == 1


def test_a_secret_has_160_bits_and_differs() -> None:
    assert {len(new_totp_secret()) for _ in range(5)} == {20}
    assert new_totp_secret() != new_totp_secret()


def test_the_address_is_what_authenticators_read() -> None:
    uri = provisioning_uri(RFC_SECRET, "4711", "North Station")
    parsed = pyotp.parse_uri(uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.name, parsed.issuer, parsed.digits, parsed.interval) == ("4711", "North Station", 6, 30)
    assert parsed.byte_secret() == RFC_SECRET.reveal()
