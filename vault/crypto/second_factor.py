"""The second factor: time-based one-time codes (RFC 6238: SHA-1, 6 digits, 30 s), as every authenticator application knows them.

Rules of this module:

- A code is good for its own 30 s step and the step before and after it (clocks differ; RFC 6238 section 5.2).
- A step is good once: the step of the last accepted code is kept by the caller, and that step and all before it are refused.
- All three codes are compared every time, each in constant time.
- One answer to every failure: not recognised.
"""

from __future__ import annotations

import base64
import hmac
import os
from typing import Final

import pyotp

from vault.errors import RefusedError
from vault.secret import Secret

_SECRET_BYTES: Final = 20  # RFC 4226 section 4, R6 recommends 160 bits
_STEP_US: Final = 30_000_000
_DIGITS: Final = 6
_STEPS_EITHER_SIDE: Final = 1


def new_totp_secret() -> Secret:
    """Draw a 20-byte secret, to be kept in the person slot."""
    return Secret(os.urandom(_SECRET_BYTES))


def provisioning_uri(secret: Secret, badge_no: str, station_name: str) -> str:
    """Give the ``otpauth://`` address for the QR picture at enrolment. It carries the secret: show it once, never store or log it."""
    return _totp(secret).provisioning_uri(name=badge_no, issuer_name=station_name)


def check_code(secret: Secret, code: str, now_us: int, last_step: int) -> int:
    """Accept a code or refuse it.

    Args:
        secret: from the person slot.
        code: six digits as typed; spaces are ignored.
        now_us: UTC microseconds.
        last_step: the step returned when this person's last code was accepted; 0 if none ever was.

    Returns:
        The step of the accepted code, to be kept, durably, before the person is let in.

    Raises:
        RefusedError: session.not-recognised (wrong, too old, too new, used before).
    Thread: any.
    """
    typed = "".join(code.split()).encode(errors="replace")
    totp = _totp(secret)
    current = now_us // _STEP_US
    accepted: int | None = None
    for step in range(max(0, current - _STEPS_EITHER_SIDE), current + _STEPS_EITHER_SIDE + 1):
        right = hmac.compare_digest(totp.generate_otp(step).encode(), typed)
        fresh = step > last_step
        if right and fresh and accepted is None:
            accepted = step
    if accepted is None:
        raise RefusedError("session.not-recognised")
    return accepted


def _totp(secret: Secret) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(secret.reveal()).decode(), digits=_DIGITS, interval=_STEP_US // 1_000_000)
