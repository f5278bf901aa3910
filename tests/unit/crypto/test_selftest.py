"""The self-test passes here, and fails when a primitive is wrong."""

from __future__ import annotations

import pytest

from vault.crypto import selftest
from vault.crypto.selftest import run_self_test
from vault.errors import TamperError


def test_this_machine_computes_what_the_standards_say() -> None:
    run_self_test()


class Wrong:
    """A primitive that answers, wrongly."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: b"wrong"

    from_private_bytes = classmethod(lambda cls, *_: cls())


def broken(*_: object, **__: object) -> object:
    raise RuntimeError("a broken library")


@pytest.mark.parametrize("replacement", [Wrong, broken])
@pytest.mark.parametrize(
    ("name", "primitive"),
    [
        ("AESGCM", "aes-256-gcm"),
        ("HKDF", "hkdf-sha256"),
        ("Ed25519PrivateKey", "ed25519"),
        ("Argon2id", "argon2id"),
        ("hashlib", "sha-256"),
        ("seal_to", "hybrid-hpke"),
    ],
)
def test_a_wrong_primitive_is_named(monkeypatch: pytest.MonkeyPatch, name: str, primitive: str, replacement: object) -> None:
    monkeypatch.setattr(selftest, name, replacement)
    with pytest.raises(TamperError) as failure:
        run_self_test()
    assert failure.value.code == "crypto.self-test"
    assert failure.value.facts == {"primitive": primitive}
