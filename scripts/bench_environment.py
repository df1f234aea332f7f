"""Virtual environments of their own for what the benchmarks compare with: no dependency of ours."""

import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path


def environment(folder: Path, pins: Sequence[str]) -> Path | str:
    """Return the Python of an environment with exactly `pins`, or why there is none.

    It is made on first use and kept in `folder`, under the list of what is in it.
    """
    python, stamp = folder / "bin" / "python", folder / "pins.txt"
    wanted = "\n".join(pins)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    venv.create(folder, with_pip=True, clear=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *pins]
    if subprocess.run(install, capture_output=True, check=False).returncode != 0:
        return f"{' '.join(pins)} could not be installed"
    stamp.write_text(wanted)
    return python
