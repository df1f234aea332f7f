"""A witness (C2SP tlog-witness): it cosigns what a log signs as long as the log only ever grows.

Any log's, not only ours. `protocol` is the text that travels, `judgement` the checks, both pure;
`memory` remembers on disk, `witness` joins them, `service` is the HTTP door and `client` asks one.
"""

from dataexchange.witness.protocol import (
    AddCheckpoint,
    InconsistentError,
    MalformedRequestError,
    SizeConflictError,
    UnknownLogError,
    UntrustedCheckpointError,
    WitnessError,
)

__all__ = [
    "AddCheckpoint",
    "InconsistentError",
    "MalformedRequestError",
    "SizeConflictError",
    "UnknownLogError",
    "UntrustedCheckpointError",
    "WitnessError",
]
