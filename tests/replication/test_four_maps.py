"""The picture of the README shows the maps that are stored."""

from pathlib import Path

from PIL import Image

from replication.modular_addition import four_maps

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "book/_static/four-maps.png"


def test_the_picture_was_made_of_the_stored_maps():
    with Image.open(PICTURE) as image:
        assert image.text[four_maps.SOURCE] == four_maps.source(four_maps.load()), (
            f"the maps have changed: python -m replication.modular_addition.four_maps {PICTURE}"
        )
        assert image.width > 3 * image.height


def test_the_three_maps_without_scale_share_their_colours():
    four = four_maps.load()
    top = four_maps.brightest(four)
    raw, *others = top.values()
    assert raw == four["raw"].values.max()
    assert set(others) == {max(four[title].values.max() for title in list(four)[1:])}


def test_it_is_drawn_with_titles_and_numbers_of_groups(tmp_path, capsys):
    four = four_maps.load("smoke")
    axes = four_maps.picture(four).axes
    assert [ax.get_title() for ax in axes] == list(four)
    assert all(ax.get_xlabel().endswith("by the test") for ax in axes)
    assert four_maps.main([]) == 2
    assert "say where to" in capsys.readouterr().err
    assert four_maps.main([str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 10_000
