"""The kernel of a run: this very interpreter, and nothing of the user's own configuration."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bookkit import child

NAME = "python3"
# A page shows no progress bar, draws inline whatever the terminal's backend is, and hashes alike each time.
# A thread that waits sleeps: spinning, it would hold the core that another one needs to catch up.
ENVIRONMENT = {
    "FUNCSIM_PROGRESS": "off",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONHASHSEED": "0",
}


@contextmanager
def isolated_kernel(folder: Path) -> Iterator[None]:
    """Within this context `python3` is this interpreter, even where the user has another of that name."""
    spec = folder / "kernels" / NAME / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    launch = "ipykernel.kernelapp:launch_new_instance"
    argv = child.command(launch, "--log-level=CRITICAL", "-f", "{connection_file}")
    env = ENVIRONMENT | {"IPYTHONDIR": str(folder / "ipython")}
    spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python", "env": env}))
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(folder) + (os.pathsep + before if before else "")
    try:
        yield
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before
