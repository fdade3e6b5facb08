"""One answer for each claim and each doubt: by the rule, whatever the order of the rows."""

from itertools import permutations, product
from pathlib import Path

import pytest

from bookkit.verdicts import ANSWERS, CONDITIONS, RESULTS, on_claim, on_doubt

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = [
    # As soon as it was tested as claimed and disagrees, it differs, whatever else agrees.
    (["paper disagrees"], "differs"),
    (["paper agrees", "paper disagrees", "ours agrees"], "differs"),
    # What disagrees under conditions of ours alone is no difference, however often.
    (["ours disagrees", "ours disagrees"], "cannot tell"),
    # It holds if it agrees as claimed.
    (["paper agrees"], "holds"),
    (["paper agrees", "ours agrees", "ours undecided", "paper undecided"], "holds"),
    # What agrees under conditions of ours alone does not make it hold.
    (["ours agrees", "ours agrees"], "cannot tell"),
    # And it does not hold if anything disagrees.
    (["paper agrees", "ours disagrees"], "cannot tell"),
    (["paper undecided", "ours agrees"], "cannot tell"),
    ([], "cannot tell"),
]
DOUBTS = [
    (["justified"], "justified"),
    (["answered", "open", "justified"], "justified"),
    (["answered", "answered"], "answered"),
    (["answered", "open"], "open"),
    (["open"], "open"),
    ([], "open"),
]


@pytest.mark.parametrize(("rows", "answer"), CLAIMS)
def test_the_answer_to_a_claim(rows, answer):
    for order in permutations(tuple(row.split()) for row in rows):
        assert on_claim(order).answer == answer


@pytest.mark.parametrize(("results", "answer"), DOUBTS)
def test_the_answer_to_a_doubt(results, answer):
    for order in permutations(results):
        assert on_doubt(order).answer == answer


def test_why_is_said_of_what_was_found():
    assert on_claim([]).why == "no chapter tests it"
    mixed = [("ours", "agrees"), ("ours", "undecided"), ("ours", "agrees")]
    assert (
        on_claim(mixed).why == "the paper's own condition was not tested; under ours: agrees 2, undecided 1"
    )
    assert on_claim([("paper", "undecided")]).why == "the paper's own condition did not decide it"
    assert on_claim([("paper", "agrees"), ("ours", "disagrees")]).why.endswith("of our own a row disagrees")
    assert on_doubt([]).why == "no chapter takes it up"
    assert on_doubt(["open"]).why == "a row leaves it open"


def test_another_row_never_turns_an_answer_into_its_opposite():
    rows = list(product(CONDITIONS, RESULTS["C"]))
    for some in product(rows, repeat=2):
        before = on_claim(some).answer
        for one in rows:
            after = on_claim([*some, one]).answer
            assert before != "differs" or after == "differs"
            assert before != "holds" or after != "differs" or one == ("paper", "disagrees")


def test_the_page_states_the_rule_in_the_words_of_the_code():
    page = (ROOT / "book/scorecard.md").read_text()
    for word in {*ANSWERS["C"], *ANSWERS["D"]}:
        assert f"**{word}**" in page.lower()
    for word in (*RESULTS["C"], *CONDITIONS):
        assert f"*{word}*" in page
