"""The demonstration: one real data asset, all the way, over HTTP, on a real database.

Time passes on the demonstration's own clock, so that a notice period of days takes no days.
"""

from dataexchange.demo.run import run

__all__ = ["run"]
