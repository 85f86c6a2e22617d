"""What stands in one wording and not in the other."""

from blueprints.kit.wording import MOST_WORDS, compare


def test_words_are_compared():
    assert compare("He was hit.", "He was pushed.") == [
        ("same", "He was "), ("removed", "hit"), ("added", "pushed"), ("same", ".")
    ]  # fmt: skip
    assert compare("a " * 2 * MOST_WORDS, "b") is None
    assert compare("", "") == []
