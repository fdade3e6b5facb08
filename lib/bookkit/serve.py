"""Show a built site on this machine only."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bookkit.errors import BookError


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing about each request."""

    def log_message(self, *args: object) -> None:
        """Keep silent."""


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of `folder` on the loopback interface; port 0 takes any free one."""
    if not (folder / "index.html").exists():
        raise BookError(f"{folder} holds no index.html; run `make book` first")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))
    except OSError as error:
        raise BookError(
            f"port {port} cannot be used ({error.strerror}); choose another: make serve PORT=8001"
        ) from None


def serve(folder: Path, port: int) -> None:
    """Serve until Ctrl-C."""
    with make_server(folder, port) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}  (Ctrl-C stops)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
