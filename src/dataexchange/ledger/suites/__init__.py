"""The signature suites of actors' keys: one registry, one strict predicate each.

A suite says what its public keys are, which signatures are theirs, and how a secret signs. Whatever
handles a signature asks here, by the suite that the key id names (`docs/ledger-format.md`, keys
and suites). All public signatures are 64 bytes, all secrets 32.
"""

from dataexchange.ledger.suites import ed25519, secp256k1, sm2
from dataexchange.ledger.suites.suite import Secret, Suite, SuiteName

SUITES: dict[SuiteName, Suite] = {
    suite.name: suite for suite in (ed25519.SUITE, secp256k1.SUITE, sm2.SUITE)
}

__all__ = ["SUITES", "Secret", "Suite", "SuiteName"]
