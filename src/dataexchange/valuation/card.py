"""The rulebook card (规则卡): a valuation rule as dated, cited, hashed data.

A card is published by the SHA-256 of its bytes, never edited, only superseded. Its form is
`valuation/card.schema.json`, generated from `Sheet`.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from dataexchange.valuation.document import read_document
from dataexchange.valuation.method import Parameters
from dataexchange.valuation.quantity import Hash, Quantity
from dataexchange.valuation.refusal import CARD_INVALID

FORMAT = "dataexchange.card/1"

Line: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Stem: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Code: TypeAlias = Annotated[str, StringConstraints(pattern=r"^valuation\.[a-z][a-z0-9_]*$")]
Version: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bilingual(_Part):
    """One text in Chinese and English."""

    zh: Line
    en: Line


class Basis(_Part):
    """A norm that the rule rests on, and whether its original was read.

    `read`: in the original; `quoted`: in a published source that quotes it; `unverified`: from
    knowledge, the original could not be had; `design`: our own choice, no norm found.
    """

    norm: Line
    clause: Line
    status: Literal["read", "quoted", "unverified", "design"]
    note: Bilingual | None = None


class Formula(_Part):
    """The rule in words and in symbols."""

    words: Bilingual
    symbols: Line


class Range(_Part):
    """What an input may be; `above`/`below` exclude the bound, `text` describes a non-number."""

    min: Quantity | None = None
    max: Quantity | None = None
    above: Quantity | None = None
    below: Quantity | None = None
    warn_above: Quantity | None = None
    warn_below: Quantity | None = None
    choices: tuple[Line, ...] | None = None
    text: Line | None = None


class CardInput(_Part):
    """One input: its path in the input document (`costs[].amount`), unit, range and source."""

    name: Line
    symbol: Line | None = None
    label: Bilingual
    unit: Line
    range: Range
    required: bool
    source: Literal["required", "none"]


class Parameter(_Part):
    """A coefficient that the card sets, and where it was taken from."""

    value: Quantity | tuple[Quantity, ...]
    unit: Line
    source: Line


class CardOutput(_Part):
    """One figure that the card gives."""

    name: Stem
    label: Bilingual
    unit: Line


class Rounding(_Part):
    """Where figures are rounded."""

    inside: Literal["none"]
    money: Line
    ratio: Line


class CardRefusal(_Part):
    """One reason to refuse, with the clause that this card rests it on."""

    code: Code
    clause: Line
    zh: Line
    en: Line


class Case(_Part):
    """A worked case: inputs, and the figures or the refusal that must come out."""

    name: Line
    source: Line
    inputs: dict[str, Any]
    engagement: dict[str, Any] | None = None
    expect: dict[str, Any] | None = None
    refused: Code | None = None
    warned: tuple[Code, ...] = ()


class Sheet(_Part):
    """Everything that is written on a card."""

    format: Literal["dataexchange.card/1"]
    method: Stem
    version: Version
    supersedes: Hash | None
    jurisdiction: Bilingual | None = None
    name: Bilingual
    basis: Annotated[tuple[Basis, ...], Field(min_length=1)]
    formula: Formula
    inputs: Annotated[tuple[CardInput, ...], Field(min_length=1)]
    parameters: dict[Stem, Parameter] = Field(default_factory=dict)
    outputs: Annotated[tuple[CardOutput, ...], Field(min_length=1)]
    rounding: Rounding
    refusals: tuple[CardRefusal, ...]
    disclosures: tuple[Bilingual, ...]
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was read: what it says and the hash of the bytes that say it."""

    sheet: Sheet
    sha256: str

    @property
    def parameters(self) -> Parameters:
        """The card's coefficients by name."""
        return {name: parameter.value for name, parameter in self.sheet.parameters.items()}

    def clause(self, code: str) -> str | None:
        """Return the clause that this card rests `code` on, if it says."""
        clauses = {refusal.code: refusal.clause for refusal in self.sheet.refusals}
        return clauses.get(code)


def load_card(content: bytes) -> Card:
    """Return the card in `content` (YAML); raises `valuation.card_invalid`."""
    try:
        sheet = Sheet.model_validate(read_document(content))
    except ValidationError as error:
        raise CARD_INVALID(why=_explain(error)) from error
    return Card(sheet, hashlib.sha256(content).hexdigest())


def card_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a card, for `valuation/card.schema.json`."""
    schema = Sheet.model_json_schema()
    title = {
        "title": "Rulebook card 规则卡",
        "$comment": "generated from dataexchange.valuation.card",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, **title}


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
