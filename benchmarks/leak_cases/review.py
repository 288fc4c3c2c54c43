"""Secrets that a hostile review got past the rules of texts, and the twin of each that must stay."""

from __future__ import annotations

from typing import Final

from .case import Case, body, harmless, leaks, message

__all__ = ["CASES", "SAFE"]

_ERROR: Final = "1 validation error for Login\n{}\n  Bad [type=bad, input_value={}, input_type=str]"
_ERRORS: Final = (
    "2 validation errors for Login\nuser.password\n  Bad [type=bad, input_value='{{secret}}', input_type=str]"
    "\n    For further information visit https://errors.pydantic.dev/2.5/v/bad\nitems.0.cvv\n"
    "  Bad [type=bad, input_value={'a': 1, 'b': '{{secret}}'}, input_type=dict]"
)

CASES: Final[list[Case]] = [
    *leaks(
        "review",
        {
            **{
                f"userinfo with {sign}": message(f"no postgresql://app:x{sign}{{{{secret}}}}@db/prod here")
                for sign in "{}|^'<>`"
            },
            "userinfo begins with a brace": message("no postgresql://app:{x{{secret}}@db/prod here"),
            "annotation": message("def login(password: str = '{{secret}}', attempts: int = 3)"),
            "annotation with brackets": message("password: Optional[str] = '{{secret}}'"),
            "annotation of TypeScript": message('const password: string | null = "{{secret}}"'),
            "annotation, weak name": message("token: str = '{{secret}}'"),
            "annotation that is no known type": message("password: PasswordField = '{{secret}}'"),
            "tuple": message("got {'password': ('old', '{{secret}}')}"),
            "tuple behind =": message("password=('old', '{{secret}}')"),
            "call": message("got {'password': datetime(1, '{{secret}}')}"),
            "pair with a list": message("OrderedDict([('password', ['x', '{{secret}}'])])"),
            "pair with a tuple": message("[('password', ('x', '{{secret}}'))]"),
            "pair with an object": message("[('password', {'x': '{{secret}}'})]"),
            "pair with a number": message("[('password', {{digits 9}})]"),
            "list of pairs": message("headers=[['password', '{{secret}}']]"),
            "list of pairs, second one": message("headers=[['a', 'b'], ['password', '{{secret}}']]"),
            "list of pairs in lines": message('items: [\n  [\n    "password",\n    "{{secret}}"\n  ]\n]'),
            "list of pairs, no strict JSON": body(
                '{"a":NaN,"items":[["password","{{secret}}"]]}', "application/json"
            ),
            "parameters behind =": message('Authorization=Digest username="x", response="{{secret}}"'),
            "added to": message("password += '{{secret}}'"),
            "credential percent-encoded": message("sent Bearer AAAA0123%2B{{secret}}%3D to it"),
            "credential with escapes": message("sent Bearer abcdefgh1234\\/{{secret}}\\u002b{{secret}} on"),
            "credential with a bar": message("sent Bearer 12|{{secret 40}} to it"),
            "pydantic": message(_ERROR.format("password", "'{{secret}}'")),
            "pydantic, several": message(_ERRORS),
            "pydantic, a union": message(_ERROR.format("cvv.str", "'{{secret}}'")),
            "pydantic, repr": message(repr(_ERROR.format("password", "{{secret}}"))),
            "colours": message("\x1b[36mpassword\x1b[0m=\x1b[35m{{secret}}\x1b[0m"),
            "colours, short name": message(
                "\x1b[1;36mpin\x1b[0m \x1b[2m=\x1b[0m \x1b[35m'{{secret}}'\x1b[0m"
            ),
            "type of an input": body(
                '<p><input type="password" name="q" value="{{secret}}"></p>', "application/xml"
            ),
            "SQL password": message("failed: ALTER USER ada WITH PASSWORD '{{secret}}'"),
            "SQL identified": message("failed: CREATE USER ada IDENTIFIED BY '{{secret}}';"),
            "SQL identified with": message("failed: CREATE USER ada IDENTIFIED WITH x BY '{{secret}}'"),
        },
    ),
]

SAFE: Final[list[Case]] = harmless(
    {
        "addresses beside": message("['http://a','b@c'] and ('http://a:80','b@c')"),
        "annotation, no secret": message("def login(user: str = 'ada', attempts: int = 3)"),
        "tuple, no secret": message("{'size': ('old', 'new'), 'at': datetime(1, 'x')}"),
        "pair, no secret": message("OrderedDict([('sizes', ['x', 'y']), ('max_tokens', 4096)])"),
        "list of names": message('required: ["token", "name"]'),
        "parameters, no secret": message('format=Digest username="x", response="y"'),
        "added to a count": message("count += 1"),
        "scheme in words": message("Bearer authentication|authorization, Bearer error%20description"),
        "pydantic, no secret": message(_ERROR.format("user.name", "'ada'")),
        "pydantic, nothing there": message(_ERROR.format("password", "None")),
        "colours, no secret": message("\x1b[36muser\x1b[0m=\x1b[35mada\x1b[0m"),
        "type of an input, no secret": body(
            '<p type="password"><input type="text" value="ada">words</p>', "application/xml"
        ),
        "a quote that closes": message("{'a': 'your password ', 'b': 'identified by ', 'c': 'd'}"),
        "counts of tokens": message("n_tokens=1 thinking_tokens=2 remaining_tokens=3 used_tokens=4"),
    }
)
