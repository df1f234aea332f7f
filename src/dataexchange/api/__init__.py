"""The HTTP door: one write door for signed events, typed reads, proofs. `create_app` makes it."""

from dataexchange.api.app import create_app

__all__ = ["create_app"]
