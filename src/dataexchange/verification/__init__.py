"""Offline verification: replays a bundle's bytes, signatures, proofs and rules."""

from dataexchange.verification.verdict import UnsoundError, UnusableError, Verdict
from dataexchange.verification.verify import verify_bundle

__all__ = ["UnsoundError", "UnusableError", "Verdict", "verify_bundle"]
