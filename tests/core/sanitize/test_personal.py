"""The opt-in classes: what is masked, what is left alone, and that a second pass changes nothing."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from replaystack.sanitize._addresses import mask_ip_addresses
from replaystack.sanitize._marks import MASKED
from replaystack.sanitize._personal import mask_emails, mask_ibans, mask_phones
from replaystack.sanitize._text import CLASSES

if TYPE_CHECKING:
    import ipaddress

M: Final = MASKED
LAW = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
FAST = settings(max_examples=150, deadline=None)

EMAILS = [
    ("anna@example.com", M),
    ("write to <anna.b+tag@mail.example.co.uk>, please", f"write to <{M}>, please"),
    ("mailto:anna@example.com?subject=x", f"mailto:{M}?subject=x"),
    ("anna@example.com.", f"{M}."),
    ("a@b.de,c@d.de", f"{M},{M}"),
    ("email=anna%40example.com&x=1", f"email={M}&x=1"),
    ("O'Brien@example.ie", M),
    ("{'email': 'anna@example.com'}", f"{{'email': '{M}'}}"),
    ("b'anna@example.com'", f"b'{M}'"),
    ("50%off_user-1@sub-domain.example.museum", M),
    ("anna@my_host.example.com", M),
    ("anna@xn--mller-kva.de", M),
    ("anna@example.xn--p1ai", M),
    ("anna@163.com", M),
    ("anna@example.com_old", f"{M}_old"),
    ("anna@example.com2024", f"{M}2024"),
    ("anna+15550101234@example.com", M),
    ("a%40b%40example.com", M),
    ("a@b@example.com", f"a@{M}"),
    ("a@b.com@c.com", f"{M}@c.com"),
    ("anna@github.com:owner/project", f"{M}:owner/project"),
    ("git@example.com", M),
    ("legit@example.com:", f"{M}:"),
    (f"{M}anna@example.com", M + M),
    ("\\nanna@example.com", f"\\{M}"),
    ("a" * 200 + "@example.com", "a" * 8 + M),
]
NO_EMAILS = [
    "[MASKED]@example.com",
    "https://[MASKED]@example.com/x",
    "@scope/pkg",
    "npm i @types/node@20.1.0",
    "react@18.2.0",
    "foo@1.0.0.dev1",
    "golang.org/toolchain@v0.0.1-go1.22.linux-amd64",
    "@app.route('/')",
    "x = 1\n@app.route('/')",
    "\\n@app.route('/')",
    "git@github.com:owner/project.git",
    "logo@2x.png",
    "icon@1.5x.WEBP",
    "root@localhost",
    "user@192.168.1.1",
    "@media screen",
    "anna at example.com",
    "a@b.c",
    "%40example.com",
    "com.example.Thing@1a2b3c",
    "%s@%s.com",
    "'@example.com",
    "@",
    "a @ b.com",
    "user@",
]

PHONES = [
    ("+15550101234", M),
    ("+1 (555) 010-1234", M),
    ("+1-555-010-1234", M),
    ("+1.555.010.1234", M),
    ("+1.5550101234", M),
    ("+49 151 12345678", M),
    ("+49 (0)89/1234567", M),
    ("+44 (0) 20 7946 0958", M),
    ("+44(0)2079460958", M),
    ("(+49) 151 1234567", f"({M}"),
    ("+(49) 151 1234567", M),
    ("tel:+4915112345678;x", f"tel:{M};x"),
    ("phone=%2B4915112345678&x", f"phone={M}&x"),
    ("phone%3D%2b4915112345678", f"phone%3D{M}"),
    ("\\n+4915112345678", f"\\n{M}"),
    ("+12345678", M),
    ("+123456789012345", M),
    ("+49 151 1234567 2024-01-01", f"{M} 2024-01-01"),
    ("+4915112345678+4915112345679", M + M),
    ("10:00:00 +4915112345678", f"10:00:00 {M}"),
    ("call +1300 555 0101", f"call {M}"),
    ("(555) 010-1234", M),
    ("(555)010-1234", M),
    ("1 (555) 010 1234", f"1 {M}"),
    ("555-010-1234", M),
    ("1-555-010-1234.", f"{M}."),
    ("555-010-1234x99", f"{M}x99"),
    ("555-010-1234, ext. 9", f"{M}, ext. 9"),
    ("/555-010-1234+4915112345678", f"/{M}{M}"),
    ("(555) 010-1234-555-010-1234", f"{M}-{M}"),
    ("call_555-010-1234_2.wav", f"call_{M}_2.wav"),
    ("tel%3A555-010-1234", f"tel%3A{M}"),
]
NO_PHONES = [
    "2024-01-01T10:00:00+01:00",
    "2024-01-01 10:00:00 +0100",
    "[10/Oct/2000:13:55:36 +1000] 200 5120",
    "10:00:00 +1000 2024-01-02",
    "10:00:00.123456789 +1000 2024-01-02",
    "10:00:00 +1300 555 0101",
    "+002024-01-01T00:00:00Z",
    "1700000000 1700000001",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "12345678-1234-1234-1234-123456789012",
    "+12345678.5",
    "+12345678.9012345678",
    "+1234567.89",
    "+3.141592",
    "+48.137154,+11.576124",
    "1.0.0+20240101",
    "10.20.30.40",
    "order 1234567890",
    "#555-010-1234",
    "order 555-010-12345",
    "A555-010-1234",
    "12-555-010-1234",
    "555-010-1234-99",
    "555-010-1234.5",
    "555-010-1234ab",
    "3.555-010-1234",
    "555 010 1234",
    "555.010.1234",
    "078-05-1120",
    "978-3-16-148410-0",
    "123-1234567-1234567",
    "+1234567890123456",
    "+1234567",
    "q=shoes+12345678",
    "c++12345678",
    "+1,234,567,890",
    "(2024) 01-02",
    "(1234) 555-0101",
    "(555) 010-12345",
    "[MASKED]",
]

IBANS = [
    ("DE89370400440532013000", M),
    ("DE89 3704 0044 0532 0130 00", M),
    ("de89 3704 0044 0532 0130 00", M),
    ("iban:GB29NWBK60161331926819;", f"iban:{M};"),
    ("FR14 2004 1010 0505 0001 3M02 606 paid", f"{M} paid"),
    ("NO93 8601 1117 947 and more", f"{M} and more"),
    ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", M),
    ("LC55 HEMM 0001 0001 0012 0012 0002 3015", M),
    ("BR18 0036 0305 0000 1000 9795 493C 1", M),
    ("BE68539007547034", M),
    ("NL91 ABNA0417 164300", M),
    ("ibans=DE89370400440532013000,BE68539007547034", f"ibans={M},{M}"),
    ("x%3DDE89370400440532013000", f"x%3D{M}"),
    ("\\nDE89370400440532013000\\n", f"\\n{M}\\n"),
    ("DE12 DE89 3704 0044 0532 0130 00", f"DE12 {M}"),
    ("MU17 BOMM 0101 1010 3030 0200 000M UR", M),
    ("SC18 SSCB 1101 0000 0000 0000 1497 USD", M),
]
NO_IBANS = [
    "DE89370400440532013001",
    "DE88370400440532013000",
    "DE8937040044053201300",
    "DE893704004405320130000",
    "XDE89370400440532013000",
    "1DE89370400440532013000",
    "DE89  3704 0044 0532 0130 00",
    "DE89-3704-0044-0532-0130-00",
    "DE89 370 400 440 532 013 000",
    "DE8 9370400440532013000",
    "D 89370400440532013000",
    "ZZ89370400440532013000",
    "US64370400440532013000",
    "89370400440532013000DE",
    "DE89",
    "DE00 DE00 DE00 DE00 DE00 DE00",
    "de89abcd-7dec-11d0-a765-00a0c91e6bf6",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "GB29 NWBK 6016 1331 9268",
    "",
    "[MASKED] 3704 0044 0532 0130 00",
]

ADDRESSES = [
    ("10.0.0.1", M),
    ("127.0.0.1:8080", f"{M}:8080"),
    ("255.255.255.255", M),
    ("0.0.0.0", M),
    ("192.168.001.001", M),
    ("from 1.2.3.4.", f"from {M}."),
    ("10.0.0.0/8", f"{M}/8"),
    ("1.2.3.4-5.6.7.8", f"{M}-{M}"),
    ("1.2.3.4...5.6.7.8", f"{M}...{M}"),
    ("http://10.0.0.1/x", f"http://{M}/x"),
    ("host/10.0.0.1:80", f"host/{M}:80"),
    ("/10.0.0.0", f"/{M}"),
    ("4.3.2.1.in-addr.arpa", f"{M}.in-addr.arpa"),
    ("app.10.0.0.1.nip.io", f"app.{M}.nip.io"),
    ("srv10.0.0.1", f"srv{M}"),
    ("Firefox/10.0.0.1", f"Firefox/{M}"),
    ("ip=%2210.0.0.1%22", f"ip=%22{M}%22"),
    ("\\u002010.0.0.1", f"\\u0020{M}"),
    ("\\n10.0.0.1", f"\\n{M}"),
    ("version 1.2.3.4 cannot be told apart", f"version {M} cannot be told apart"),
    ("::1", M),
    ("[::1]:8080", f"[{M}]:8080"),
    ("host[::1]", f"host[{M}]"),
    (":::80", f":{M}"),
    ("2001:db8::1", M),
    ("2001:DB8:0:0:8:800:200C:417A", M),
    ("2001:db8::", M),
    ("2001:db8::/32", f"{M}/32"),
    ("http://[2001:db8::1]:80/", f"http://[{M}]:80/"),
    ("fe80::1%eth0", M),
    ("fe80::1%25eth0]", f"{M}]"),
    ("%5Bfe80::1%5D", f"%5B{M}%5D"),
    ("::ffff:192.0.2.1", M),
    ("64:ff9b::192.0.2.33:80", f"{M}:80"),
    ("0:0:0:0:0:ffff:192.0.2.1", M),
    ("::192.0.2.1", M),
    ("1:2:3:4:5:6:7:8:10.0.0.1", f"{M}:{M}"),
    ("::ffff:1.2.3.400", f"{M}.2.3.400"),
    ("fe80::1: unreachable", f"{M}: unreachable"),
    ("fe80::1:error", f"{M}:error"),
    ("fe80::1.", f"{M}."),
    ("fe80::1.Done", f"{M}.Done"),
    ("fe80::1:50432", f"{M}:50432"),
    ("2001:db8:0:0:0:0:2:1:443", M),
    ("remote:2001:db8::1", f"remote:{M}"),
    ("addr:::1", f"addr:{M}"),
    ("id:2001:db8:0:0:0:0:2:1", f"id:{M}"),
    ("1:2:3:4:5:6:7::", M),
    ("1::3:4:5:6:7:8", M),
    ("123456:fe80::1", f"123456:{M}"),
    ("1700000000:fe80::1", f"1700000000:{M}"),
    ("1.fe80::1", f"1.{M}"),
    ("10.0.0.1fe80::1", M + M),
    ("::1.2.3.4.5" * 3, f"{M}.{M}" * 3),
    ("::1.2.3.4.5" * 9, M),
    ("10.0.0.1:80:fe80::1", f"{M}:{M}"),
    ("\\bfe80::1 \\nfe80::1 \\u003cfe80::1", f"\\b{M} \\n{M} \\u003c{M}"),
]
NO_ADDRESSES = [
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.1000",
    "1.3.6.1.4.1.311",
    "v1.2.3.4",
    "(V1.2.3.4)",
    "Chrome/120.0.0.0 Safari/537.36",
    "Chrome/120.0.6099.109",
    "1.2..3.4",
    "1.2.2024 10.5",
    "12:34:56",
    "12:34:56.789",
    "2024-01-01T12:34:56.789+01:00",
    "00:1A:2b:3c:4d:5e",
    "00:11:22:33:44:55:66:77",
    "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01",
    "AB:CD:EF:01:23:45:67:89:AB",
    "std::string",
    "abc::def",
    "dead::beef",
    "Foo::Bar::baz1",
    "::",
    "a::",
    "addr::1",
    "test_a.py::test_1",
    "select 5::bigint, '1'::int, now()::date",
    "x = 1::Int",
    "data[::2], data[1::2], f()[::10]",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "1:2:3:4:5:6:7",
    "1::2::3",
    "1::99999:1",
    "my_a1::b2",
    "12345::1:99999:1",
    "file.c:12:34: error",
    '{"a":1,"b":{"c":2}}',
    "[MASKED]:8080",
]

POSITIVE = [
    pytest.param(name, text, expected, id=f"{name}-{text[:50]}")
    for name, table in (("email", EMAILS), ("phone", PHONES), ("iban", IBANS), ("ip", ADDRESSES))
    for text, expected in table
]
NEGATIVE = [
    pytest.param(name, text, id=f"{name}-{text[:50]}")
    for name, table in (("email", NO_EMAILS), ("phone", NO_PHONES), ("iban", NO_IBANS), ("ip", NO_ADDRESSES))
    for text in table
]


def test_classes() -> None:
    """The table names the four classes in the order in which they are applied."""
    assert list(CLASSES.items()) == [
        ("email", mask_emails),
        ("phone", mask_phones),
        ("iban", mask_ibans),
        ("ip", mask_ip_addresses),
    ]


@pytest.mark.parametrize(("name", "text", "expected"), POSITIVE)
def test_masks(name: str, text: str, expected: str) -> None:
    """Personal data is masked and counted, what stands around it stays, and a second pass agrees."""
    assert CLASSES[name](text) == (expected, expected.count(M) - text.count(M))
    assert CLASSES[name](expected) == (expected, 0)


@pytest.mark.parametrize(("name", "text"), NEGATIVE)
def test_leaves_alone(name: str, text: str) -> None:
    """What only resembles personal data stays as it is."""
    assert CLASSES[name](text) == (text, 0)


# --- laws -----------------------------------------------------------------------------------------

_PIECES = r"""
anna @ %40 @example.com b@c.de .com git : ' b' \n \u0020 %20 %3D 1.2.3 2x.png + %2B +49 151 1234567 555
- 010 1234 ( )
555-010-1234 (555) +1.5550101234 10:00:00 1000 DE89 3704 0044 0532 0130 00 BE68539007547034 NO93 1 12345 0
. .. 10.0.0.1 256 v / Chrome/ 120.0.0.0 :: fe80 fe80::1 ::1 %eth0 ffff 1:2:3:4:5:6:7:8
: [ ] a[ addr x e # _ é , g [MASKED] [MASK ED] + +4915112345678 555-010-1234x -
"""
TEXTS = st.lists(
    st.one_of(st.sampled_from([*_PIECES.split(), " ", "\n"]), st.sampled_from(" 0123456789abf:.@+-%\\é")),
    max_size=14,
).map("".join)


@LAW
@given(TEXTS)
@example("1:2:3:4:5:6:7:8:10.0.0.1")
@example("(555) 010-1234-555-010-1234")
@example("+4915112345678+4915112345679")
@example("1.2.3.4.1:2:3:4:5:6:7:8:10.0.0.1")
def test_idempotent(text: str) -> None:
    """A second pass of a class changes nothing, and a mark is neither touched nor lost."""
    for mask in CLASSES.values():
        masked, count = mask(text)
        assert mask(masked) == (masked, 0)
        assert masked.count(M) == text.count(M) + count
        assert (count == 0) == (masked == text)


DELIMITERS = st.sampled_from(["", " ", "\n", "\t", '"', "'", "<>", "()", "[]", ",", ";", "=", "|", "é"])
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9\-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda label: not label.isdigit() and not label.endswith("x")
)


def _between(value: str, delimiters: str) -> str:
    return delimiters[:1] + value + delimiters[-1:]


def _masked_between(delimiters: str) -> str:
    return delimiters[:1] + M + delimiters[-1:]


@FAST
@given(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63}", fullmatch=True).filter(
        lambda local: "%40" not in local
    ),
    st.lists(LABELS, min_size=1, max_size=4),
    st.sampled_from(["com", "de", "co.uk", "museum", "xn--p1ai"]),
    st.sampled_from(["@", "%40"]),
    DELIMITERS,
)
def test_any_email(local: str, labels: list[str], tld: str, at: str, delimiters: str) -> None:
    """Every well-formed address is gone, and its delimiters stay."""
    text = _between(f"{local}{at}{'.'.join(labels)}.{tld}", delimiters)
    assert mask_emails(text) == (_masked_between(delimiters), 1)


@FAST
@given(
    st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True),
    st.lists(st.sampled_from(["", "", " ", "-", " (", ") ", "/"]), min_size=14, max_size=14),
    DELIMITERS,
)
def test_any_phone(digits: str, joints: list[str], delimiters: str) -> None:
    """Every number of E.164 is gone, however its digits are grouped."""
    number = digits[0] + "".join(joint + digit for joint, digit in zip(joints, digits[1:], strict=False))
    assert mask_phones(_between(f"+{number}", delimiters)) == (_masked_between(delimiters), 1)


@FAST
@given(
    st.from_regex(r"[0-9]{10}", fullmatch=True),
    st.sampled_from(["({}) {}-{}", "({}){}-{}", "{}-{}-{}"]),
    DELIMITERS,
)
def test_any_national_phone(digits: str, form: str, delimiters: str) -> None:
    """Every number in North America's way of writing is gone."""
    text = _between(form.format(digits[:3], digits[3:6], digits[6:]), delimiters)
    assert mask_phones(text) == (_masked_between(delimiters), 1)


LENGTHS = {"NO": 15, "BE": 16, "NL": 18, "SI": 19, "AT": 20, "CH": 21, "DE": 22, "GI": 23, "ES": 24, "PT": 25,
           "TR": 26, "FR": 27, "PL": 28, "UA": 29, "JO": 30, "MT": 31, "LC": 32, "RU": 33}  # fmt: skip


def _iban(country: str, account: str) -> str:
    """Compute the check digits as ISO 13616 says, digit by digit."""
    rest = 0
    for character in account + country + "00":
        for digit in str(int(character, 36)):
            rest = (rest * 10 + int(digit)) % 97
    return f"{country}{98 - rest:02}{account}"


@FAST
@given(
    st.sampled_from(sorted(LENGTHS)),
    st.text(string.digits + string.ascii_uppercase, min_size=29, max_size=29),
    st.booleans(),
    st.booleans(),
    DELIMITERS,
)
def test_any_iban(country: str, account: str, blocks: bool, lower: bool, delimiters: str) -> None:  # noqa: FBT001 - drawn
    """Every IBAN whose sum is right is gone; with another check digit it is none."""
    iban = _iban(country, account[: LENGTHS[country] - 4])
    wrong = iban[:3] + str((int(iban[3]) + 1) % 10) + iban[4:]
    for value, gone in ((iban, True), (wrong, False)):
        cased = value.lower() if lower else value
        written = " ".join(cased[at : at + 4] for at in range(0, len(cased), 4)) if blocks else cased
        text = _between(written, delimiters)
        assert mask_ibans(text) == ((_masked_between(delimiters), 1) if gone else (text, 0))


@FAST
@given(st.ip_addresses(v=4), DELIMITERS)
def test_any_ipv4(address: ipaddress.IPv4Address, delimiters: str) -> None:
    """Every IPv4 address is gone."""
    assert mask_ip_addresses(_between(str(address), delimiters)) == (_masked_between(delimiters), 1)


@LAW
@given(
    st.ip_addresses(v=6),
    st.sampled_from(["compressed", "exploded"]),
    st.sampled_from(["", "%eth0", "%25en1"]),
    st.booleans(),
    DELIMITERS,
)
def test_any_ipv6(
    address: ipaddress.IPv6Address,
    form: str,
    zone: str,
    upper: bool,  # noqa: FBT001 - drawn
    delimiters: str,
) -> None:
    """Every IPv6 address is gone, in each form, but one without a digit and one of eight pairs."""
    text = getattr(address, form)
    pairs = {len(group) for group in text.split(":")} == {2}  # nothing tells it from an EUI-64
    assume(not pairs and any(character.isdigit() for character in text))
    text = text.upper() if upper else text
    assert mask_ip_addresses(_between(text + zone, delimiters)) == (_masked_between(delimiters), 1)


@FAST
@given(
    st.sampled_from(["::", "::ffff:", "64:ff9b::", "0:0:0:0:0:ffff:", "1:2:3:4:5:6:"]),
    st.ip_addresses(v=4),
    st.sampled_from(["", "%eth0", "%25en1"]),
    DELIMITERS,
)
def test_any_embedded_ipv4(head: str, address: ipaddress.IPv4Address, zone: str, delimiters: str) -> None:
    """An IPv4 address within an IPv6 address is gone together with it, as CPython 3.13 writes some."""
    assert mask_ip_addresses(_between(f"{head}{address}{zone}", delimiters)) == (
        _masked_between(delimiters),
        1,
    )


# --- texts made to be slow ------------------------------------------------------------------------

HOSTILE = [
    "a", "a@", "@", "%40", "a%40", "a@b.", "a@b.co", "@b.co", "1.", "1", ":", "::", "+", "+1", "+1 ", "1-",
    "555-", "555-010-1234-", "(555) ", "DE00 ", "DE00", "DE", "a:", "a::", "1::", "f", "fe80::1%",
    "1:2:3:4:5:6:7:8:", "::1.2.3.4.5",
    "::1.", "10.0.0.1", "10.0.0.1.", "%", "\\", "\\u0020", "'", "b'", "+1(", "x@1x.", "a@1.2.3.", "::1.1.1.1",
]  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile(name: str, unit: str) -> None:
    """A mebibyte made to be slow is done within the suite's guard against hangs."""
    text = unit * (2**20 // len(unit))
    masked, count = CLASSES[name](text)
    assert (masked == text) == (count == 0)
