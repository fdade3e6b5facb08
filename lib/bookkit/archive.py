"""What a release hands out: the site, the executed chapters and the benchmark as zip files, with checksums.

The same files give the same archives, byte for byte, whenever they are packed.
"""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from bookkit.downloads import written
from bookkit.errors import BookError
from bookkit.executed import read_record
from bookkit.files import files_below, sha256, write_atomically

#: The earliest time that a zip file can tell.
EPOCH = (1980, 1, 1, 0, 0, 0)
SITE, CHAPTERS, SUMS = "book-html.zip", "notebooks.zip", "SHA256SUMS"
#: The layers of all networks whose boundaries are known, and the scores of all entrants.
BENCHMARK, BENCHMARK_DATA = "known-boundaries.zip", ("known", "boundaries")


def archive(root: Path, out: Path) -> list[Path]:
    """Pack ``_build/html``, the executed chapters and the benchmark into `out`; which files were written.

    Of the benchmark all that is in ``data/`` is packed, such as further seeds that were trained here.

    Raises
    ------
    BookError
        If the book was not built.
    """
    site, executed = root / "_build" / "html", root / "_build" / "src" / "notebooks"
    chapters = sorted(executed.glob("*.ipynb"))
    if not (site / "index.html").exists() or not chapters:
        raise BookError("there is no built book to pack; run `make book`")
    for path in chapters:
        read_record(path)
    out.mkdir(parents=True, exist_ok=True)
    _pack(out / SITE, ((path.relative_to(site).as_posix(), path.read_bytes()) for path in files_below(site)))
    _pack(out / CHAPTERS, ((path.name, written(path, root).encode()) for path in chapters))
    packed = [out / SITE, out / CHAPTERS]
    data = root / "data"
    stored = [path for name in BENCHMARK_DATA if (data / name).is_dir() for path in files_below(data / name)]
    if stored:
        _pack(out / BENCHMARK, ((p.relative_to(root).as_posix(), p.read_bytes()) for p in stored))
        packed.append(out / BENCHMARK)
    write_atomically(out / SUMS, "".join(f"{sha256(path)}  {path.name}\n" for path in packed))
    for path in packed:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return [*packed, out / SUMS]


def _pack(target: Path, files: Iterable[tuple[str, bytes]]) -> None:
    part = target.with_name(f".{target.name}")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content, zipfile.ZIP_DEFLATED)
    part.replace(target)
