import base64
import dataclasses
import html
import importlib
import io
import json
import re
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

import funcsim as fs
from funcsim import viz
from funcsim.gromov.coupling import from_permutation, product
from funcsim.viz import interactive
from funcsim.viz.chooser import Choice
from funcsim.viz.explorer import explorer_html


@pytest.fixture
def layer_map():
    names = tuple(f"blocks.0.{part}" for part in ("q", "k", "v", "z"))
    values = np.where(np.arange(4)[:, None] // 2 == np.arange(4) // 2, 0.1, 0.9) * (1 - np.eye(4))
    return fs.LayerMap(values, names, names, "gw", "mean", 10)


def blocks(layer_map, labels):
    return fs.Partition(layer_map.names, labels, None, "contiguous")


def frames(ax):
    return [p for p in ax.patches if isinstance(p, Rectangle)]


def test_a_map_names_its_layers_without_what_they_share(layer_map):
    ax = layer_map.plot(title="A title").axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["q", "k", "v", "z"]
    assert (ax.get_xlabel(), ax.get_title()) == ("layer", "A title")
    assert (ax.images[0].get_array() == layer_map.values).all()


def test_the_colour_bar_says_what_was_measured(layer_map):
    labels = [a.get_xlabel() for a in layer_map.plot().axes]
    assert any("GW distance (each layer's mean distance = 1)" in label for label in labels)


def test_maps_that_are_compared_share_the_scale_they_are_given(layer_map):
    images = [viz.layer_map(layer_map, vmax=most).axes[0].images[0] for most in (None, 2.0)]
    assert [image.norm.vmax for image in images] == [0.9, 2.0]


def test_blocks_are_framed_where_they_are(layer_map):
    ax = layer_map.plot(groups=blocks(layer_map, (0, 0, 0, 1))).axes[0]
    corners = {(p.get_x(), p.get_width()) for p in frames(ax)}
    assert corners == {(-0.5, 3), (2.5, 1)}


def test_blocks_that_are_not_contiguous_are_not_framed(layer_map):
    assert frames(layer_map.plot(groups=blocks(layer_map, (0, 1, 0, 0))).axes[0]) == []


def test_many_layers_stay_readable():
    names = tuple(map(str, range(93)))
    m = fs.LayerMap(np.zeros((93, 93)), names, names, "gw", None, 5)
    assert len(m.plot().axes[0].get_yticks()) <= viz.MOST_LABELS


@pytest.mark.parametrize(("n", "spare"), [(12, 0), (24, 24), (93, 24)])
def test_of_many_names_every_second_is_spared_on_a_phone(n, spare):
    names = tuple(f"layer-{k}" for k in range(n))
    page = explorer_html(fs.LayerMap(np.zeros((n, n)), names, names, "gw", None, 5), "a map")
    assert page.count('class="spare"') == spare


def test_a_single_layer_can_be_drawn():
    assert fs.LayerMap(np.zeros((1, 1)), ("only",), ("only",), "gw", None, 5).plot().axes


def test_colours_brighten_monotonically_in_greyscale():
    rgb = plt.get_cmap(viz.COLOURS)(np.linspace(0, 1, 50))[:, :3]
    assert (np.diff(rgb @ [0.299, 0.587, 0.114]) > 0).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda m: m.plot(),
        lambda m: viz.curves({"a": [1, 2], "b": [2, 1]}, xlabel="x", ylabel="y"),
        lambda m: viz.bars({"a": 1.0, "b": 2.0}, ylabel="y"),
        lambda m: viz.scatter([1, 2], [2, 1], xlabel="x", ylabel="y", diagonal=True),
        lambda m: viz.matched_clouds(np.eye(2), np.eye(2), product(2, 2)),
        lambda m: viz.ridges({"a": {"one": [0, 1, 1], "two": [2]}}, xlabel="x"),
        lambda m: viz.panels({"a": np.eye(2)}, [0, 1]),
        lambda m: viz.map_grid({"GW": {"a": m, "b": m}}),
        lambda m: viz.block_stack(3, 1, {"a": 50.0}, xlabel="x", vmax=100),
    ],
)
def test_figures_are_closed_so_that_a_cell_shows_them_once(layer_map, draw):
    draw(layer_map).canvas.draw()
    assert plt.get_fignums() == []


def test_more_lines_than_can_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="5 lines, and only 4 can be told apart"):
        viz.curves({str(k): [1, 2] for k in range(5)}, xlabel="x", ylabel="y")


def test_curves_are_told_apart_without_colour():
    ax = viz.curves({"a": [1, 2], "b": [2, 1]}, xlabel="epoch", ylabel="loss", yscale="log").axes[0]
    assert len({line.get_linestyle() for line in ax.lines}) == 2
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]
    assert list(ax.lines[0].get_xdata()) == [1, 2]
    assert ax.get_yscale() == "log"


