"""MASKING.md section 1: which keys hold secrets, and what happens to their values."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from replaystack.sanitize import RECEIVER_POLICY, Policy, encode_event, mask_url, mask_value
from replaystack.sanitize._assignments import STEMS
from replaystack.sanitize._names import CONTAINS, ENDS, EXACT, FORM_ENDS, FORM_EXACT, LAST_WORDS
from replaystack.sanitize._spelling import normalise

POLICY = Policy.build()
SECRET = "s3cr3t"

SECRET_KEYS = """
password Password PASSWORD pass_word pass-word passwd pwd pass passcode pin token secret auth otp totp
authorization proxy-authorization Proxy_Authorization authentication cookie set-cookie setCookie session
sid credential credentials jwt bearer csrf xsrf cardNumber card_number Card-Number creditCard
credit_card cc_number pan cvv cvv2 cvc securityCode mfa_code pinCode otpCode one_time_password ssn
social_security_number dbpass smtp_pass user_pass connectionString dsn database_url csrfmiddlewaretoken
JSESSIONID PHPSESSID connect.sid sessid aws_access_key_id userPassword user_password_hash
passwordConfirm newPasswd ssh_passphrase privateKey rsa_private_key api_key apiKey x-api-key apikeys
access_key accessKeyId clientSecret client_secret_1 secretsmanager accessToken access_token
refresh_token id_token tokens2 session_id sessionId session_key sms_otp user_ssn db_pwd signing_key
encryptionKey authKey client_key x-authorization user_pan userPan cardPIN user_pin_2 userPins connectSid
user[password] user[password][] a.b.token payment:cvv x/secret password[0] token[0] token1 password2
authTokens tokenSecret isSecretShared[password] reset_password_token passwords credential_id
id_jwt my_cookie card_cvv card_cvc
tokenValue token_values access_token_v2 apiTokenV3 pwdHash tokenHashes pin_hash userPinValue user_pin_v2 sidV2
ssn_hash recoveryCode recovery_codes backupCode backup_codes2 verification_code securityAnswer seedPhrase
recovery_phrase mnemonic mnemonicPhrase xAuth x-auth AccountKey AZURE_STORAGE_ACCOUNT_KEY
SharedAccessSignature RAILS_MASTER_KEY service_key serviceRoleKey user[backup_code] pass\u200bword \ufefftoken
userPINs userPANs2
api\u00ad_key \uff50\uff49\uff4e \uff30\uff29\uff2e
""".split()  # noqa: SIM905 - reads as a table

SAFE_KEYS = """
max_tokens maxTokens maxtokens tokens token_count tokencount tokenizer next_page_token nextPageToken
prev_token page_tokens sync_token continuation_token cursor_token resumeToken cancel_token secretary
secretariat has_password hasPassword is_secret num_secrets min_password_length max_pin password_policy
passwordPolicy password_strength api_key_hint secret_type secretUrl password_required api_key_enabled
secret_key_id password_count secret_expiry secretExpiresIn secretTtl password_at authors author company
japan pinned spinner inside compass passenger keyboard monkey key name value sidebar discussion opinion
shipping tokenExpiry authenticated_at sign code sig ticket signature etag x-request-id prompt_tokens
completion_tokens total_tokens user_id id pinterest expansion Span
max_tokens_v2 next_page_token_v2 tokens_v2 total_tokens_value token_type_v2 has_token_v2 commit_hash key_value
default_value envoy_v2 code_v2 backup_code_count verification_code_length discount_code country_code answer
search_phrase mnemonics_enabled oauth xauthor public_key primary_key foreign_key sort_key partition_key
cache_key object_key ssh_key pgp_key webhook_url account_key_type
APIs userIDs PINsafe na\u200bme \uff4e\uff41\uff4d\uff45
""".split()  # noqa: SIM905 - reads as a table


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secret_key_masks_its_value(key: str) -> None:
    """Every spelling of a secret key masks the value under it."""
    assert mask_value({key: SECRET}, POLICY) == {key: "[MASKED]"}


@pytest.mark.parametrize("key", SAFE_KEYS)
def test_a_safe_key_keeps_its_value(key: str) -> None:
    """Keys that only look like a secret's keep what stands under them."""
    assert mask_value({key: SECRET}, POLICY) == {key: SECRET}


