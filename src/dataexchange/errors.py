"""The tree of errors. It knows nothing of HTTP, databases or chains.

    DataExchangeError
    ├── RefusedError        what a caller sent cannot be accepted; carries a declared `RefusalCode`
    ├── UnavailableError    the exchange cannot answer now; the caller may try again
    └── IntegrityError      something that was stored or shown does not hold together

Rooms add their own leaves (`ProofError`, `NoteError`, …) below these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

RefusalKind: TypeAlias = Literal[
    "malformed", "unauthenticated", "forbidden", "missing", "conflict", "rule", "busy"
]


class DataExchangeError(Exception):
    """Base of every error that this package raises on purpose."""


class UnavailableError(DataExchangeError):
    """The exchange cannot answer now; nothing was changed that the caller was told of."""


class IntegrityError(DataExchangeError):
    """What was stored or shown does not hold together."""


class RefusedError(DataExchangeError):
    """A refusal: its declared code, and the facts of this case that fill the code's texts."""

    def __init__(self, refusal: "RefusalCode", facts: Mapping[str, object]) -> None:
        self.refusal = refusal
        self.facts = dict(facts)
        super().__init__(self.en)

    @property
    def code(self) -> str:
        """The stable code, e.g. `pledge.ltv_exceeded`."""
        return self.refusal.code

    @property
    def zh(self) -> str:
        """What is wrong, in Chinese, with the facts of this case."""
        return self.refusal.zh.format_map(_Facts(self.facts))

    @property
    def en(self) -> str:
        """What is wrong, in English, with the facts of this case."""
        return self.refusal.en.format_map(_Facts(self.facts))

    @property
    def remedy_zh(self) -> str:
        """What would help, in Chinese; empty where nothing would."""
        return self.refusal.remedy_zh.format_map(_Facts(self.facts))

    @property
    def remedy_en(self) -> str:
        """What would help, in English; empty where nothing would."""
        return self.refusal.remedy_en.format_map(_Facts(self.facts))

    def __reduce__(self) -> tuple[type["RefusedError"], tuple["RefusalCode", dict[str, object]]]:
        return (RefusedError, (self.refusal, self.facts))


@dataclass(frozen=True, slots=True)
class RefusalCode:
    """One reason to refuse, declared once, next to the rule that uses it.

    `clause` names the norm the reason rests on. The texts may hold `{fact}` fields, filled by
    the keyword arguments of the call that makes the error:

        LTV_EXCEEDED = RefusalCode("pledge.ltv_exceeded", clause="…", zh="…{ceiling_fen}…", en="…")
        raise LTV_EXCEEDED(ceiling_fen=500_000)
    """

    code: str
    clause: str
    zh: str
    en: str
    remedy_zh: str = ""
    remedy_en: str = ""
    kind: RefusalKind = field(default="rule")

    def __call__(self, **facts: object) -> RefusedError:
        """Return the error to raise, with the facts of this case."""
        return RefusedError(self, facts)


class _Facts(dict[str, object]):
    """Facts for a text: a field without a fact shows its own name, so that no text ever fails."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
