"""Which keys hold secrets (MASKING.md section 1): the tables and the verdict on one key.

The Rust twin mirrors this module. Both work on ASCII classes only, so that no locale and no
Unicode version changes a verdict.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from ._names import (
    CONTAINS,
    ENDS,
    EXACT,
    FORM_ENDS,
    FORM_EXACT,
    HEADER_ENDS,
    HEADER_EXACT,
    HEADER_NOT,
    LAST_WORDS,
    LOG_FIELDS,
    NOT_EXACT,
    NOT_FIRST_WORDS,
    NOT_REST,
    NOT_SECRET,
    NOT_TOKEN,
    WALKED,
)
from ._spelling import (
    first_word,
    fold,
    last_word,
    lower,
    normalise,
    segments_of,
    variants_of,
    without_tail,
)

__all__ = [
    "CACHED_KEY_LENGTH",
    "CHANGED",
    "INPUT",
    "LOC",
    "MASK",
    "NAME",
    "SAFE",
    "TITLE",
    "VALUE",
    "WALK",
    "Keyring",
    "Place",
    "is_title",
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
"""`name`, `key`, `field`: what stands here may be the name of the sibling `value`."""
TITLE: Final = 128
"""`label` or `id`: it may be the name too, but speaks to people, so only a strong name counts."""
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


# --- the verdict --------------------------------------------------------------------------------

_CACHED_KEYS = 4096
CACHED_KEY_LENGTH: Final = 64
"""The verdict cache of one policy and place: at most about 0.5 MB, even if a client invents keys.
Keys only; a value never enters it."""


def role(key: str) -> int:
    """Return the role of a key whose neighbour decides, or that decides on its neighbour; else 0."""
    known = ROLES.get(key)
    if known is not None:
        return known
    if len(key) > _ROLE_LENGTH and (key.isascii() or len(key) > _ROLE_LENGTH_FOLDED):
        return 0
    return ROLES.get(normalise(key), 0)


ROLES: Final = {
    **dict.fromkeys(("name", "key", "field", "param", "header"), NAME),
    **dict.fromkeys(("label", "id"), TITLE),
    **dict.fromkeys(("value", "val", "default"), VALUE),
    "loc": LOC,
    "input": INPUT,
    "ctx": INPUT,
}
_ROLE_LENGTH = 8  # `default`, with a separator
_ROLE_LENGTH_FOLDED = 32  # the same, with invisible characters between the letters

# Names that people read in another sense: a chart's "Sessions", a test's "Pass", a menu's "Pin".
_COMMON: Final = frozenset({"token", "auth", "pin", "pass", "session"})


def is_title(text: str) -> bool:
    """Tell whether a `label` or `id` may name a secret: no word that people use in another sense."""
    return _COMMON.isdisjoint(variants_of(normalise(text)))


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

    @property
    def caches(self) -> tuple[dict[str, int], ...]:
        """What `walked` gives, by place."""
        return self._walked

    def remember(self, key: str, place: Place, verdict: int) -> None:
        """Keep what the walk found out about a key whose own text holds no secret."""
        _remember(self._walked[place], key, verdict)

    def judge_name(self, name: str, *, query: bool) -> int:
        """Judge a name found in free text: a value rule, so `unmask_fields` does not reach it.

        Never cached: what stands before a colon in a text may itself be a secret.
        """
        name = fold(name)
        segments = segments_of(name)
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
        written, key = key, fold(key)
        segments = segments_of(key)
        last = segments[-1] if segments else ""
        if _named(self._remote, key, last):
            return MASK
        if normalise(key) in self._unmasked:
            return SAFE
        if segments and normalise(last) in self._unmasked:
            return MASK if any(map(_talks_of_secret, segments[:-1])) else SAFE
        if _named(self._masked, key, last):
            return MASK
        if not segments or (place is Place.LOG and written in LOG_FIELDS):
            return SAFE
        if self._contains_only:
            return MASK if any(map(_talks_of_secret, segments)) else SAFE
        return _built_in(segments, place)

    def why(self, key: str, place: Place) -> str:
        """Return which table makes a key secret, in words, or nothing; it asks as `judge` does."""
        if self.judge(key, place) == SAFE:
            return ""
        segments = segments_of(fold(key))
        last = segments[-1] if segments else ""
        if _named(self._remote, fold(key), last):
            return "remote_masking_rules"
        if _named(self._masked, fold(key), last):
            return "mask_fields"
        for segment in segments:
            found = [word for word in CONTAINS if word in normalise(segment)]
            if found and _talks_of_secret(segment):
                return f"contains {found[0]}"
        normal = normalise(last)
        names = [form for form in (normal, without_tail(normal)) if _word(form) != SAFE]
        exact = [variant for form in names for variant in variants_of(form) if variant in EXACT]
        if exact:
            return f"is {exact[0]}"
        placed = {Place.FORM: FORM_ENDS, Place.HEADER: HEADER_ENDS}.get(place, ())
        endings = (*ENDS, *placed)
        found = [end for form in (names or [normal]) for end in endings if _ends(form, (end,))]
        return f"ends with {found[0]}" if found else f"is {normal}" if normal in _PLACED else "last word"


_PLACED: Final = FORM_EXACT | HEADER_EXACT


def _remember(cache: dict[str, int], key: str, verdict: int) -> None:
    if len(key) <= CACHED_KEY_LENGTH:
        if len(cache) >= _CACHED_KEYS:
            cache.clear()
        cache[key] = verdict


def _named(names: frozenset[str], key: str, last: str) -> bool:
    return bool(names) and not (
        names.isdisjoint(variants_of(normalise(key))) and names.isdisjoint(variants_of(normalise(last)))
    )


def _built_in(segments: list[str], place: Place) -> int:
    if any(map(_talks_of_secret, segments[:-1])):
        return MASK
    last = segments[-1]
    normal = normalise(last)
    if _opens_no_door(normal) or first_word(last) in NOT_FIRST_WORDS:
        return SAFE
    verdict = _word(normal) or _word(without_tail(normal))
    if verdict != SAFE or _contains(normal):
        return verdict or MASK
    if not LAST_WORDS.isdisjoint(variants_of(last_word(last))):
        return WALK
    if place is Place.FORM:
        return MASK if normal in FORM_EXACT or _ends(normal, FORM_ENDS) else SAFE
    if place is Place.HEADER and normal not in HEADER_NOT:
        return MASK if normal in HEADER_EXACT or _ends(normal, HEADER_ENDS) else SAFE
    return SAFE


def _word(normal: str) -> int:
    """Judge a key by the tables of whole names and of endings."""
    if _opens_no_door(normal):
        return SAFE
    variants = variants_of(normal)
    if not EXACT.isdisjoint(variants):
        return MASK if WALKED.isdisjoint(variants) else WALK
    return MASK if _ends(normal, ENDS) else SAFE


def _opens_no_door(normal: str) -> bool:
    """Tell whether it is a count, or a token of paging and the like."""
    return normal in NOT_EXACT or NOT_TOKEN.search(normal) is not None


def _talks_of_secret(segment: str) -> bool:
    return first_word(segment) not in NOT_FIRST_WORDS and _contains(normalise(segment))


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


def _ends(normal: str, endings: tuple[str, ...]) -> bool:
    return any(variant.endswith(endings) for variant in variants_of(normal))
