"""What events carry: frozen, strict, without floats."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_DECIMAL = r"^-?(0|[1-9]\d{0,17})(\.\d{1,18})?$"


class Payload(BaseModel):
    """Base of event payloads and of the values inside them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_enum_values=False)


def _require_utc(text: str) -> str:
    from dataexchange.ledger.statement import parse_time

    parse_time(text)
    return text


Fen = Annotated[int, Field(ge=0, le=2**53 - 1, description="Money in 分 (1/100 元)")]
PositiveFen = Annotated[int, Field(gt=0, le=2**53 - 1, description="Money in 分, more than zero")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
PositiveCount = Annotated[int, Field(gt=0, le=2**53 - 1)]
Days = Annotated[int, Field(gt=0, le=36_500, description="Calendar days")]
Number = Annotated[str, Field(pattern=_DECIMAL, max_length=40, description="A decimal string")]
Ratio = Annotated[
    str, Field(pattern=r"^(0(\.\d{1,18})?|1(\.0{1,18})?)$", description="A decimal in [0, 1]")
]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hex")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=4_000)]
Vkey = Annotated[
    str,
    Field(min_length=1, max_length=2_400, description="A key of checkpoints, as C2SP vkey"),
]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$")]
Moment = Annotated[
    str,
    Field(description="RFC 3339 UTC with microseconds", examples=["2026-11-24T08:00:00.000000Z"]),
    AfterValidator(_require_utc),
]
Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class Text(Payload):
    """A text in Chinese, and in English where there is one."""

    zh: Line
    en: Line | None = None


def decimal(text: str) -> Decimal:
    """Return the exact value of a `Number` or `Ratio`."""
    return Decimal(text)


def is_slug(text: str) -> bool:
    """Tell whether `text` is a lower-case slug."""
    return re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", text) is not None