@pytest.mark.parametrize("value", ["x", 1, 0, 1.5, 10**50, [1], (1, 2), {"a": 1}, b"x", {1}, object()])
def test_the_whole_value_is_masked_whatever_its_type(value: object) -> None:
    """A secret is masked as a whole: text, number, list or object."""
    assert mask_value({"password": value}, POLICY) == {"password": "[MASKED]"}


@pytest.mark.parametrize("value", [None, True, False, "", [], {}, ()])
def test_null_booleans_and_empty_values_stay(value: Any) -> None:
    """What cannot hold a secret stays as it is: it often explains the failure."""
    kept = [] if value == () else value
    assert mask_value({"password": value}, POLICY) == {"password": kept}


@pytest.mark.parametrize("key", ["session", "auth", "pan", "sid", "pin", "user_pin"])
def test_an_object_under_a_name_of_structures_is_walked(key: str) -> None:
    """`session` and its like may hold an object with useful parts; its own keys decide."""
    value = {"user": "ada", "token": "x"}
    assert mask_value({key: value}, POLICY) == {key: {"user": "ada", "token": "[MASKED]"}}
    assert mask_value({key: "x"}, POLICY) == {key: "[MASKED]"}
    assert mask_value({key: [value]}, POLICY) == {key: "[MASKED]"}


@pytest.mark.parametrize(
    "key", ["code", "sig", "ticket", "SAMLResponse", "X-Amz-Credential", "X-Amz-Signature"]
)
def test_names_that_are_secret_in_queries_only(key: str) -> None:
    """An OAuth code in a query is masked; `code` in JSON is an error code and stays."""
    assert mask_url(f"https://h/cb?{key}=abc", POLICY) == f"https://h/cb?{key}=[MASKED]"
    if key != "X-Amz-Credential":  # holds a word that is secret anywhere
        assert mask_value({key: "abc"}, POLICY) == {key: "abc"}


def test_names_that_are_secret_in_headers_only() -> None:
    """In headers whatever ends with `key` or `signature` is a secret, but for three that are none."""
    secret = ["X-Hub-Signature-256", "Stripe-Signature", "X-Functions-Key", "Ocp-Apim-Subscription-Key"]
    safe = ["Idempotency-Key", "Sec-WebSocket-Key", "Surrogate-Key", "Accept"]
    event = {"requestHeaders": dict.fromkeys([*secret, *safe], "abc"), "requestPayload": {"x-key": "abc"}}
    document = _decode(event)
    assert document["requestHeaders"] == {**dict.fromkeys(secret, "[MASKED]"), **dict.fromkeys(safe, "abc")}
    assert document["requestPayload"] == {"x-key": "abc"}


def test_lists_of_pairs_are_masked_by_their_first_halves() -> None:
    """`[["password", "x"], ...]` is a mapping in disguise."""
    pairs = [["password", "x"], ("user", "ada"), ["session", {"token": "t", "a": 1}]]
    assert mask_value(pairs, POLICY) == [
        ["password", "[MASKED]"],
        ["user", "ada"],
        ["session", {"token": "[MASKED]", "a": 1}],
    ]
    assert mask_value([["password", "x"], ["a", "b", "c"]], POLICY) == [["password", "x"], ["a", "b", "c"]]


@pytest.mark.parametrize("order", list(itertools.permutations(["name", "value", "other"])))
@pytest.mark.parametrize("name", ["name", "key", "Name", "KEY"])
def test_name_and_value_objects_are_masked_in_either_order(name: str, order: tuple[str, ...]) -> None:
    """`{"name": "password", "value": "x"}` is a mapping in disguise, however it is ordered."""
    entry = {"name": (name, "password"), "value": ("value", "x"), "other": ("other", 1)}
    given = dict(entry[part] for part in order)
    assert mask_value(given, POLICY) == {**given, "value": "[MASKED]"}


@pytest.mark.parametrize(
    "loc", [["body", "password"], ("body", "user", "apiKey", 0), ["query", "code"], ["cookie", "x"]]
)
def test_a_validators_answer_does_not_repeat_the_secret(loc: Any) -> None:
    """`input` and `ctx` of a validation error are masked if `loc` names a secret, in either order."""
    for error in (
        {"loc": loc, "msg": "m", "input": "x", "ctx": {"a": "x"}},
        {"input": ["x"], "ctx": {}, "loc": loc},
    ):
        masked = mask_value({"detail": [error]}, POLICY)["detail"][0]
        assert masked["input"] == "[MASKED]"
        assert masked["ctx"] in ("[MASKED]", {})
    harmless = {"loc": ["body", "user", "name"], "input": "x", "ctx": {"min_length": 3}}
    assert mask_value(harmless, POLICY) == harmless


