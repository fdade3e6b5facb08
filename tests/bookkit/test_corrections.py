"""Links for corrections: at each heading, escaped, and only where there is a repository."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

BODY = (
    '<h1>02 A &amp; B<a class="headerlink" href="#a-b" title="Link">#</a></h1><p>Text.</p>'
    '<h2>Say <em>it</em><a class="headerlink" href="#say-it" title="Link">#</a></h2><h2>No anchor</h2>'
)


@pytest.fixture
def linked():
    path = Path(__file__).parents[2] / "book/_ext/corrections.py"
    spec = importlib.util.spec_from_file_location("corrections", path)
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)

    def body(repository, doctree=object()):  # noqa: B008 - only asked whether it is there
        config = SimpleNamespace(
            html_theme_options={"repository_url": repository}, html_baseurl="https://o.github.io/r/"
        )
        builder = SimpleNamespace(get_target_uri=lambda name: f"{name}.html")
        context = {"body": BODY}
        extension.add_links(SimpleNamespace(config=config, builder=builder), "a/b", "", context, doctree)
        return context["body"]

    return body


def test_a_link_names_page_and_section(linked):
    page = linked("https://github.com/o/r/")
    assert page.count('class="correction"') == 2
    assert (
        'href="https://github.com/o/r/issues/new?title=Correction%3A+02+A+%26+B+%28a%2Fb%29&amp;body=' in page
    )
    assert "https%3A%2F%2Fo.github.io%2Fr%2Fa%2Fb.html%23say-it" in page
    assert 'aria-label="Suggest a correction: Say it"></a></h2><h2>No anchor</h2>' in page


@pytest.mark.parametrize("how", [{"repository": None}, {"repository": "https://x.org", "doctree": None}])
def test_no_link_without_a_repository_or_on_a_page_that_nobody_wrote(linked, how):
    assert linked(**how) == BODY
