"""Auth mode and scheme, read from raw headers without keeping any of the credential."""

from __future__ import annotations

import pytest

from replaystack.auth import API_KEY_HEADERS, detect_auth


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Authorization", "Bearer abc")], ("bearer", "Bearer")),
        ([("authorization", "basic dXNlcg==")], ("basic", "basic")),
        ([("Authorization", "Token abc")], ("api_key", "Token")),
        ([("Authorization", "ApiKey abc")], ("api_key", "ApiKey")),
        ([("Authorization", "Api-Key abc")], ("api_key", "Api-Key")),
        ([("Authorization", "Digest username=x")], ("other", "Digest")),
        ([("Authorization", "s3cr3t-bare-token")], ("other", None)),
        ([("Authorization", "Bearer")], ("other", None)),
        ([("Authorization", "a.b.c d")], ("other", None)),
        ([("Authorization", "")], ("none", None)),
        ([("X-Api-Key", "k")], ("api_key", "x-api-key")),
        ([("Cookie", "a=b")], ("cookie", None)),
        ([("Cookie", "a=b"), ("X-Token", "t")], ("api_key", "x-token")),
        ([("X-Token", "t"), ("X-Api-Key", "k")], ("api_key", "x-api-key")),
        ([("X-Api-Key", "k"), ("Authorization", "Bearer t")], ("bearer", "Bearer")),
        ([("Accept", "*/*")], ("none", None)),
        ([], ("none", None)),
    ],
)
def test_mode_and_scheme(headers: list[tuple[str, str]], expected: tuple[str, str | None]) -> None:
    """The order of WIRE.md: Authorization, then key headers, then cookies."""
    assert detect_auth(headers) == expected


@pytest.mark.parametrize("name", API_KEY_HEADERS)
def test_every_key_header_counts(name: str) -> None:
    """Each header of WIRE.md's list means an API key and names itself as the scheme."""
    assert detect_auth([(name.title(), "secret")]) == ("api_key", name)


@pytest.mark.parametrize(
    "value", ["sk_live_1234567890abcdef", "a" * 40 + " b", "x.y z", "=weird= rest", "ümlaut x"]
)
def test_a_bare_token_is_never_a_scheme(value: str) -> None:
    """What could be a credential must not come out as authScheme."""
    assert detect_auth([("Authorization", value)]) == ("other", None)
