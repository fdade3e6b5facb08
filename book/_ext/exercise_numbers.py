"""Count exercises in each chapter, 02.1 and 02.2, as the downloaded notebooks do."""

import re

CHAPTER = re.compile(r"(?:^|/)(\d\d\w?)-[^/]*$")


def count_again(app, env):
    """At `env-get-updated`, after Sphinx has counted."""
    for page, counted in env.toc_fignumbers.items():
        chapter = CHAPTER.search(page)
        if chapter and "exercise" in counted:
            names = counted["exercise"]
            counted["exercise"] = {name: (chapter[1], k) for k, name in enumerate(names, 1)}
    return []


def setup(app):
    """Connect the function, after the one that counts."""
    app.connect("env-get-updated", count_again, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
