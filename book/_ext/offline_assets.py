"""Serve every script of the site from the site itself."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDERS = (HERE / "static", HERE.parent / "_vendor")


def add_folders(app):
    """At `builder-inited`: of a folder known before, Jupyter Book would load every script on every page."""
    app.config.html_static_path += [str(folder) for folder in FOLDERS]


def edit_source(app, pagename, templatename, context, doctree):
    """Let the edit button of a chapter lead to its .py, which is the source, and not to the .ipynb."""

    def walk(buttons):
        for button in buttons:
            if isinstance(button, dict):
                url = button.get("url", "")
                if "/edit/" in url and url.endswith(".ipynb"):
                    button["url"] = url.removesuffix("ipynb") + "py"
                walk(button.get("buttons", []))

    walk(context.get("header_buttons", []))


def setup(app):
    """Connect the two functions, and add the repairs that need the browser."""
    app.connect("builder-inited", add_folders)
    app.connect("html-page-context", edit_source, priority=900)
    # Font Awesome would replace the icons of widgets, whose own code then fails.
    app.add_js_file(None, body="window.FontAwesomeConfig = {observeMutations: false};", priority=100)
    app.add_js_file("offline-site.js", defer="defer", priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
