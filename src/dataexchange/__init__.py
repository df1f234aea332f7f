"""A verifiable exchange for public data assets (公共数据资产交易).

Every step of an asset's life is an event that its actor signs; one log orders the events;
everything else is a view of that log that anyone can check offline.
"""

__version__ = "0.1.0"
