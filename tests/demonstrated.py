"""The demonstration's bundle as a verifier gets it, with the key that its log is signed by."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from bundles import Members, checkpoint
from dataexchange.demo.forgery import entries_of
from dataexchange.demo.stage import ORIGIN
from dataexchange.exchange.log_key import load
from dataexchange.ledger.note import Ed25519Signer


@dataclass(frozen=True)
class Demonstrated:
    """An honest bundle, its entries, the key of its log, and a policy that believes it."""

    path: Path
    bodies: list[bytes]
    signer: Ed25519Signer
    policy: bytes

    @classmethod
    def of(cls, output: Path) -> "Demonstrated":
        """Return what the demonstration left in its `output` folder."""
        path, signer = output / "bundle.zip", load(output / "exchange" / "log.key", ORIGIN)
        return cls(path, entries_of(path), signer, (output / "policy").read_bytes())

    @property
    def members(self) -> Members:
        """The members of the bundle."""
        with zipfile.ZipFile(self.path) as archive:
            return Members({name: archive.read(name) for name in archive.namelist()})

    @property
    def known(self) -> bytes:
        """The checkpoint of the whole log."""
        return checkpoint(self.bodies, self.signer)
