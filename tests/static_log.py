"""A log of leaves whose public files lie in a folder and are served over HTTP, for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bundles import SIGNER
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.tile import grow_tiles


@dataclass
class StaticLog:
    """A growing log of leaves, and the folder with its checkpoint and tiles."""

    folder: Path
    leaves: list[bytes] = field(default_factory=list)

    def grow(self, count: int) -> bytes:
        """Append entries and publish; return the root."""
        start = len(self.leaves)
        self.leaves += [merkle.leaf_hash(b"entry %d" % i) for i in range(start, start + count)]
        return self.publish()

    def publish(self) -> bytes:
        """Write checkpoint and tiles; return the root."""
        for name, data in grow_tiles(0, self.leaves, lambda level, index, width: b""):
            self.write(name.path, data)
        root = merkle.root(self.leaves)
        checkpoint = Checkpoint(SIGNER.name, len(self.leaves), root)
        self.write("checkpoint", sign_checkpoint(checkpoint, SIGNER))
        return root

    def write(self, name: str, data: bytes) -> None:
        """Replace a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.draft")
        draft.write_bytes(data)
        draft.replace(path)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
        pass


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """Serve a folder's files on a free port; provide the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
