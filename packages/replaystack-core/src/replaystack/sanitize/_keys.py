"""Which keys hold secrets (MASKING.md section 1): the tables and the verdict on one key.

The Rust twin mirrors this module. Both work on ASCII classes only, so that no locale and no
Unicode version changes a verdict.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CHANGED",
    "INPUT",
    "LOC",
    "MASK",
    "NAME",
    "SAFE",
    "VALUE",
    "WALK",
    "Keyring",
    "Place",
    "lower",
    "normalise",
    "role",
]

SAFE: Final = 0
MASK: Final = 1
"""The value is masked whole."""
WALK: Final = 2
"""The value is masked, but an object is walked: the key also names harmless structures."""
NAME: Final = 4
"""`name` or `key`: what stands here may be the name of the sibling `value`."""
VALUE: Final = 8
LOC: Final = 32
"""The path of a field in the answer of a validator (`{"loc": ["body", "password"], "input": "x"}`)."""
INPUT: Final = 64
"""What the validator repeats of that field."""
CHANGED: Final = 16
"""The value rules change the key's own text."""


class Place(IntEnum):
    """Where a key stands. Queries, forms and headers know secrets by names that JSON uses freely."""

    PAYLOAD = 0
    FORM = 1
    HEADER = 2
    LOG = 3
    """The fields of a log entry: some ids that every entry may carry are no secrets here."""
    NONE = 4
    """Our own data: no key is a secret, the texts are masked all the same."""


# --- the tables ---------------------------------------------------------------------------------

EXACT: Final = frozenset(
    """authorization proxyauthorization authentication auth password passwd pwd pass passcode pin token
    secret cookie setcookie session sid credential jwt bearer csrf xsrf cardnumber creditcard
    creditcardnumber ccnumber pan cvv cvc securitycode otp totp mfacode pincode otpcode onetimepassword
    ssn socialsecuritynumber dbpass smtppass userpass connectionstring dsn databaseurl
    csrfmiddlewaretoken jsessionid phpsessid connectsid sessid awsaccesskeyid""".split()  # noqa: SIM905 - reads as the contract's table does
)

# A connection's `auth`, a browser's `session`, a page's `pin` are often objects with useful parts.
WALKED: Final = frozenset({"session", "auth", "pan", "sid", "pin"})

CONTAINS: Final = (
    "password",
    "passwd",
    "passphrase",
    "credential",
    "privatekey",
    "apikey",
    "accesskey",
    "secret",
)
NOT_SECRET: Final = "secretar"  # noqa: S105 - secretary, secretariat; costs AWS `secretArn`, which is no secret either

ENDS: Final = (
    "token",
    "cookie",
    "sessionid",
    "sessionkey",
    "jwt",
    "cvv",
    "cvc",
    "otp",
    "ssn",
    "pwd",
    "signingkey",
    "encryptionkey",
    "authkey",
    "clientkey",
    "authorization",
)

# Whole words only: `user_pan`, `userPin`, but not `company`, `pinned`, `inside`.
LAST_WORDS: Final = frozenset({"pin", "pan", "sid"})

FORM_EXACT: Final = frozenset(
    {
        "sig",  # signed URLs of Azure
        "code",  # the authorization code of OAuth; in JSON mostly an error code
        "ticket",  # CAS
        "samlresponse",
        "xamzcredential",
    }
)
FORM_ENDS: Final = ("signature",)

HEADER_EXACT: Final = frozenset({"xhubsignature256"})  # the digits hide the ending
HEADER_ENDS: Final = ("signature", "key")
HEADER_NOT: Final = frozenset(
    {
        "idempotencykey",  # a name that the client chose; needed to follow a retry
        "secwebsocketkey",  # a nonce of the handshake, no secret by RFC 6455
        "surrogatekey",  # cache tags
    }
)

