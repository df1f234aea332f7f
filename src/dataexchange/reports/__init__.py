"""Reports 评估报告: a dossier written out in Chinese or English, as HTML or PDF.

    from dataexchange.reports import dossier_of, make_report

    make_report(dossier_of(card, document), language="zh", form="pdf")

Made from bytes alone: the same card, document and reference give the same report, byte for byte.
Needs the extra `reports` for PDF and QR codes.
"""

from dataexchange.reports.block import Language, Paper
from dataexchange.reports.compose import Form, compose, make_report
from dataexchange.reports.dossier import Dossier, Reference, dossier_of, dossier_of_record
from dataexchange.reports.filed import Filed, filed_report
from dataexchange.reports.font import NoChineseFontError
from dataexchange.reports.html import to_html
from dataexchange.reports.pdf import to_pdf
from dataexchange.reports.qr import ReportsExtraError
from dataexchange.reports.record import NoSuchValuationError, Record, read_record

__all__ = [
    "Dossier",
    "Filed",
    "Form",
    "Language",
    "NoChineseFontError",
    "NoSuchValuationError",
    "Paper",
    "Record",
    "Reference",
    "ReportsExtraError",
    "compose",
    "dossier_of",
    "dossier_of_record",
    "filed_report",
    "make_report",
    "read_record",
    "to_html",
    "to_pdf",
]
