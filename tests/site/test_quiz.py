"""A quiz keeps what was chosen, says what to read again, and can be started again."""

PAGE = "notebooks/02-gromov-wasserstein.html"
OTHER = "notebooks/03-ten-measures.html"


def quiz_of(page):
    quiz = page.locator("#quiz")
    quiz.get_by_role("status").wait_for(state="attached")
    return quiz


def choose(quiz, question, letter):
    """Open an answer of a question, both counted as the page counts them."""
    quiz.locator("details", has_text=f"{letter}. ").nth(question - 1).locator("summary").click()


def open_answers(quiz):
    return quiz.locator("details[open] > summary").all_text_contents()


def test_choices_are_kept_and_can_be_forgotten(visit):
    seen = visit()
    quiz = quiz_of(seen.open(PAGE))
    again = quiz.get_by_role("button", name="Start the quiz again")
    assert not again.is_visible()
    choose(quiz, 1, "b")
    again.wait_for()
    chosen = open_answers(quiz)
    assert [text[0] for text in chosen] == ["b"]
    quiz = quiz_of(seen.open(PAGE))
    assert open_answers(quiz) == chosen
    assert quiz.locator("details[data-chosen] > summary").all_text_contents() == chosen
    assert open_answers(quiz_of(seen.open(OTHER))) == []  # each page keeps its own
    quiz = quiz_of(seen.open(PAGE))
    quiz.get_by_role("button", name="Start the quiz again").click()
    assert open_answers(quiz) == []
    assert open_answers(quiz_of(seen.open(PAGE))) == []
    assert seen.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('quiz '))") == []
    assert seen.blocked == seen.page_errors == []


def test_wrong_answers_lead_to_their_sections(visit):
    page = visit().open(PAGE)
    quiz = quiz_of(page)
    choose(quiz, 1, "a")
    choose(quiz, 1, "c")  # the first choice counts
    told = quiz.get_by_role("status")
    assert told.text_content() == ""
    choose(quiz, 2, "c")
    told.get_by_text("1 of 2 right at the first choice.").wait_for()
    assert told.get_by_role("link").all_text_contents() == ["The properties, one by one"]
    told.get_by_role("link").click()
    assert page.url.endswith("#the-properties-one-by-one")
    heading = page.locator("#the-properties-one-by-one h2")
    assert heading.evaluate("h => Math.abs(h.getBoundingClientRect().top) < innerHeight")
    quiz.get_by_role("button", name="Start the quiz again").click()
    choose(quiz, 1, "c")
    choose(quiz, 2, "c")
    told.get_by_text("2 of 2 right at the first choice.").wait_for()
    assert told.get_by_role("link").count() == 0


def test_a_question_without_a_section_leads_to_the_beginning(visit):
    seen = visit()
    seen.page.add_init_script(
        "addEventListener('readystatechange', () => document.readyState === 'interactive' &&"
        " document.querySelectorAll('#quiz p > a').forEach(a => a.parentNode.remove()), {capture: true})"
    )
    quiz = quiz_of(seen.open(PAGE))
    choose(quiz, 1, "a")
    choose(quiz, 2, "a")
    told = quiz.get_by_role("status")
    told.get_by_text("0 of 2 right").wait_for()
    assert told.get_by_role("link").all_text_contents() == ["In short"]


def test_a_browser_without_storage_has_a_quiz(visit):
    seen = visit()
    seen.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('closed'); }})"
    )
    quiz = quiz_of(seen.open(PAGE))
    choose(quiz, 1, "a")
    choose(quiz, 2, "a")
    quiz.get_by_text("0 of 2 right at the first choice.").wait_for()


def test_without_scripts_each_question_has_its_link(visit):
    seen = visit(java_script_enabled=False)
    seen.page.goto(f"{seen.address}/{PAGE}")
    links = seen.page.locator("#quiz p", has_text="To read again:")
    assert links.count() == 2
    assert links.first.is_visible()
