"""What is kept of a learner."""

from fmnist_core.lessons.learner import MOST_GUESSES, Learner


def test_a_learner_keeps_the_newest_guesses():
    known = Learner()
    for number in range(100):
        known.guess(str(number), "higher")
    assert list(known.guesses) == [str(number) for number in range(100 - MOST_GUESSES, 100)]
