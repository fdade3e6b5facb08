"""Colab opens the chapters as they are handed out: with numbers in their sentences, in plain Markdown.

A release puts them on a branch of their own. The button of the theme would open the source of the page.
"""

BRANCH = "notebooks"


def lead_to_branch(app, pagename, templatename, context, doctree):
    """Change the branch in the links of the Colab buttons, which the theme has made before."""
    host = app.config.html_theme_options.get("launch_buttons", {}).get("colab_url")
    branch = context.get("repository_branch") or app.config.html_theme_options.get(
        "repository_branch", "main"
    )
    for button in buttons_of(context.get("header_buttons", ())):
        if host and button.get("url", "").startswith(host):
            button["url"] = button["url"].replace(f"/blob/{branch}/", f"/blob/{BRANCH}/")


def buttons_of(buttons):
    """All buttons, those in groups as well."""
    for button in buttons:
        yield button
        yield from buttons_of(button.get("buttons", ()))


def setup(app):
    """Connect the function, after the theme's own."""
    app.connect("html-page-context", lead_to_branch, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
