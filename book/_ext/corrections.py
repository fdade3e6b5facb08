"""At each heading a small link that opens an issue of the repository, with page and section filled in.

The link is part of the page and needs no script. Nothing is sent before the reader follows it.
"""

import re
from html import escape, unescape
from urllib.parse import urlencode

HEADING = re.compile(
    r'<h(?P<level>[1-6])>(?P<title>.*?)(?P<anchor><a class="headerlink" href="#(?P<id>[^"]+)"[^>]*>[^<]*</a>)'
    r"</h(?P=level)>",
    re.DOTALL,
)
TAG = re.compile(r"<[^>]+>")
LINK = '<a class="correction" href="{url}" title="{label}" aria-label="{label}"></a>'
BODY = "Where: {address}\n\nWhat should be corrected:\n\n"


def add_links(app, pagename, templatename, context, doctree):
    """Append a link to each heading of a page that was written; none without the address of a repository."""
    repository = app.config.html_theme_options.get("repository_url")
    if doctree is None or not repository or "body" not in context:
        return
    page = f"{(app.config.html_baseurl or '').rstrip('/')}/{app.builder.get_target_uri(pagename)}"

    def with_link(heading):
        title = " ".join(unescape(TAG.sub("", heading["title"])).split())
        asked = {
            "title": f"Correction: {title} ({pagename})",
            "body": BODY.format(address=f"{page}#{heading['id']}"),
        }
        url = f"{repository.rstrip('/')}/issues/new?{urlencode(asked)}"
        link = LINK.format(url=escape(url, quote=True), label=escape(f"Suggest a correction: {title}"))
        return f"<h{heading['level']}>{heading['title']}{heading['anchor']}{link}</h{heading['level']}>"

    context["body"] = HEADING.sub(with_link, context["body"])


def setup(app):
    """Connect the function."""
    app.connect("html-page-context", add_links)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
