"""Showing the site on this machine."""

import threading
import urllib.request

import pytest

from bookkit.errors import BookError
from bookkit.serve import make_server


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "index.html").write_text("hello")
    return tmp_path


def test_serves_on_loopback_only(folder):
    with make_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        assert host == "127.0.0.1"
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/").read() == b"hello"
        server.shutdown()


def test_taken_port_is_told(folder):
    with make_server(folder, 0) as server:
        port = server.server_address[1]
        with pytest.raises(BookError, match=rf"port {port} cannot be used .*make serve PORT="):
            make_server(folder, port)


def test_no_site(tmp_path):
    with pytest.raises(BookError, match="run `make book` first"):
        make_server(tmp_path / "html", 0)
