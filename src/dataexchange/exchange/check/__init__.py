"""Check a database against its own log: every table, row and column, whoever changed it."""

from dataexchange.exchange.check.check import Checked, check
from dataexchange.exchange.check.fault import Fault, Findings

__all__ = ["Checked", "Fault", "Findings", "check"]
