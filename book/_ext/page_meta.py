"""Say in the head of each page what it is, for search engines, previews of links and reference managers."""

from html import escape

from docutils import nodes

LONGEST = 200


def add_meta(app, pagename, templatename, context, doctree):
    """Append the tags to those of Sphinx."""
    book = app.config.html_title or app.config.project
    title = str(context.get("title") or book)
    described = description(doctree) if doctree is not None else ""
    tags = {
        ("name", "citation_title"): title if title == book else f"{title}. In: {book}",
        ("name", "citation_author"): app.config.author,
        ("name", "citation_publication_date"): app.config.copyright,
        ("property", "og:type"): "article",
        ("property", "og:site_name"): book,
        ("property", "og:title"): title,
    }
    if described:
        tags |= {("name", "description"): described, ("property", "og:description"): described}
    context["metatags"] = context.get("metatags", "") + "".join(
        f'<meta {kind}="{name}" content="{escape(text, quote=True)}">\n'
        for (kind, name), text in tags.items()
    )


def description(doctree):
    """The first paragraph of a page, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) <= LONGEST:
            return text
        return text[:LONGEST].rsplit(" ", 1)[0] + " ..."
    return ""


def setup(app):
    """Connect the function."""
    app.connect("html-page-context", add_meta)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
