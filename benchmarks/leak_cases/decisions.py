"""Secrets that probes got past the rules, each with the rule that was made for it (docs/masking.md).

What was declared outside of the promise instead is not here: it would be a promise.
"""

from __future__ import annotations

from typing import Final

from .case import Case, body, headers, json_body, leaks, message, note, url

__all__ = ["CASES"]

_NAMES: Final = """
tokenValue access_token_v2 api_token_v2 pwdHash tokenHash pin_hash userPinValue sid_v2 recoveryCode
recovery_codes backup_code backupCodes verification_code userVerificationCode securityAnswer
security_answers seedPhrase recovery_phrase mnemonic xAuth AccountKey AZURE_STORAGE_ACCOUNT_KEY
SharedAccessKey SharedAccessSignature sas_token otp_secret master_key RAILS_MASTER_KEY service_key
SUPABASE_SERVICE_ROLE_KEY bearerToken
""".split()  # noqa: SIM905 - reads as a table

_WIDE: Final = "".join(chr(ord(letter) + 0xFEE0) for letter in "password")
_PEM: Final = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n{{secret 64}}\n{{secret 64}}\n-----END OPENSSH PRIVATE KEY-----"
)
_HOOK: Final = "https://hooks.slack.com/services/T024BE7LD/B024BE7LE/{{secret 24}}"

CASES: Final[list[Case]] = [
    *leaks("decided key", {name: json_body({"user": "ada", name: "{{secret}}"}) for name in _NAMES}),
    *leaks(
        "decided key",
        {
            "zero-width blank": json_body({"pass\u200bword": "{{secret}}"}),
            "soft hyphen": json_body({"api\u00ad_key": "{{secret}}"}),
            "byte order mark": {"requestPayload": {"\ufefftoken": "{{secret}}"}},
            "full width": json_body({_WIDE: "{{secret}}"}),
            "full width, form": body(
                "%EF%BD%90%EF%BD%89%EF%BD%8E={{secret}}", "application/x-www-form-urlencoded"
            ),
            "private ssh_key": json_body({"ssh_key": _PEM}),
            "X-Auth": headers(("X-Auth", "{{secret}}")),
            "X-Access": headers(("X-Access", "{{secret}}")),
        },
    ),
    *leaks(
        "decided pair",
        {
            f"{name} and {value}": json_body([{name: "password", value: "{{secret}}"}])
            for name in ("name", "key", "field", "param", "header")
            for value in ("value", "val", "default")
        },
    ),
    *leaks(
        "decided pair",
        {
            "header of a request": json_body({"header": "authorization", "value": "{{secret}}"}),
            "default first": json_body({"default": "{{secret}}", "field": "api_key"}),
            "in text": message('sent {"name": "password", "value": "{{secret}}"} to it'),
            "in text, value first": message("sent {'value': '{{secret}}', 'name': 'api_key'} to it"),
            "in text, label": message('sent {"label": "Password", "val": "{{secret}}"} to it'),
            "in text, escaped": message(
                'sent {\\"name\\": \\"password\\", \\"value\\": \\"{{secret}}\\"} on'
            ),
            "in text, an object between": message(
                'sent {"name": "password", "rules": {"min": 8}, "value": "{{secret}}"} to it'
            ),
            "in text, a list": message("env [{'Name': 'DB_PASSWORD', 'Value': '{{secret}}'}, {'Name': 'A'}]"),
        },
    ),
    *leaks(
        "decided text",
        {
            "Bearer in quotes": message('sent Bearer "{{secret}}" to it'),
            "Bearer on a folded line": message("authentication\n Bearer\n {{secret}}"),
            "bearer:": message("bearer: {{secret}}"),
            "token is": message("the token is {{secret 24}}"),
            "Azure connection string": message(
                "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={{secret 60}}==;EndpointSuffix=x"
            ),
            "zero-width blank in a name": message("pass\u200bword={{secret}}"),
            "full width name": message(_WIDE + "={{secret}}"),
            "YAML list": body("user: ada\npasswords:\n  - {{secret}}\n  - {{secret}}\n", "application/yaml"),
            "YAML list, not indented": body("api_keys:\n- {{secret}}\n- {{secret}}\n", "application/yaml"),
            "YAML, next line in quotes": body('password:\n  "it is {{secret}}"\n', "application/yaml"),
            "markup in markup": body(
                "<fault>&lt;password&gt;{{secret}}&lt;/password&gt;</fault>", "application/xml"
            ),
            "Slack webhook": message(f"cannot post to {_HOOK}"),
            "Discord webhook": note("https://discord.com/api/webhooks/1234567890/{{secret 60}}"),
            "Teams webhook": note("https://shop.webhook.office.com/webhookb2/{{secret 36}}@{{secret 36}}/x"),
            "webhook as URL": url(_HOOK),
            "webhook_url": json_body({"webhook_url": _HOOK}),
        },
    ),
    *leaks(
        "decided pair",
        {
            f"{name} and {value}": json_body([{name: "Password", value: "{{secret}}"}])
            for name in ("label", "id")
            for value in ("value", "val", "default")
        },
    ),
    *leaks(
        "decided text",
        {
            "Bearer percent-encoded": message("sent Bearer%20{{secret}} to it"),
            "URL percent-encoded": message("next https%3A%2F%2Fada%3A{{secret}}%40db.example%2F refused"),
            "URL percent-encoded twice": message(
                "next https%253A%252F%252Fada%253A{{secret}}%2540db%252F no"
            ),
            "URL percent-encoded twice in a URL": url(
                "https://a.example/?next=https%253A%252F%252Fada%253A{{secret}}%2540b.example"
            ),
            "query percent-encoded": message("next=%2Fcb%3Fpage%3D1%26token%3D{{secret}}"),
            "JWT percent-encoded": message("got eyJhbGciOiJIUzI1NiJ9%2EeyJ{{secret 40}}%2E{{secret 43}}"),
            "JSON percent-encoded": message("filter %7B%22password%22%3A%22{{secret}}%22%7D refused"),
            "userinfo without scheme": message("cannot reach //ada:{{secret}}@db.example/shop"),
            "option": message("cannot run psql --password {{secret}} shop"),
            "option in quotes": message("cannot run psql --password 'it is {{secret}}' shop"),
            "option in a list": message("cannot run ['psql', '--api-key', '{{secret}}', 'shop']"),
            "curl -u": message("cannot run curl -v -u ada:{{secret}} https://a.example/"),
            "curl --user in a list": message('cannot run ["curl", "--user", "ada:{{secret}}"]'),
            "markup in text": message("&lt;password&gt;{{secret}}&lt;/password&gt;"),
        },
    ),
]
