"""The env file: word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.settings.envfile import lines
from watcher.settings.notes import Notes

_values = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=40)


def read(text: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the settings of a file, and the mistakes in it."""
    notes = Notes()
    return [(line.name, line.value) for line in lines(text, "f", notes)], notes.problems


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A=DOM\\nsvc", "DOM\\nsvc"),
        ("A=pa$$w${X}", "pa$$w${X}"),
        ("A=x # no comment", "x # no comment"),
        ("A=a=b", "a=b"),
        ('A="quoted "', "quoted "),
        ("A='it''s'", "it''s"),
        ("A=\"'x'\"", "'x'"),
        ("A='\"", "'\""),
        ('A="', '"'),
        ('A=""', ""),
        ("A=", ""),
        ("A= b ", " b "),
        ("  A=b", "b"),
        ("A=b\r", "b"),
    ],
)
def test_a_value_is_taken_word_for_word(line: str, value: str) -> None:
    """No escapes, no variables, no comments at the end; one pair of quotes is taken off."""
    assert read(line) == ([("A", value)], [])


def test_blank_lines_and_comments_are_left_out() -> None:
    """They may stand anywhere."""
    assert read("\n# A=1\n   \n  # x\nB=2\n") == ([("B", "2")], [])


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("geheim", "is no setting: write NAME=value"),
        ("export A=geheim", "begins with `export`"),
        ("A =geheim", "a blank before the `=`"),
        ("A-B=geheim", "a name is letters"),
        ("=geheim", "a name is letters"),
    ],
)
def test_a_line_that_is_none_is_noted_with_its_number_and_not_repeated(line: str, mend: str) -> None:
    """It may be the rest of a password."""
    found, problems = read(f"A=1\n{line}\n")
    assert found == [("A", "1")]
    assert problems[0].startswith("f:2: ")
    assert mend in problems[0]
    assert "geheim" not in problems[0]


@given(st.lists(st.tuples(st.sampled_from(["A", "B_1", "WATCHER_URL"]), _values), max_size=8))
def test_any_value_comes_back_when_it_is_quoted(settings: list[tuple[str, str]]) -> None:
    """Quotes, dollars, backslashes, hashes and blanks in a value are its own."""
    text = "".join(f"{name}='{value}'\n" for name, value in settings)
    assert read(text) == (settings, [])


@given(_values.filter(lambda value: value[:1] not in {"'", '"'} and not value.endswith("\r")))
def test_any_value_that_begins_with_no_quote_needs_none(value: str) -> None:
    """It is taken as it stands."""
    assert read(f"A={value}") == ([("A", value)], [])
