"""Showing the site on this machine."""

import http.client
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


@pytest.fixture
def get(folder):
    """Ask for a path under a Host header; returns the status and the body."""
    with make_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def get(path="/", host=None):
            connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
            connection.putrequest("GET", path, skip_host=True)
            if host is None or host:
                connection.putheader("Host", host or f"127.0.0.1:{server.server_address[1]}")
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read()

        yield get
        server.shutdown()


@pytest.mark.parametrize("host", [None, "localhost", "LOCALHOST:8000", "127.0.0.1"])
def test_this_machine_is_served(get, host):
    assert get(host=host) == (200, b"hello")


@pytest.mark.parametrize("host", ["", "example.org", "localhost.example.org", "a.org:80", "[", "a@localhost"])
def test_another_name_for_this_machine_is_refused(get, host):
    status, body = get(host=host)
    assert status == 403
    assert b"hello" not in body


def test_a_link_out_of_the_folder_is_not_followed(folder, get, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    (outside / "index.html").write_text("secret")
    (folder / "file.txt").symlink_to(outside / "secret.txt")
    (folder / "inside.html").symlink_to(folder / "index.html")
    (folder / "folder").symlink_to(outside)
    (folder / "sub").mkdir()
    (folder / "sub" / "index.html").symlink_to(outside / "index.html")
    for path in ("/file.txt", "/folder/secret.txt", "/folder/", "/folder", "/sub/", "//folder/", "/nothing"):
        status, body = get(path)
        assert status == 404, path
        assert b"secret" not in body, path
    assert get("/inside.html") == (200, b"hello")


def test_taken_port_is_told(folder):
    with make_server(folder, 0) as server:
        port = server.server_address[1]
        with pytest.raises(BookError, match=rf"port {port} cannot be used .*make serve PORT="):
            make_server(folder, port)


def test_no_site(tmp_path):
    with pytest.raises(BookError, match="run `make book` first"):
        make_server(tmp_path / "html", 0)