def test_places_that_are_counted_have_whole_ticks():
    for x, whole in ((None, True), (np.arange(2, 5), True), ([0.0, 0.4, 1.0], False)):
        figure = viz.curves({"a": [1, 2, 3]}, x, xlabel="block", ylabel="distance")
        ticks = figure.axes[0].get_xticks()
        assert (ticks == ticks.round()).all() == whole


def test_one_line_per_matched_pair():
    ax = viz.matched_clouds(np.eye(3)[:, :2], np.eye(3)[:, :2], from_permutation(np.array([2, 0, 1]))).axes[0]
    assert len(ax.lines) == 3


def test_ridges_share_their_bins_and_keep_the_order_of_names():
    ax = viz.ridges(
        {"before": {"one": [0, 0, 4], "two": [1]}, "after": {"one": [4], "two": [2, 2]}}, xlabel="x", bins=4
    ).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["two", "one"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["before", "after"]
    data = [patch.get_data() for patch in ax.patches]
    assert all((d.edges == np.linspace(0, 4, 5)).all() for d in data)
    assert [d.baseline for d in data] == [1, 0, 1, 0]
    assert np.allclose(data[0].values, [1.9, 1, 1, 1.45])


def test_panels_show_every_point_with_its_kind_and_number():
    clouds = {"one": np.array([[0.0, 1], [2, 3], [4, 5]]), "two": np.zeros((3, 2))}
    fig = viz.panels(clouds, [1, 0, 1], numbered=True, columns=2)
    ax = fig.axes[0]
    assert [a.get_title() for a in fig.axes] == ["one", "two"]
    drawn = [np.asarray(c.get_offsets()).tolist() for c in ax.collections]
    assert drawn == [[[2, 3]], [[0, 1], [4, 5]]]
    assert [t.get_text() for t in ax.texts] == ["1", "2", "3"]
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 2  # markers differ


def test_a_cut_shows_what_is_kept_and_where_the_boundary_was():
    fig = viz.block_stack(4, 3, {"trained": 80.0, "untrained": 60.0}, xlabel="accuracy", vmax=100, boundary=2)
    stack, ax = fig.axes
    assert [bool(block.get_hatch()) for block in stack.patches] == [False, False, False, True]
    assert [t.get_text() for t in stack.texts] == ["1", "2", "3", "4"]
    (line,) = stack.lines
    assert list(line.get_xdata()) == [2, 2]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["untrained", "trained"]
    assert [bar.get_width() for bar in ax.patches] == [60, 80]
    assert ax.get_xlim()[1] == pytest.approx(110)
    assert not viz.block_stack(4, 3, {"a": 1.0}, xlabel="x", vmax=1).axes[0].lines
    with pytest.raises(ValueError, match="of 4 blocks 5 cannot be kept"):
        viz.block_stack(4, 5, {"a": 1.0}, xlabel="x", vmax=1)


def test_maps_of_one_row_share_their_colours(layer_map):
    double = dataclasses.replace(layer_map, values=2 * layer_map.values)
    similar = dataclasses.replace(layer_map, measure="cka", is_similarity=True)
    fig = viz.map_grid({"GW": {"a": layer_map, "b": double}, "CKA": {"a": similar, "b": similar}})
    images = [ax.images[0] for ax in fig.axes if ax.images and ax.get_xlabel() != "c"][:4]
    assert [image.get_clim() for image in images] == [(0, 1.8), (0, 1.8), (0, 0.9), (0, 0.9)]
    assert images[0].get_cmap().name == viz.COLOURS
    assert images[2].get_cmap().name == f"{viz.COLOURS}_r"
    assert [ax.get_title() for ax in fig.axes[:4]] == ["a", "b", "", ""]


def test_the_stepper_links_slider_and_pictures_and_escapes_descriptions(layer_map):
    box = interactive.stepper([layer_map.plot(), layer_map.plot()], ['a "b" <i>', "second"], "step")
    controls, stack = box.children
    assert controls.children[1].max == 1
    assert len(stack.children) == 2
    assert 'alt="a &quot;b&quot; &lt;i&gt;"' in stack.children[0].value
    data = re.search(r"base64,([^\"]+)", stack.children[1].value)[1]
    assert base64.b64decode(data).startswith(b"\x89PNG")


@pytest.mark.parametrize("alts", [[], ["one", "two"]])
def test_every_figure_needs_a_description(layer_map, alts):
    with pytest.raises(ValueError, match="need as many descriptions"):
        interactive.stepper([layer_map.plot()], alts, "step")


def test_the_explorer_holds_the_map_and_escapes_what_it_is_told(layer_map):
    names = ("</script><b>", 'a"b', "v", "z")
    strange = fs.LayerMap(layer_map.values, names, names, "gw", "mean", 10)
    page = interactive.explorer(strange, 'an "alt" <i>', blocks(strange, (0, 0, 1, 1))).data
    assert 'alt="an &quot;alt&quot; &lt;i&gt;"' in page
    assert page.count("</script>") == 2  # its own two, not the layer's
    data = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    assert tuple(data["rows"]) == names
    assert (np.array(data["values"]) == layer_map.values).all()
    assert page.count('width="2" height="2"') == 4  # two blocks, each a dark and a light line
    picture = plt.imread(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])))
    assert picture.shape[:2] == (4, 4)
    assert (picture[0, 0] == picture[1, 1]).all()
    assert not (picture[0, 0] == picture[0, 3]).all()


