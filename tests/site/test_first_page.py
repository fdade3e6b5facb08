"""The figure of the first page: four maps, of which the reader chooses one."""

PAGE = "book/index.html"
PANELS = ".map-chooser .panel"
SEEN = """() => [...document.querySelectorAll('.map-chooser .panel')].map(p => p.offsetParent !== null)"""


def test_the_arrow_keys_choose_a_map_and_a_sentence_says_what_it_is(visit):
    seen = visit(viewport={"width": 390, "height": 844})
    page = seen.open(PAGE)
    assert page.evaluate(SEEN) == [True, False, False, False]
    said = page.locator(".map-chooser [role=status]")
    first = said.text_content()
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(SEEN) == [False, True, False, False]
    assert said.text_content() != first
    page.get_by_text("Width alone", exact=True).first.click()
    assert page.evaluate(SEEN) == [False, False, False, True]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert seen.blocked == seen.page_errors == []


def test_a_chosen_map_names_its_layers(visit):
    page = visit(viewport={"width": 1440, "height": 900}).open(PAGE)
    page.get_by_text("Before training", exact=True).first.click()
    chart = page.locator(f"{PANELS}:not([hidden]) [tabindex]")
    chart.focus()
    page.keyboard.press("ArrowRight")
    assert " and " in page.locator(f"{PANELS}:not([hidden]) output").text_content()


def test_without_scripts_all_four_maps_stand_there(visit):
    seen = visit(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    seen.page.goto(f"{seen.address}/{PAGE}", wait_until="load")
    assert seen.page.locator(PANELS).count() == 4
    for k in range(4):
        assert seen.page.locator(f"{PANELS} img").nth(k).is_visible()
        assert seen.page.locator(f"{PANELS} > p").nth(k).is_visible()
    assert not seen.page.locator(".map-chooser form").is_visible()


def test_in_print_all_four_maps_stand_there(visit):
    page = visit(viewport={"width": 800, "height": 900}).open(PAGE)
    page.emulate_media(media="print")
    assert page.evaluate(SEEN) == [True] * 4


def test_every_number_of_the_page_is_filled_in(visit):
    text = visit().open(PAGE).locator("article").inner_text()
    assert "glue" not in text
    assert "<!--" not in text
    assert "claims: holds" in text
