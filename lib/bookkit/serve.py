"""Show a built site on this machine only."""

import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bookkit.errors import BookError

HERE = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)


class _OnlyHere(SimpleHTTPRequestHandler):
    """Serves the files of a folder to this machine, and says nothing about each request."""

    def send_head(self):
        """Refuse what another site asks for through a name of its own, and links out of the folder."""
        if not HERE.fullmatch(self.headers.get("Host", "")):
            return self.send_error(403, "This server is for 127.0.0.1 and localhost")
        asked = Path(self.translate_path(self.path))
        for path in (asked, asked / "index.html"):
            if not path.resolve().is_relative_to(Path(self.directory).resolve()):
                return self.send_error(404)
        return super().send_head()

    def log_message(self, *args: object) -> None:
        """Keep silent."""


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of `folder` on the loopback interface; port 0 takes any free one."""
    if not (folder / "index.html").exists():
        raise BookError(f"{folder} holds no index.html; run `make book` first")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_OnlyHere, directory=str(folder)))
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
