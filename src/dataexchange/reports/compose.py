"""Write a report: from a dossier to the blocks of a paper, in one language.

The order is that of a Chinese appraisal report: the conclusion, the engagement, the asset, what is
assumed, why these methods, each method with its working, the reconciliation, what is disclosed,
who signs, and how to compute it again.

Source: 资产评估法 arts. 26, 27, 32; 中评协〔2023〕17号 ch. 6 (unverified).
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from dataexchange.reports import closing, opening
from dataexchange.reports.block import Block, Heading, Language, Paper
from dataexchange.reports.dossier import Dossier
from dataexchange.reports.html import to_html
from dataexchange.reports.method import method_blocks
from dataexchange.reports.pdf import to_pdf
from dataexchange.reports.words import numbered, of_pair, word

Form: TypeAlias = Literal["html", "pdf"]


def make_report(dossier: Dossier, *, language: Language, form: Form) -> bytes:
    """Return the report of `dossier` in one language and form."""
    paper = compose(dossier, language)
    return to_pdf(paper) if form == "pdf" else to_html(paper)


def compose(dossier: Dossier, language: Language) -> Paper:
    """Return the paper that `dossier` makes in `language`."""
    return Paper(
        language=language,
        title=word(dossier.kind, language),
        subtitle=opening.subtitle(dossier, language),
        mark=opening.mark(dossier, language),
        dated=dossier.dated,
        blocks=tuple(_numbered(dossier, language)),
    )


def _numbered(dossier: Dossier, language: Language) -> Iterator[Block]:
    """Yield the blocks, the sections that have any under a numbered heading."""
    place = 0
    for title, blocks in _sections(dossier, language):
        found = list(blocks)
        if found:
            place += 1
            yield Heading(numbered(place, title, language))
            yield from found


def _sections(dossier: Dossier, language: Language) -> Iterator[tuple[str, Iterator[Block]]]:
    yield word("conclusion", language), opening.conclusion(dossier, language)
    yield word("engagement", language), opening.engagement(dossier, language)
    yield word("subject", language), opening.subject(dossier, language)
    yield word("limits", language), opening.limits(dossier, language)
    yield word("choice", language), opening.choice(dossier, language)
    for part in dossier.parts:
        name = part.card.sheet.name
        yield of_pair((name.zh, name.en), language), method_blocks(part, language)
    yield word("reconciliation", language), closing.reconciliation(dossier, language)
    yield word("disclosures", language), closing.disclosures(dossier, language)
    yield word("signatures", language), closing.signatures(dossier, language)
    yield word("recomputation", language), closing.recomputation(dossier, language)