# What follows the word in names that only talk about a secret: `password_policy`, `apiKeyHint`.
NOT_REST: Final = frozenset(
    """at count expiry expiresin length policy strength ttl type keyid hint enabled required
    url""".split()  # noqa: SIM905 - same
)
NOT_FIRST_WORDS: Final = frozenset({"has", "is", "num", "max", "min"})
NOT_EXACT: Final = frozenset(
    {
        "maxtokens",  # limits and counts of language models
        "tokens",
        "tokencount",
        "tokenizer",
    }
)
# Paging and cancellation hand tokens around that open no door; `total_tokens` and its kin are counts.
_NOT_TOKEN = re.compile(
    r"(?:page|next|prev|sync|continuation|cursor|resume|cancel)tokens?\Z"
    r"|(?:prompt|completion|input|output|total|cached|reasoning|audio|text|prediction)tokens\Z",
    re.ASCII,
)

# Ids that a log entry carries beside its message; only the built-in rules leave them alone.
LOG_FIELDS: Final = frozenset(
    """session_id user_id request_id flow_id trace_id sessionId userId requestId flowId
    traceId""".split()  # noqa: SIM905 - same
)

# --- the verdict --------------------------------------------------------------------------------

_SEPARATORS = str.maketrans("", "", "-_ \t\r\n")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_DIGITS = "0123456789"
_SEGMENT = re.compile(r"[\[\].:/]+")
_LETTER = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])|[A-Z]")

_CACHED_KEYS = 4096
_CACHED_KEY_LENGTH = 64
"""The verdict cache of one policy and place: at most about 0.5 MB, even if a client invents keys.
Keys only; a value never enters it."""


