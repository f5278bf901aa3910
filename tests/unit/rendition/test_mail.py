"""What is shown of an e-mail."""

from __future__ import annotations

import pytest

from vault.rendition.mail import decoded_header, looks_like_mail, parsed, reduced_html, shown_texts


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("folded\r\n over lines", "folded over lines"),
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?Q?_und_mehr?=", "Grüße und mehr"),
        ("=?no-such-charset?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?utf-8?B?a?=", "=?utf-8?B?a?="),
        ("Gr\udcfc\udcdfe", "Grüße"),  # 8-bit bytes in a header, as the parser hands them over
        ("Gr\udcc3\udcbce", "Grüe"),
    ],
)
def test_a_header_is_decoded_as_far_as_it_can_be(raw: str, shown: str) -> None:
    assert decoded_header(raw) == shown


@pytest.mark.parametrize(
    ("head", "hinted", "expected"),
    [
        (b"From: a\nSubject: b\n\ntext", False, True),
        (b"From a@b Mon Jan 1\nReceived: x\n y\nTo: b\n\n", False, True),
        (b"Subject: only one known header\n\ntext", False, False),
        (b"Subject: only one known header\n\ntext", True, True),
        (b"Dear all,\nFrom: us\nTo: you\n", False, False),
        (b"Name: x\nPlace: y\n", True, False),
    ],
)
def test_mail_is_told_from_text(head: bytes, hinted: bool, expected: bool) -> None:
    assert looks_like_mail(head, hinted=hinted) is expected


def test_html_is_reduced_to_what_is_read_with_the_addresses_of_its_links() -> None:
    html = (
        "<html><head><title>no</title><style>p{}</style></head><body><h1>Head</h1><p>One  two<br>three</p>"
        "<ul><li>a<li>b</ul><script>steal()</script><a href='http://example.org/x'>your bank</a> <img src='http://track.me' alt='logo'>"
        "<table><tr><td>1<td>2</tr></table>&euro;&nbsp;5</body></html>"
    )
    assert reduced_html(html).split("\n") == [
        "Head", "", "One two", "three", "", "- a", "- b", "your bank <http://example.org/x> [logo]", "", "1  2", "", "€ 5",
    ]  # fmt: skip


@pytest.mark.parametrize("section", ["<![foo]>", "<![if !vml]>", "<![endif]>", "<![1]>", "<![]>", "<![ x"])
def test_a_section_that_nobody_knows_costs_a_mail_nothing_else(section: str) -> None:
    assert reduced_html(f"<p>before</p>{section}<p>after</p>").split("\n")[:1] == ["before"]
    assert reduced_html(f"<p>before</p>{section}x<p>after</p>").endswith("after")


_HEADER = b"From: a@b.example\nSubject: s\nMIME-Version: 1.0\n"
_ATTACHED_BESIDE_HTML = (
    b"Content-Type: multipart/alternative; boundary=A\n\n--A\nContent-Type: text/plain\n\nplain\n"
    b"--A\nContent-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/html\n\n<p>html</p>\n"
    b"--B\nContent-Type: application/pdf; name=plan.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--B--\n--A--\n"
)
_BOUNCED = (
    b"Content-Type: multipart/report; boundary=X\n\n--X\nContent-Type: message/delivery-status\n\n"
    b"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; jos\xc3\xa9@c.example\nAction: failed\n\n--X--\n"
)


@pytest.mark.parametrize(
    ("rest", "texts", "attachments"),
    [
        (_ATTACHED_BESIDE_HTML, ["plain"], ["plan.pdf  (application/pdf, 5 bytes)"]),
        (_BOUNCED, ["Reporting-MTA: dns; mx", "Final-Recipient: rfc822; josé@c.example\nAction: failed"], []),
        (b"Content-Type: multipart/mixed\n\nno boundary was named\n", ["no boundary was named"], []),
        (
            b'Content-Type: text/html\n\n<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
            + "протокол".encode("cp1251"),
            ["протокол"],
            [],
        ),
        (b"Content-Type: text/html\n\n<meta charset=utf-16><p>what it says</p>\n", ["what it says"], []),
    ],
)
def test_nothing_a_message_says_or_brings_is_left_out(rest: bytes, texts: list[str], attachments: list[str]) -> None:
    shown, listed = shown_texts(parsed(_HEADER + rest))
    assert [text.strip() for text in shown if text.strip()] == texts
    assert listed == attachments


def test_a_byte_order_mark_before_the_header_hides_none_of_it() -> None:
    assert parsed(b"\xef\xbb\xbf\r\nFrom: a@b.example\r\nSubject: s\r\n\r\ntext").get("From") == "a@b.example"
