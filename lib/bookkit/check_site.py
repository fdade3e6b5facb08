"""The rules that every built page keeps; each broken one is a line that says where."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bookkit.errors import BookError, report
from bookkit.pages import Page, read_page, urls_in_css

PAGE_BUDGET = 3_000_000  # bytes of a page and its pictures, without what all pages share
PICTURE_ENDINGS = (".png", ".svg", ".jpg", ".jpeg", ".gif")
# Made by the theme and not by us: they carry no heading or title of their own.
WITHOUT_HEADING = {"search.html", "genindex.html"}


def check_site(folder: Path, budget: int = PAGE_BUDGET) -> None:
    """Fail with one line for each rule that a page of the site breaks."""
    pages = {path: read_page(path) for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts}
    if not pages:
        raise BookError(f"{folder} holds no page; run `make book` first")
    findings = []
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        problems = [*_frame(name, page), *_errors(page), *_pictures(page), *_remote(page)]
        problems += [*_dead(folder, page, pages), *_weight(page, budget)]
        findings += [f"{name}: {finding}" for finding in problems]
    findings += _remote_in_styles(folder)
    report(findings, f"{len(pages)} pages of {folder}")


def _frame(name: str, page: Page) -> Iterator[str]:
    if page.is_forward:
        return
    if not page.language:
        yield "the html element has no lang"
    if not page.title:
        yield "has no title"
    if name not in WITHOUT_HEADING and page.headings != 1:
        yield f"has {page.headings} top headings (h1), there must be one"


def _errors(page: Page) -> Iterator[str]:
    for text in page.errors:
        yield f"shows an error output: {text}"


def _pictures(page: Page) -> Iterator[str]:
    for source, alt in page.pictures:
        if alt is None or not alt.strip():
            yield f"picture without an alt text: {source}"
        elif alt.strip().lower().endswith(PICTURE_ENDINGS) or alt.startswith(("../", "data:")):
            yield f"picture whose alt text is a file name: {alt}"


def _remote(page: Page) -> Iterator[str]:
    for url in page.loads:
        if is_remote(url):
            yield f"loads a remote file: {url}"


def _remote_in_styles(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.css")):
        for url in urls_in_css(path.read_text(encoding="utf-8", errors="replace")):
            if is_remote(url):
                yield f"{path.relative_to(folder).as_posix()}: loads a remote file: {url}"


def _dead(folder: Path, page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    for url in dict.fromkeys([*page.links, *page.loads]):
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        target = _target(folder, page.path, unquote(parts.path))
        if not target.is_file():
            yield f"dead link: {url}"
        elif parts.fragment and target in pages and url in page.links:
            anchors = pages[target].anchors
            if parts.fragment not in anchors and unquote(parts.fragment) not in anchors:
                yield f"dead anchor: {url}"


def _weight(page: Page, budget: int) -> Iterator[str]:
    pictures = {page.path.parent / unquote(urlsplit(src).path) for src, _ in page.pictures if ":" not in src}
    weight = _size(page.path) + sum(_size(path) for path in pictures)
    if weight > budget:
        yield f"weighs {weight / 1e6:.1f} MB with its pictures, the budget is {budget / 1e6:.1f} MB"


def is_remote(url: str) -> bool:
    """Whether loading this address leaves the site."""
    return urlsplit(url.strip()).netloc != ""


def _target(folder: Path, page: Path, path: str) -> Path:
    if not path:
        return page
    target = folder / path.lstrip("/") if path.startswith("/") else page.parent / path
    target = Path(_normal(str(target)))
    return target / "index.html" if target.is_dir() else target


@cache
def _normal(path: str) -> str:
    return str(Path(path).resolve())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
