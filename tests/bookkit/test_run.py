"""Running chapters: what stops a run and how it is reported, and what is reused."""

import json
import sys

import nbformat
import pytest

from bookkit.__main__ import main
from bookkit.chapters import tags
from bookkit.errors import BookError
from bookkit.executed import sidecar
from bookkit.run import run

FIGURE = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\n"


@pytest.fixture
def out(book):
    return book / "_build" / "src"


def executed(text: str) -> set[str]:
    """The chapters that a run says it executed."""
    return {line.split(":")[0] for line in text.splitlines() if ": executing" in line}


def outputs(path) -> str:
    """Everything that the cells of a notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for cell in cells if cell.cell_type == "code" for o in cell.outputs)


def test_profile_and_parameters_reach_the_cells(book, write, out):
    write("01-a", "# %%\nprint(profile, size)\n")
    (made,) = run(book, out, "smoke", {"size": 7})
    assert made == out / "notebooks" / "01-a.ipynb"
    assert outputs(made) == "smoke 7\n"
    injected = [c for c in nbformat.read(made, as_version=4).cells if "injected-parameters" in tags(c)]
    assert [cell.metadata.tags for cell in injected] == [["injected-parameters", "remove-cell"]]
    assert "papermill" not in made.read_text()
    record = json.loads(sidecar(made).read_text())
    assert record["profile"] == "smoke"
    assert record["parameters"] == {"profile": "smoke", "size": 7}
    assert record["seconds"] > 0
    own = [c["id"] for c in nbformat.read(made, as_version=4).cells if "injected-parameters" not in tags(c)]
    assert list(record["cells"]) == own


def test_what_a_check_prints_is_folded_with_the_solution(book, write, out):
    write(
        "01-a",
        '# %% tags=["solution", "hide-input"]\ndef two():\n    return 2\n\n\nprint("Right.")\n',
        '# %% tags=["hide-input"]\nprint("shown")\n',
    )
    (made,) = run(book, out)
    told = {c.source[:3]: tags(c) for c in nbformat.read(made, as_version=4).cells if tags(c)}
    assert told["def"] == ["solution", "hide-cell"]
    assert told["pri"] == ["hide-input"]


def test_cells_run_beside_the_chapter_in_this_interpreter(book, write, out, monkeypatch, tmp_path):
    spec = tmp_path / "user" / "kernels" / "python3" / "kernel.json"  # another kernel of the same name
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "P", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "user"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "user"))
    write(
        "01-a", "# %%\nimport os, sys\nprint(sys.executable, os.getcwd(), os.environ['FUNCSIM_PROGRESS'])\n"
    )
    (made,) = run(book, out)
    assert outputs(made).split() == [sys.executable, str(book / "notebooks"), "off"]


def test_failing_cell_is_named_and_never_reaches_the_site(book, write, out, capsys):
    write("01-a", "# %% [markdown]\n# Now it breaks.\n", "# %%\nx = 0\n1 / x\n")
    assert main(["--root", str(book), "run"]) == 1
    message = capsys.readouterr().err
    assert "01-a, cell 4 (`x = 0`): ZeroDivisionError: division by zero" in message
    assert "1 / x" in message
    assert (book / "_build" / "src" / "failed" / "01-a.ipynb").exists()
    assert not (out / "notebooks" / "01-a.ipynb").exists()


def test_a_chapter_that_begins_to_fail_loses_its_old_page(book, write, out):
    write("01-a", "# %%\nprint(1)\n")
    (made,) = run(book, out)
    write("01-a", "# %%\nraise ValueError('no')\n")
    with pytest.raises(BookError, match="ValueError: no"):
        run(book, out)
    assert not made.exists()


def test_dead_kernel_is_told(book, write, out):
    write("01-a", "# %%\nimport os\nos._exit(3)\n")
    with pytest.raises(BookError, match=r"01-a, cell 3 \(`import os`\): the kernel died"):
        run(book, out)


def test_unknown_parameter(book, write, out):
    write("01-a", "# %%\nprint(1)\n")
    with pytest.raises(
        BookError, match=r"01-a: unknown parameter 'colour'; the parameters are: profile, size"
    ):
        run(book, out, parameters={"colour": "red"})


def test_missing_parameters_cell(book, write, out):
    write("01-a", "# %% [markdown]\n# # A\n", "# %%\nprint(1)\n", header="")
    with pytest.raises(BookError, match=r"01-a: 0 cells are tagged `parameters`"):
        run(book, out)


def test_two_parameters_cells(book, write, out):
    write("01-a", '# %% tags=["parameters"]\nprofile = "x"\n')
    with pytest.raises(BookError, match=r"01-a: 2 cells are tagged `parameters`"):
        run(book, out)


def test_picture_without_alt_text(book, write, out):
    write("01-a", f"# %%\n{FIGURE}")
    with pytest.raises(BookError, match=r"01-a, cell 3 .* shows a picture without an alt text"):
        run(book, out)
    assert not (out / "notebooks" / "01-a.ipynb").exists()


def test_picture_with_alt_text(book, write, out):
    write("01-a", f'# %% mystnb={{"image": {{"alt": "A line that goes up"}}}}\n{FIGURE}')
    (made,) = run(book, out)
    assert "image/png" in made.read_text()


def test_stderr_is_an_error_unless_it_is_meant(book, write, out):
    noise = "import sys\nprint('careful', file=sys.stderr)\n"
    write("01-a", f"# %%\n{noise}")
    with pytest.raises(BookError, match=r"01-a, cell 3 .* wrote to stderr: careful"):
        run(book, out)
    write("01-a", f'# %% tags=["allow-stderr"]\n{noise}')
    assert run(book, out)


def test_missing_data_folder(book, write, out):
    write("01-a", header=HEADER_WITH_DATA)
    with pytest.raises(BookError, match=r"declares data 'model-0', but there is no folder data/model-0"):
        run(book, out)


HEADER_WITH_DATA = """\
# ---
# jupyter:
#   bookkit:
#     data: [model-0]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
profile = "laptop"
"""


class TestReuse:
    """Two chapters, the first of which declares data."""

    @pytest.fixture(autouse=True)
    def chapters(self, book, write, out, capsys):
        (book / "data" / "model-0").mkdir()
        (book / "data" / "model-0" / "x.txt").write_text("1")
        (book / "data" / "other").mkdir()
        self.sources = [
            write("01-a", "# %%\nprint(open('../data/model-0/x.txt').read())\n", header=HEADER_WITH_DATA),
            write("02-b", "# %%\nimport sys\n\nsys.path.insert(0, '../lib')\nimport tool\n\nprint(2)\n"),
        ]
        self.book, self.out, self.capsys = book, out, capsys
        self.made = run(book, out)
        assert executed(capsys.readouterr().out) == {"01-a", "02-b"}

    def again(self, **how) -> set[str]:
        run(self.book, self.out, **how)
        return executed(self.capsys.readouterr().out)

    def test_nothing_changed(self):
        assert self.again() == set()
        run(self.book, self.out)
        assert "0 executed, 2 reused" in self.capsys.readouterr().out

    def test_one_changed_chapter_runs_alone(self):
        self.sources[1].write_text(self.sources[1].read_text() + "print(3)\n")
        assert self.again() == {"02-b"}
        assert outputs(self.made[1]) == "2\n3\n"

    def test_a_changed_module_runs_what_imports_it(self):
        (self.book / "lib" / "tool.py").write_text("ANSWER = 43\n")
        (self.book / "lib" / "other.py").write_text("ANSWER = 43\n")
        assert self.again() == {"02-b"}

    def test_changed_versions_run_all(self):
        (self.book / "constraints.txt").write_text("numpy==2.1\n")
        assert self.again() == {"01-a", "02-b"}

    def test_changed_data_run_what_declares_them(self):
        (self.book / "data" / "model-0" / "x.txt").write_text("2")
        (self.book / "data" / "other" / "y.txt").write_text("nobody reads this")
        assert self.again() == {"01-a"}
        assert outputs(self.made[0]) == "2\n"

    def test_other_profile_runs_all(self):
        assert self.again(profile="smoke") == {"01-a", "02-b"}

    def test_compiled_files_do_not_count(self):
        (self.book / "lib" / "__pycache__").mkdir()
        (self.book / "lib" / "__pycache__" / "tool.pyc").write_text("x")
        assert self.again() == set()

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"key": 1}'])
    def test_damaged_record_is_not_trusted(self, damage):
        sidecar(self.made[0]).write_text(damage)
        assert self.again() == {"01-a"}

    def test_notebook_that_is_not_the_one_written_is_not_trusted(self):
        self.made[1].write_text(self.made[1].read_text()[:-200])
        assert self.again() == {"02-b"}

    def test_only_one(self):
        self.sources[0].write_text(self.sources[0].read_text() + "print(3)\n")
        self.sources[1].write_text(self.sources[1].read_text() + "print(3)\n")
        assert self.again(only="b") == {"02-b"}
        assert all(path.exists() for path in self.made)
        with pytest.raises(BookError, match=r"no chapter 'c'; there are: 01-a, 02-b"):
            run(self.book, self.out, only="c")

    def test_chapter_that_is_gone_leaves_no_page(self):
        self.sources[1].unlink()
        assert self.again() == set()
        assert [path.exists() for path in self.made] == [True, False]

    def test_failure_keeps_what_was_finished(self):
        (self.book / "lib" / "tool.py").write_text("ANSWER = 44\n")
        self.sources[1].write_text(self.sources[1].read_text() + "1 / 0\n")
        with pytest.raises(BookError, match="02-b, cell 3"):
            run(self.book, self.out)
        self.capsys.readouterr()
        self.sources[1].write_text(self.sources[1].read_text().replace("1 / 0", "pass"))
        assert self.again() == {"02-b"}
