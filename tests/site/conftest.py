"""The built site, and a browser that may only talk to it.

`BOOK_SITE` names a site that is already built. Without it every chapter is run at profile `smoke`
and built below `_build/smoke`, where what did not change is reused.
"""

import os
import shutil
import threading
from pathlib import Path

import pytest

from bookkit.build import build
from bookkit.run import run
from bookkit.serve import make_server
from bookkit.vendor import vendor

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def site() -> Path:
    if "BOOK_SITE" in os.environ:
        return (ROOT / os.environ["BOOK_SITE"]).resolve()
    vendor(ROOT)
    out = ROOT / "_build" / "smoke" / "src"
    run(ROOT, out, "smoke")
    return build(ROOT, out)


@pytest.fixture(scope="session")
def address(site):
    server = make_server(site, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on the path (on Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


class Visit:
    """One page in the browser, with everything that went wrong while it was open."""

    def __init__(self, browser, address, **how):
        self.blocked, self.console, self.page_errors = [], [], []
        self.address = address
        self.context = browser.new_context(**how)
        self.page = self.context.new_page()
        self.page.route("**/*", self._only_local)
        self.page.on("console", lambda message: message.type == "error" and self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))

    def _only_local(self, route):
        url = route.request.url
        if url.startswith((self.address + "/", "data:", "blob:")):
            route.continue_()
        else:
            self.blocked.append(url)
            route.abort()

    def open(self, name):
        """Open a page and wait until its mathematics is set."""
        self.page.goto(f"{self.address}/{name}", wait_until="load")
        self.page.evaluate(
            "async () => { if (window.MathJax && MathJax.startup) await MathJax.startup.promise;"
            " await new Promise(done => setTimeout(done, 150)); }"
        )
        return self.page


@pytest.fixture
def visit(browser, address):
    """Make visits with settings of their own, such as a width or a colour scheme."""
    made = []

    def make(**how):
        made.append(Visit(browser, address, **how))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def pytest_generate_tests(metafunc):
    """One test for each page of the table of contents."""
    if "page_name" in metafunc.fixturenames:
        from bookkit.stage import toc_files

        metafunc.parametrize("page_name", [f"{name}.html" for name in toc_files(ROOT)])
