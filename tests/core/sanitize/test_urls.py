"""Secrets in URLs: masked in place, everything else byte for byte."""

from __future__ import annotations

import pytest

from replaystack.sanitize import RECEIVER_POLICY, Policy, mask_url

POLICY = Policy.build()
M = "[MASKED]"

MASKED_URLS = [
    (
        "http://h/echo?token=QS&reset_password_token=RPT&b=1",
        f"http://h/echo?token={M}&reset_password_token={M}&b=1",
    ),
    ("/cb?code=abc&state=%7B1%7D", f"/cb?code={M}&state=%7B1%7D"),
    ("https://user:pass@host:8443/p", f"https://{M}@host:8443/p"),
    ("https://token@host/p", f"https://{M}@host/p"),
    ("//u:p@host/p", f"//{M}@host/p"),
    ("postgres://u:a/b?c#d@e@db/x", f"postgres://{M}@db/x"),
    ("https://h/?a=https://u:p@i/&b=2", f"https://h/?a=https://{M}@i/&b=2"),
    ("https://h/cb#access_token=abc&token_type=b", f"https://h/cb#access_token={M}&token_type=b"),
    ("https://h/#/route?token=abc", f"https://h/#/route?token={M}"),
    ("https://h/?x=1;token=abc", f"https://h/?x=1;token={M}"),
    ("https://h/?password=a;b?c&d=1", f"https://h/?password={M}&d=1"),
    ("https://h/?token=;abc&pin=?abc", f"https://h/?token={M}&pin={M}"),
    ("https://h/?pass%77ord=x", f"https://h/?pass%77ord={M}"),
    ("https://h/?api+key=x", f"https://h/?api+key={M}"),
    ("https://h/?user[password]=x&user%5Bpin%5D=1", f"https://h/?user[password]={M}&user%5Bpin%5D={M}"),
    ("https://h/app;jsessionid=1A2B?x", f"https://h/app;jsessionid={M}?x"),
    ("https://h/?next=%2Fcb%3Ftoken%3Dabc%26x%3D1", f"https://h/?next=/cb%3Ftoken%3D{M}%26x%3D1"),
    ("https://h/?q=4242424242424242", f"https://h/?q={M}"),
    ("https://h/?q=4242+4242+4242+4242", f"https://h/?q={M}"),
    ("https://h/AKIAIOSFODNN7EXAMPLE/x", f"https://h/{M}/x"),
    ("https://h/?AKIAIOSFODNN7EXAMPLE", f"https://h/?{M}"),
    (
        "https://s3/x?X-Amz-Credential=AK&X-Amz-Signature=ab",
        f"https://s3/x?X-Amz-Credential={M}&X-Amz-Signature={M}",
    ),
    ("https://hooks.slack.com/services/T0/B0/x?a=1", f"https://hooks.slack.com/services/{M}?a=1"),
    ("https://hooks.slack.com:443/workflows/T0/x", f"https://hooks.slack.com:443/workflows/{M}"),
    ("https://ptb.discordapp.com/api/webhooks/12/x/slack", f"https://ptb.discordapp.com/api/webhooks/12/{M}"),
    ("https://shop.webhook.office.com/webhookb2/a@b/c", f"https://shop.webhook.office.com/webhookb2/{M}"),
    (
        "https://h/?to=https%3A%2F%2Fhooks.slack.com%2Fservices%2Fx",
        f"https://h/?to=https://hooks.slack.com/services/{M}",
    ),
    ("https://h/?SAMLResponse=abc&sig=x&ticket=ST-1", f"https://h/?SAMLResponse={M}&sig={M}&ticket={M}"),
]

SAFE_URLS = [
    "",
    "/",
    "http://h",
    "https://h:8080/p@th;v=1/x?a=1&&b=%20+&c#frag",
    "https://h/?token=&password=",
    "https://h/?page=2&next_page_token=abc&max_tokens=5",
    "https://h/?a=b=c&d==",
    "https://h/?q=a%zz&e=%E9",
    "http://[::1]:80/a@b",
    "mailto:ada@example.com",
    "https://hooks.slack.com/docs/x",
    "https://discord.com/api/webhooks/12",
    "https://h/api/webhooks/12/x",
    "https://h/?to=https://slack.com/services/x",
    "not a url at all",
]


@pytest.mark.parametrize(("url", "masked"), MASKED_URLS)
def test_secrets_in_a_url_are_masked_in_place(url: str, masked: str) -> None:
    """Userinfo and secret parameters go; order, encoding and all the rest stay, also the second time."""
    assert mask_url(url, POLICY) == masked
    assert mask_url(masked, POLICY) == masked


@pytest.mark.parametrize("url", SAFE_URLS)
def test_a_url_without_secrets_stays_byte_for_byte(url: str) -> None:
    """Nothing is decoded, sorted or normalised on the way."""
    assert mask_url(url, POLICY) == url


def test_unmask_fields_hold_for_parameters() -> None:
    """Parameters go by the key rules, so a user can keep `code` readable."""
    policy = Policy.build(unmask_fields=["code"], mask_fields=["ref"])
    assert mask_url("/cb?code=a&ref=b&token=c", policy) == "/cb?code=a&ref=[MASKED]&token=[MASKED]"


def test_the_receiver_keeps_what_the_sender_unmasked() -> None:
    """The second pass knows *contains* rules only, for parameters too."""
    assert (
        mask_url("/cb?code=a&token=b&password=c", RECEIVER_POLICY) == "/cb?code=a&token=b&password=[MASKED]"
    )


def test_userinfo_and_parameters_are_masked_without_value_rules() -> None:
    """`mask_values=False` leaves the key rules in force; a password in front of a host is one."""
    policy = Policy.build(mask_values=False)
    assert (
        mask_url("https://u:p@h/4242424242424242?token=a", policy)
        == "https://[MASKED]@h/4242424242424242?token=[MASKED]"
    )
