import sys

import numpy as np

from bookkit.glue import keep_figure, note


def test_numbers_become_plain_so_that_prose_can_format_them(monkeypatch):
    glued = {}
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: glued.update({name: value}))
    note(share=np.float64(0.5), count=np.int64(3), single=np.float32(2), sure=np.bool_(True))
    assert glued == {"share": 0.5, "count": 3, "single": 2.0, "sure": 1}
    assert {type(value) for value in glued.values()} == {int, float}
    assert type(glued["count"]) is int
    assert type(glued["share"]) is float


def test_outside_the_book_nothing_happens(monkeypatch):
    monkeypatch.setitem(sys.modules, "myst_nb", None)
    assert note(share=0.5) is None
    assert keep_figure("it", object()) is None


def test_a_picture_is_kept_and_not_shown(monkeypatch):
    glued = []
    monkeypatch.setattr("myst_nb.glue", lambda *given, **how: glued.append((given, how)))
    keep_figure("it", "a picture")
    assert glued == [(("it", "a picture"), {"display": False})]