def test_mask_fields_add_names_in_any_spelling() -> None:
    """A user's names mask in each spelling, and against every exception of the built-in rules."""
    policy = Policy.build(mask_fields=["tax_id", "Phone Number", "max_tokens"])
    for key in ("taxId", "TAX-ID", "tax_ids", "user.tax_id", "phone_number", "phoneNumber2", "maxTokens"):
        assert mask_value({key: "x"}, policy) == {key: "[MASKED]"}
    assert mask_value({"my_tax_id": "x"}, policy) == {"my_tax_id": "x"}


def test_unmask_fields_take_names_away_but_never_value_rules() -> None:
    """An unmasked key keeps its value unless the value itself is recognised as a secret."""
    policy = Policy.build(unmask_fields=["token", "api_key"])
    given = {
        "token": "abc",
        "Api-Key": "abc",
        "user[token]": "abc",
        "access_token": "abc",
        "tokens": "ghp_" + "a1" * 18,
    }
    assert mask_value(given, policy) == {
        "token": "abc",
        "Api-Key": "abc",
        "user[token]": "abc",
        "access_token": "[MASKED]",
        "tokens": "[MASKED]",
    }
    assert mask_value({"password[token]": "abc"}, policy) == {"password[token]": "[MASKED]"}


def test_remote_fields_beat_unmask_fields() -> None:
    """What the receiver's rules name is masked even if the application unmasked it."""
    policy = Policy.build(unmask_fields=["token", "zip"], remote_fields=["Token", "zip"])
    assert mask_value({"token": "abc", "zip": "123"}, policy) == {"token": "[MASKED]", "zip": "[MASKED]"}


def test_the_receivers_second_pass_keeps_what_a_user_unmasked() -> None:
    """The receiver knows *contains* rules only, so `token` stays and `user_password` does not."""
    given = {"token": "abc", "session": "abc", "user_password": "abc", "password_policy": "abc"}
    assert mask_value(given, RECEIVER_POLICY) == {**given, "user_password": "[MASKED]"}


def test_keys_are_under_the_value_rules_too() -> None:
    """A secret that stands as a key is masked as one."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"
    assert mask_value({token: 1, "user=4242424242424242": 2}, POLICY) == {"[MASKED]": 1, "user=[MASKED]": 2}


def test_a_key_is_judged_as_it_is_written_too() -> None:
    """A second pass sees the masked key: its verdict must hold in the first one already."""
    policy = Policy.build(mask_fields=["masked"])
    once = mask_value({"ghp_" + "a1" * 18: "x"}, policy)
    assert mask_value(once, policy) == once == {"[MASKED]": "[MASKED]"}


def test_only_ascii_letters_are_lowered() -> None:
    """A Kelvin sign is no k: the verdict is the same under every Unicode version and in Rust."""
    assert normalise("TO\u212aEN_ID") == "to\u212aenid"
    assert mask_value({"to\u212aen": "x"}, POLICY) == {"to\u212aen": "x"}


def test_the_stems_of_the_first_look_cover_every_name() -> None:
    """The first look at a text never overlooks a built-in name."""
    names = {*EXACT, *CONTAINS, *ENDS, *LAST_WORDS, *FORM_EXACT, *FORM_ENDS}
    assert [name for name in names if not any(stem in name for stem in STEMS)] == []


def test_log_ids_are_no_secrets_but_obey_the_user() -> None:
    """`session_id` beside a log message stays, at the top level of its fields and nowhere else."""
    entry = {"message": "m", "metadata": {"session_id": "s1", "user_id": "u1", "deep": {"session_id": "s1"}}}
    event = {"logs": [entry], "metadata": {"session_id": "s1"}}
    document = _decode(event)
    assert document["logs"][0]["metadata"] == {
        "session_id": "s1",
        "user_id": "u1",
        "deep": {"session_id": "[MASKED]"},
    }
    assert document["metadata"]["session_id"] == "[MASKED]"
    masked = _decode(event, Policy.build(mask_fields=["user_id"]))
    assert masked["logs"][0]["metadata"]["user_id"] == "[MASKED]"


def _decode(event: dict[str, Any], policy: Policy = POLICY) -> Any:
    return json.loads(encode_event(event, policy).data)
