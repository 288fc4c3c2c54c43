"""Headers, cookies and URLs."""

from __future__ import annotations

from typing import Final

from .case import Case, headers, leaks, url

__all__ = ["CASES"]

_SECRET_HEADERS: Final = """
X-Api-Key x-apikey Api-Key X-Auth-Token X-Access-Token X-Csrf-Token X-XSRF-TOKEN X-Amz-Security-Token
X-Hub-Signature-256 X-Signature Stripe-Signature Ocp-Apim-Subscription-Key X-Functions-Key X-Goog-Api-Key
X-Vault-Token X-Gitlab-Token X-Client-Secret X-Session-Id X-Amz-Cookie Authentication Cookie2-Cookie
""".split()  # noqa: SIM905 - reads as a table

CASES: Final[list[Case]] = [
    *leaks(
        "header",
        {
            **{name: headers((name, "{{secret}}")) for name in _SECRET_HEADERS},
            "Authorization Bearer": headers(("Authorization", "Bearer {{secret}}")),
            "Authorization Basic": headers(("Authorization", "Basic {{basic}}")),
            "Authorization Token": headers(("authorization", "Token {{secret}}")),
            "Authorization Digest": headers(
                ("Authorization", 'Digest username="ada", response="{{hex 32}}"')
            ),
            "Authorization bare": headers(("AUTHORIZATION", "{{secret}}")),
            "Proxy-Authorization": headers(("Proxy-Authorization", "Basic {{basic}}")),
            "repeated": headers(("X-Api-Key", "{{secret}}"), ("x-api-key", "{{secret}}")),
            "Referer": headers(("Referer", "https://shop.example/cb?access_token={{secret}}&x=1")),
            "Origin": headers(("Origin", "https://ada:{{secret}}@shop.example")),
            "unknown header, JWT": headers(("X-Forwarded-Identity", "{{jwt}}")),
            "unknown header, Bearer": headers(("X-Forwarded-By", "Bearer {{secret}}")),
            "unknown header, path": headers(("X-Original-Uri", "/cb?access_token={{secret}}")),
            "websocket protocol": headers(("Sec-WebSocket-Protocol", "bearer, {{secret}}")),
            "object": {"requestHeaders": {"X-Api-Key": "{{secret}}", "Accept": "*/*"}},
            "object, list": {"requestHeaders": {"Authorization": ["Bearer {{secret}}", "{{secret}}"]}},
            "object, bytes": {"requestHeaders": {b"X-Api-Key": b"{{secret}}"}},
            "pairs": {"requestHeaders": [("Accept", "*/*"), ("X-Auth-Token", "{{secret}}")]},
            "pairs, bytes": {"requestHeaders": [(b"x-auth-token", b"{{secret}}")]},
        },
    ),
    *leaks(
        "answer header",
        {
            "Set-Cookie": headers(("Set-Cookie", "session={{secret}}; Path=/; HttpOnly"), answer=True),
            "Set-Cookie twice": headers(
                ("Set-Cookie", "a={{secret}}"), ("Set-Cookie", "b={{secret}}; Secure"), answer=True
            ),
            "X-Api-Key": headers(("X-Api-Key", "{{secret}}"), answer=True),
            "X-Refresh-Token": headers(("X-Refresh-Token", "{{secret}}"), answer=True),
            "Location": headers(("Location", "/welcome?reset_token={{secret}}"), answer=True),
            "Location fragment": headers(
                ("Location", "https://a.example/#access_token={{secret}}"), answer=True
            ),
            "Content-Location": headers(("Content-Location", "/files?sig={{secret}}"), answer=True),
            "Link": headers(("Link", '<https://a.example/p?api_key={{secret}}>; rel="next"'), answer=True),
            "Refresh": headers(("Refresh", "0; url=https://a.example/?token={{secret}}"), answer=True),
        },
    ),
    *leaks(
        "cookie",
        {
            "Cookie": headers(("Cookie", "theme=dark; sessionid={{secret}}")),
            "Cookie, harmless name": headers(("Cookie", "tracking={{secret}}")),
            "Cookie, no name": headers(("Cookie", "{{secret}}")),
            "cookies of the application": {"metadata": {"cookies": {"theme": "dark", "sid": "{{secret}}"}}},
            "in an object": {"requestHeaders": {"cookie": "sid={{secret}}; csrftoken={{secret}}"}},
            "in a text": {"errorMessage": "refused with Cookie: theme=dark; sessionid={{secret}}; a=b"},
        },
    ),
    *leaks(
        "URL",
        {
            "token": url("https://api.example/reset?token={{secret}}&page=2"),
            "reset_password_token": url("https://api.example/reset?reset_password_token={{secret}}"),
            "access_token": url("https://api.example/me?fields=a,b&access_token={{secret}}"),
            "api-key": url("http://127.0.0.1:8000/v1?api-key={{secret}}"),
            "code": url("https://api.example/callback?code={{secret}}&state=xyz"),
            "ticket": url("https://api.example/cas?ticket={{secret}}"),
            "SAS": url("https://a.blob.example/c/f?sv=2020&sig={{secret}}"),
            "AWS": url("https://b.s3.example/k?X-Amz-Credential={{secret}}&X-Amz-Signature={{hex 64}}"),
            "escaped name": url("https://api.example/?p%61ssword={{secret}}"),
            "brackets": url("https://api.example/?user[password]={{secret}}&user%5Btoken%5D={{secret}}"),
            "upper case": url("https://api.example/?ACCESS_TOKEN={{secret}}"),
            "repeated": url("https://api.example/?token={{secret}}&token={{secret}}"),
            "semicolon": url("https://api.example/?page=1;password={{secret}}"),
            "escaped value": url("https://api.example/?password=%2B{{secret}}%21"),
            "shape as value": url("https://api.example/?next={{jwt}}"),
            "card as value": url("https://api.example/?q={{card}}"),
            "URL as value": url("https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3D{{secret}}"),
            "JSON as value": url("https://a.example/?filter=%7B%22password%22%3A%22{{secret}}%22%7D"),
            "fragment": url("https://api.example/cb#access_token={{secret}}&token_type=bearer"),
            "fragment with route": url("https://api.example/#/cb?id_token={{secret}}"),
            "userinfo": url("https://ada:{{secret}}@api.example/orders"),
            "userinfo, user only": url("https://{{secret}}@api.example/orders"),
            "userinfo, at sign": url("https://ada:p@{{secret}}@api.example/orders"),
            "path with JWT": url("https://api.example/verify/{{jwt}}"),
            "path parameter": url("https://api.example/cart;jsessionid={{secret}}?page=1"),
            "relative": url("/reset?token={{secret}}"),
            "endpoint with JWT": {"endpoint": "/verify/{{jwt}}"},
        },
    ),
]
