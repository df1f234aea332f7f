"""The report that was filed with a draft, made again from what the log and its contents say."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import get_args

from dataexchange.reports.block import Language
from dataexchange.reports.compose import Form, make_report
from dataexchange.reports.dossier import Dossier, Reference, dossier_of, whole_report
from dataexchange.reports.record import Record


@dataclass(frozen=True, slots=True)
class Filed:
    """A report whose hash is the one on the log, and how it was written."""

    content: bytes
    language: Language
    form: Form


def filed_report(record: Record, *, proof_url: str | None = None) -> Filed | None:
    """Return the report that `record` names by hash; `None` where it cannot be made again.

    It can where one disclosed document gave all figures, and it was written by this version.
    """
    wanted = record.draft.report_sha256
    for dossier, language, form in _candidates(record, proof_url):
        content = make_report(dossier, language=language, form=form)
        if hashlib.sha256(content).hexdigest() == wanted:
            return Filed(content, language, form)
    return None


def _candidates(record: Record, proof_url: str | None) -> Iterator[tuple[Dossier, Language, Form]]:
    known = (Reference(record.valuation.id, proof_url), Reference(record.valuation.id), Reference())
    for reference in dict.fromkeys(known):
        dossier = _as_filed(record, reference)
        if dossier is not None:
            for form, language in product(get_args(Form), get_args(Language)):
                yield dossier, language, form


def _as_filed(record: Record, reference: Reference) -> Dossier | None:
    whole = whole_report(record, reference)
    if whole is not None or len(record.draft.methods) > 1:
        return whole
    (used,) = record.draft.methods
    if not record.disclosed(used):
        return None
    card, document = record.contents[used.card_sha256], record.contents[used.inputs_sha256]
    return dossier_of(card, document, reference=reference)
