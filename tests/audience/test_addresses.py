"""An address is put in order once, at the door, or refused with the reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audience.addresses import clean_name, normalise
from pipeline.errors import AudienceError


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("ana@example.com", "ana@example.com"),
        ("  Ana.Smith+news@Example.COM ", "Ana.Smith+news@example.com"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("ana@Bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@bu\u0308cher.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("ana@例え.jp", "ana@xn--r8jz45g.jp"),
        ("ana@reader.test", "ana@reader.test"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),
    ],
)
def test_an_address_goes_on_the_wire_in_one_form(typed: str, wire: str) -> None:
    assert normalise(typed)[0] == wire
    assert normalise(wire)[0] == wire


def test_spellings_of_one_address_have_one_key() -> None:
    assert normalise("Ana@Bücher.example")[1] == normalise("ana@XN--BCHER-KVA.example")[1]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "no address"),
        ("ana", "has an @"),
        ("ana@", "not an address"),
        ("@example.com", "not an address"),
        ("ana@example", "not an address"),
        ("ana@example..com", "not an address"),
        ("ana@-example.com", "not an address"),
        ("ana@[192.0.2.1]", "not an address"),
        ("ana@exa mple.com", "not an address"),
        ("ana@example.com, eve@example.com", "one bare address"),
        ("Ana <ana@example.com>", "one bare address"),
        ('"ana smith"@example.com', "one bare address"),
        ("ana@example.com\r\nBcc: eve@example.com", "control"),
        ("ana\0@example.com", "control"),
        ("ana@exam\u202eelp.com", "control or invisible"),
        ("an\u200ba@example.com", "control or invisible"),
        ("ａｎａ@example.com", "not every mail server"),
        ("änä@example.com", "not every mail server"),
        ("=cmd|'/C calc'!A0@example.com", "formula"),
        ("=1+1@example.com", "formula"),
        ("-f@example.com", "formula"),
        ("a|b@example.com", "formula or a command"),
        ("a%b@example.com", "formula or a command"),
        ("x" * 65 + "@example.com", "longer than 64"),
        ("x@" + "y." * 130 + "com", "longer than 254|not an address"),
        ("x" * 5_000_000, "longer than 254"),
        ("ana@printer.local", "not an address"),
        ("ana@" + "a" * 64 + ".com", "not an address"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(AudienceError, match=reason):
        normalise(typed)


def test_an_address_of_254_characters_is_taken_and_of_255_is_not() -> None:
    labels = ".".join(["y" * 61] * 3)
    local = "x" * (254 - len(labels) - len("@.com"))
    assert len(normalise(f"{local}@{labels}.com")[0]) == 254
    with pytest.raises(AudienceError):
        normalise(f"{local}x@{labels}.com")


@given(st.text(max_size=300))
def test_whatever_is_typed_is_ascii_in_one_line_or_refused(typed: str) -> None:
    before = time.process_time()
    try:
        address, key = normalise(typed)
    except AudienceError:
        pass
    else:
        assert address.isascii()
        assert address.isprintable()
        assert address.count("@") == 1
        assert normalise(address) == (address, key)
    assert time.process_time() - before < 2


WORDS = st.text(alphabet="ab1_", min_size=1, max_size=20)
LABELS = st.text(alphabet="a1-", min_size=1, max_size=66)


@settings(deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(".+-"), st.lists(LABELS, min_size=1, max_size=3)
)
def test_the_short_way_for_plain_addresses_takes_nothing_the_library_refuses(
    words: list[str], mark: str, labels: list[str]
) -> None:
    from email_validator import EmailNotValidError, validate_email

    try:
        address, _ = normalise(f"{mark.join(words)}@{'.'.join(labels)}.org")
    except AudienceError:
        return
    try:
        valid = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as fault:
        pytest.fail(f"{address}: {fault}")
    assert valid.ascii_email == address


def test_a_name_is_one_line_in_one_form() -> None:
    assert clean_name("  Zoe\u0308 \t O'Neill ") == "Zoë O'Neill"
    assert clean_name("") == ""
    assert clean_name("Ana\u2028Smith") == "Ana Smith"
    assert clean_name("👩\u200d🚀 Ada") == "👩\u200d🚀 Ada"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Ana\r\nBcc: eve@example.com", "more than one line"),
        ("Ana\nSmith", "more than one line"),
        ("Ana\0", "control"),
        ("Ana\x1b[2J", "control"),
        ("Ana \u202e nimda", "control or invisible"),
        ("x" * 201, "longer than 200"),
    ],
)
def test_a_name_that_could_do_harm_is_refused(name: str, reason: str) -> None:
    with pytest.raises(AudienceError, match=reason):
        clean_name(name)