def lower(text: str) -> str:
    """Lower the ASCII letters and nothing else: `str.lower` would turn a Kelvin sign into a k."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def normalise(key: str) -> str:
    """Return the spelling that all variants of a key share: lower case, no `-`, `_` and blanks."""
    return lower(key).translate(_SEPARATORS)


def role(key: str) -> int:
    """Return the role of a key whose neighbour decides, or that decides on its neighbour; else 0."""
    if len(key) > _ROLE_LENGTH:
        return 0
    return _ROLES.get(normalise(key), 0)


_ROLES: Final = {"name": NAME, "key": NAME, "value": VALUE, "loc": LOC, "input": INPUT, "ctx": INPUT}
_ROLE_LENGTH = 8  # `value`, with a few separators


class Keyring:
    """The verdicts of one policy. Safe to use from several threads: its caches hold what is so anyway."""

    __slots__ = (
        "_contains_only",
        "_fields",
        "_masked",
        "_parameters",
        "_remote",
        "_unmasked",
        "_walked",
        "custom",
    )

    def __init__(
        self,
        *,
        masked: frozenset[str] = frozenset(),
        unmasked: frozenset[str] = frozenset(),
        remote: frozenset[str] = frozenset(),
        contains_only: bool = False,
    ) -> None:
        self._masked = masked
        self._unmasked = unmasked
        self._remote = remote
        self._contains_only = contains_only
        self.custom: bool = bool(masked or remote)
        """Whether names beyond the built-in ones are masked."""
        self._fields: dict[str, int] = {}
        self._parameters: dict[str, int] = {}
        self._walked: tuple[dict[str, int], ...] = tuple({} for _ in Place)

    def judge_field(self, name: str) -> int:
        """Judge the name of a parameter of a URL or form: `judge` with a memory."""
        verdict = self._fields.get(name)
        if verdict is None:
            verdict = self.judge(name, Place.FORM)
            _remember(self._fields, name, verdict)
        return verdict

    def walked(self, place: Place) -> dict[str, int]:
        """Return what `remember` was told about `place`, for a look that costs no call."""
        return self._walked[place]

    def remember(self, key: str, place: Place, verdict: int) -> None:
        """Keep what the walk found out about a key whose own text holds no secret."""
        _remember(self._walked[place], key, verdict)

    def judge_name(self, name: str, *, query: bool) -> int:
        """Judge a name found in free text: a value rule, so `unmask_fields` does not reach it.

        Never cached: what stands before a colon in a text may itself be a secret.
        """
        segments = _segments(name)
        if not segments:
            return SAFE
        if _named(self._remote, name, segments[-1]) or _named(self._masked, name, segments[-1]):
            return MASK
        return _built_in(segments, Place.FORM if query else Place.PAYLOAD)

    def judge_parameter(self, name: str) -> int:
        """Judge the name of a parameter of a URL within a text; it is a key, and kept like one."""
        verdict = self._parameters.get(name)
        if verdict is None:
            verdict = self.judge_name(name, query=True)
            _remember(self._parameters, name, verdict)
        return verdict

    def judge(self, key: str, place: Place) -> int:
        """Return `SAFE`, `MASK` or `WALK`. Not cached: the key may turn out to be a secret itself."""
        if place is Place.NONE:
            return SAFE
        segments = _segments(key)
        last = segments[-1] if segments else ""
        if _named(self._remote, key, last):
            return MASK
        if normalise(key) in self._unmasked:
            return SAFE
        if segments and normalise(last) in self._unmasked:
            return MASK if any(map(_talks_of_secret, segments[:-1])) else SAFE
        if _named(self._masked, key, last):
            return MASK
        if not segments or (place is Place.LOG and key in LOG_FIELDS):
            return SAFE
        if self._contains_only:
            return MASK if any(map(_talks_of_secret, segments)) else SAFE
        return _built_in(segments, place)


def _remember(cache: dict[str, int], key: str, verdict: int) -> None:
    if len(key) <= _CACHED_KEY_LENGTH:
        if len(cache) >= _CACHED_KEYS:
            cache.clear()
        cache[key] = verdict


def _named(names: frozenset[str], key: str, last: str) -> bool:
    return bool(names) and not (
        names.isdisjoint(_variants(normalise(key))) and names.isdisjoint(_variants(normalise(last)))
    )


def _segments(key: str) -> list[str]:
    """Split `user[card][number]` and `a.b:c/d`; what has no letter (`[0]`) is no segment."""
    return [segment for segment in _SEGMENT.split(key) if _LETTER.search(segment)]


def _variants(normal: str) -> list[str]:
    """Return the key itself, and without trailing digits, each also without one trailing `s`."""
    bare = normal.rstrip(_DIGITS)
    variants = [normal] if bare == normal else [normal, bare]
    variants += [variant[:-1] for variant in variants if variant.endswith("s")]
    return [variant for variant in variants if variant]


def _built_in(segments: list[str], place: Place) -> int:
    if any(map(_talks_of_secret, segments[:-1])):
        return MASK
    last = segments[-1]
    normal = normalise(last)
    if normal in NOT_EXACT or _NOT_TOKEN.search(normal) or _first_word(last) in NOT_FIRST_WORDS:
        return SAFE
    variants = _variants(normal)
    if not EXACT.isdisjoint(variants):
        return MASK if WALKED.isdisjoint(variants) else WALK
    if _contains(normal) or _ends(variants, ENDS):
        return MASK
    if _last_word(last) in LAST_WORDS:
        return WALK
    if place is Place.FORM and (normal in FORM_EXACT or _ends(variants, FORM_ENDS)):
        return MASK
    if place is Place.HEADER and normal not in HEADER_NOT:
        return MASK if normal in HEADER_EXACT or _ends(variants, HEADER_ENDS) else SAFE
    return SAFE


def _talks_of_secret(segment: str) -> bool:
    return _first_word(segment) not in NOT_FIRST_WORDS and _contains(normalise(segment))


def _contains(normal: str) -> bool:
    """Whether one of the words is in the key and what follows the last of them is no harmless ending."""
    end = -1
    for word in CONTAINS:
        at = normal.rfind(word)
        while at >= 0 and word == "secret" and normal.startswith(NOT_SECRET, at):
            at = normal.rfind(word, 0, at)
        if at >= 0:
            end = max(end, at + len(word))
    return end >= 0 and normal[end:] not in NOT_REST


def _ends(variants: Iterable[str], endings: tuple[str, ...]) -> bool:
    return any(variant.endswith(endings) for variant in variants)


def _first_word(segment: str) -> str:
    found = _WORD.search(segment)
    return lower(found.group()) if found else ""


def _last_word(segment: str) -> str:
    """Return the last word without its digits and one plural `s`: `pan` for `userPANs2`, `user_pin_2`."""
    trimmed = segment.rstrip("0123456789-_ ")
    words: list[str] = _WORD.findall(trimmed)
    if not words:
        return ""
    word = lower(words[-1])
    return word[:-1] if word.endswith("s") and word[:-1] in LAST_WORDS else word
