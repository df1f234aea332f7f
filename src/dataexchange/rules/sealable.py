"""What may be sealed: names with one meaning everywhere, of which each event type allows some.

A sealed name stands beside the payload, or in place of an optional field of it; no rule reads what
it seals. So only what no rule needs can be sealed: names and numbers of persons, free text, terms
beyond those that the ledger enforces, ways of access, bank accounts.
"""

from collections.abc import Collection, Mapping
from typing import Final

from dataexchange.rules.payload import Payload
from dataexchange.rules.refusal import NOT_SEALABLE, SEALED_AND_PLAIN

SEALABLE: Final[Mapping[str, tuple[str, str]]] = {
    "access": ("访问方式", "where and with which credentials data is fetched"),
    "account": ("银行账户", "a bank account"),
    "contact": ("联系方式", "how somebody is reached"),
    "credit_code": ("信用代码", "a natural person's own code, where it has one"),
    "details": ("详情", "free text that explains"),
    "document": ("文书", "the text of what was agreed to"),
    "identity_number": ("证件号码", "the number of an identity document"),
    "name": ("姓名", "a natural person's name"),
    "person": ("个人", "whom it concerns: name, number, whatever identifies"),
    "terms": ("保密条款", "terms beyond those that the ledger enforces"),
}


def declared(names: Collection[str], payload: type[Payload], event: str) -> tuple[str, ...]:
    """Return `names` sorted, for an event type; a name must be known and no required field."""
    for name in names:
        field = payload.model_fields.get(name)
        if name not in SEALABLE or (field is not None and field.is_required()):
            raise TypeError(f"{event} cannot take {name} sealed")
    return tuple(sorted(names))


def require_sealable(
    event: str, sealable: Collection[str], sealed: Collection[str], payload: Payload
) -> None:
    """Refuse names that the event type does not take sealed, or that are given plain as well."""
    for field in sealed:
        if field not in sealable:
            raise NOT_SEALABLE(event=event, field=field[:80], sealable=", ".join(sealable) or "—")
        if getattr(payload, field, None) is not None:
            raise SEALED_AND_PLAIN(field=field)
