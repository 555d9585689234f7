import pytest

from unmask.core.errors import UserError
from unmask.infer.language.choose import Question
from unmask.infer.language.pronouns import Pronoun, disambiguate

MARKED = "The _trophy_ does not fit into the _brown case_ because [it] is too big."


def test_markup_is_read_and_taken_off():
    pronoun = Pronoun.parse(MARKED, ["the fish"])

    assert pronoun.text == "The trophy does not fit into the brown case because it is too big."
    assert pronoun.text[pronoun.start : pronoun.stop] == "it"
    assert pronoun.query == "trophy"
    assert pronoun.candidates == ("brown case", "the fish")
    assert pronoun.question() == Question(
        "The trophy does not fit into the brown case because ",
        " is too big.",
        ("trophy", "brown case", "the fish"),
    )


def test_the_pronoun_may_come_first():
    pronoun = Pronoun.parse("When [he] came, _Paul_ saw _George_.")

    assert (pronoun.start, pronoun.stop) == (5, 7)
    assert pronoun.query == "Paul"
    assert pronoun.question().options == ("Paul", "George")


def test_without_a_query_all_candidates_compete():
    pronoun = Pronoun.parse("The city refused because [they] feared it.", ["the city", "the men"])

    assert pronoun.query is None
    assert pronoun.question().options == ("the city", "the men")


def test_what_overlaps_the_query_is_no_rival():
    rivals = ["the big trophy", "Trophy", "BIG", "case"]

    assert Pronoun("it", 0, 2, tuple(rivals), "big trophy").rivals == ("case",)


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("The _trophy_ is big.", "0 pronouns are marked, not one"),
        ("[He] and [it]", "2 pronouns are marked, not one"),
    ],
)
def test_other_than_one_pronoun_is_refused(marked, message):
    with pytest.raises(UserError, match=message) as caught:
        Pronoun.parse(marked)

    assert "[it] around the pronoun" in caught.value.hint


def test_a_pronoun_with_nothing_to_compare_is_refused():
    for marked in ("The _trophy_ is big, [it] is.", "[it] is"):
        with pytest.raises(UserError, match=r"\d candidates for 'it'; there is nothing to comp"):
            Pronoun.parse(marked).question()


def test_answers_name_the_best_and_judge_the_query(tiny):
    asked = [
        Pronoun.parse(MARKED),
        Pronoun.parse(
            MARKED.replace("_trophy_", "trophy").replace("_brown case_", "brown case"),
            ["trophy", "brown case"],
        ),
        Pronoun.parse(MARKED.replace("_trophy_", "trophy"), ["trophy"]),
    ]

    first, second, third = disambiguate(tiny.lm, asked)

    assert first.candidates == second.candidates == ("trophy", "brown case")
    assert first.scores == pytest.approx(second.scores, abs=1e-5)
    assert first.best == second.best == third.best
    assert first.is_query == (first.best == "trophy")
    assert second.is_query is None
    assert third.is_query == (not first.is_query)


def test_a_query_as_likely_as_its_rival_holds(tiny):
    answer = disambiguate(tiny.lm, [Pronoun("it is", 0, 2, ("the cat",), "cat fish")])[0]
    equal = disambiguate(tiny.lm, [Pronoun("it is", 0, 2, ("a ",), " a")])

    assert answer.is_query == (answer.scores[0] >= answer.scores[1])
    assert equal[0].is_query is not None