def test_the_explorer_says_which_end_is_alike(layer_map):
    similar = dataclasses.replace(layer_map, measure="cka", is_similarity=True)
    assert "from 0.000, alike, to 0.900, different" in interactive.explorer(layer_map, "alt").data
    assert "from 0.000, different, to 0.900, alike" in interactive.explorer(similar, "alt").data


def test_the_explorer_takes_the_end_of_its_colours(layer_map):
    usual, wider = (explorer_html(layer_map, "alt", vmax=vmax) for vmax in (None, 1.8))
    assert "from 0.000, alike, to 0.900, different" in usual
    assert "from 0.000, alike, to 1.800, different" in wider
    first, other = (re.search(r"base64,([^\"]+)", page)[1] for page in (usual, wider))
    assert first != other


def test_the_explorer_says_that_values_lie_beyond_its_colours(layer_map):
    clipped = interactive.explorer(layer_map, "alt", vmax=0.5).data
    assert "from 0.000, alike, to 0.500 and more, different" in clipped
    assert "and more" not in interactive.explorer(layer_map, "alt", vmax=0.9).data
    data = json.loads(re.search(r'<script type="application/json">(.*)</script>', clipped)[1])
    assert (np.array(data["values"]) == layer_map.values).all()  # what is pointed at is told as it is


def test_the_chooser_holds_every_map_and_escapes_what_it_is_told(layer_map):
    says = "a < b & <i>c</i>"
    page = interactive.chooser(
        {
            'A "raw" <b>': Choice(layer_map, "first <i>", says, blocks(layer_map, (0, 0, 1, 1))),
            "B": Choice(layer_map, "second", "two", vmax=1.8),
        },
        "Which <i>map</i>?",
    ).data
    assert "<i>" not in page
    assert page.count(html.escape(says)) == 1
    assert page.count("A &quot;raw&quot; &lt;b&gt;") == 2  # the choice, and the title of its map
    assert re.findall(r'value="(\d)"( checked)?', page) == [("0", " checked"), ("1", "")]
    assert page.count('class="layer-explorer"') == 2
    assert "to 0.900" in page
    assert "to 1.800" in page
    assert "hidden" not in re.findall(r"<section[^>]*>", page)[1]  # without scripts both are there


def test_one_map_is_no_choice(layer_map):
    with pytest.raises(ValueError, match="nothing to choose from 1 map"):
        interactive.chooser({"A": Choice(layer_map, "alt", "one")}, "Which?")


def test_pictures_stand_in_rows_under_their_names():
    images = {"first": np.arange(6.0).reshape(2, 3), "second": np.zeros((4, 4))}
    fig = viz.pictures({"random": images, "trained": {"second": images["second"], "first": images["first"]}})
    titles = [ax.get_title() for ax in fig.axes]
    assert titles == ["first", "second", "", ""]
    assert [ax.get_ylabel() for ax in fig.axes] == ["random", "", "trained", ""]
    assert [ax.images[0].get_array().shape for ax in fig.axes] == [(2, 3), (4, 4)] * 2


def test_widgets_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delitem(sys.modules, "funcsim.viz.interactive")
    with pytest.raises(ImportError, match=r"need ipywidgets: pip install 'funcsim\[widgets\]'"):
        importlib.import_module("funcsim.viz.interactive")


def test_dots_stand_in_the_order_of_the_table_with_their_intervals():
    table = pd.DataFrame({"a": [0.1, 0.5, np.nan], "b": [0.2, 0.3, 0.4]}, index=["one", "two", "three"])
    figure = viz.dots(table, table - 0.05, table + 0.1, xlabel="share", reference=0.05, reference_label="5 %")
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["three", "two", "one"]
    first, second, line = ax.lines
    assert first.get_xdata().tolist()[:2] == [0.1, 0.5]
    assert first.get_ydata()[0] > first.get_ydata()[1] > first.get_ydata()[2]
    assert first.get_marker() != second.get_marker()
    assert all(abs(a - b) < 0.5 for a, b in zip(first.get_ydata(), second.get_ydata(), strict=True))
    assert line.get_xdata()[0] == 0.05
    ends = [segment[:, 0].tolist() for segment in ax.collections[1].get_segments()]
    assert np.allclose(ends, [[0.15, 0.3], [0.25, 0.4], [0.35, 0.5]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "5 %"]


def test_dots_that_cannot_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="5 columns, and only 4"):
        viz.dots(pd.DataFrame(np.zeros((2, 5))), xlabel="x")
    with pytest.raises(ValueError, match="no row"):
        viz.dots(pd.DataFrame({"a": []}), xlabel="x")
    table = pd.DataFrame({"a": [1.0]})
    with pytest.raises(ValueError, match="give both low and high"):
        viz.dots(table, low=table, xlabel="x")
