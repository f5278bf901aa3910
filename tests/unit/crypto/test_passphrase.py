"""The passphrase rule: a reason for each refusal, and one normal form."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.crypto import passphrase as passphrase_module
from vault.crypto.passphrase import check_passphrase, normalise
from vault.errors import RefusedError, UnavailableError
from vault.secret import Secret

BADGE = "4711"


def check(text: str, badge_no: str = BADGE) -> None:
    check_passphrase(Secret(text.encode()), badge_no)


@pytest.mark.parametrize(
    "text",
    [
        "seven green bicycles",
        "Zwölf Äpfel im Schnee",
        "двенадцать яблок",
        "十二個のリンゴが雪の中にある",
        "🍎🍐🍊🍋🍌🍉🍇🍓🫐🍈🍒🍑",
        "x7#Kp!2mQz9$",
        "dragon sunshine teacup",
        "the password is not here",
        "yellow 471 kettles",
        "correct " * 128,
    ],
)
def test_accepted(text: str) -> None:
    check(text[:1000])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "passphrase.too-short"),
        ("eleven char", "passphrase.too-short"),
        ("🍎🍐🍊🍋🍌🍉🍇🍓🫐🍈🍒", "passphrase.too-short"),  # characters count, not bytes
        ("x1y2z3" * 200, "passphrase.too-long"),
        ("aaaaaaaaaaaaaaaa", "passphrase.too-uniform"),
        ("abababababababab", "passphrase.too-uniform"),
        ("my badge is 4711 sir", "passphrase.contains-badge"),
        ("passwordpassword", "passphrase.common"),
        ("Password Password", "passphrase.common"),
        ("password123456", "passphrase.common"),
        ("P@ssw0rd20262026", "passphrase.common"),
        ("123456789012", "passphrase.common"),
        ("qwertyuiopasdf", "passphrase.common"),
        ("Correct Horse Battery Staple", "passphrase.common"),
        ("correct-horse-battery-staple!", "passphrase.common"),
        ("!!!!Iloveyou!!!!", "passphrase.common"),
        ("letmeinletmeinletmein", "passphrase.common"),
        ("ｐａｓｓｗｏｒｄ１２３４", "passphrase.common"),  # full-width letters do not make it new
        ("tab\there is one", "passphrase.not-text"),
        ("null\x00character", "passphrase.not-text"),
    ],
)
def test_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check(text)
    assert refusal.value.code == code


def test_bytes_that_are_no_text_are_refused_without_being_kept() -> None:
    with pytest.raises(RefusedError, match=r"passphrase\.not-text") as refusal:
        check_passphrase(Secret(b"a long one \xff\xff\xff"), BADGE)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_a_badge_is_found_in_any_case_and_a_tiny_one_forbids_nothing() -> None:
    with pytest.raises(RefusedError, match=r"contains-badge"):
        check("long enough Ab12 phrase", "aB12")
    check("seven 7 green bicycles", "7")


def test_every_listed_one_is_refused() -> None:
    lines = passphrase_module._LIST_PATH.read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert len(listed) >= 200
    for line in listed:
        if len(line) >= passphrase_module.LEAST_CHARACTERS:
            with pytest.raises(RefusedError):
                check(line, "no badge")


@pytest.mark.parametrize("content", [None, "password\n", "# date: yesterday\npassword\n"])
def test_without_the_list_nothing_is_accepted(content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(passphrase_module, "_LIST_PATH", path)
    passphrase_module._common_list.cache_clear()
    try:
        with pytest.raises(UnavailableError, match=r"passphrase\.list-missing"):
            check("seven green bicycles")
    finally:
        passphrase_module._common_list.cache_clear()


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cn", "Cs"]), max_size=60)


@given(TEXT)
def test_the_normal_form_is_one(text: str) -> None:
    once = normalise(Secret(text.encode()))
    assert normalise(once) == once
    for form in ("NFC", "NFD"):
        assert normalise(Secret(unicodedata.normalize(form, text).encode())) == once


def test_compatibility_characters_stay_different() -> None:
    assert normalise(Secret("ﬁ".encode())) != normalise(Secret(b"fi"))
