"""The tree of errors is the one that its docstring draws."""

import re

from parsers import errors


def test_the_tree_is_as_drawn() -> None:
    drawn: list[tuple[str, int, int]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"\s*([│├└─\s]*)(\w+)\s+(\d+)\b", line)
        if match:
            depth = len(match[1].replace("─", "").replace(" ", "")) and (len(line) - len(line.lstrip(" │├└─")) - 4) // 4
            drawn.append((match[2], depth, int(match[3])))
    found: list[tuple[str, int, int]] = []

    def walk(error: type[errors.NewsmorgueError], depth: int) -> None:
        found.append((error.__name__, depth, error.exit_code))
        for child in error.__subclasses__():
            walk(child, depth + 1)

    walk(errors.NewsmorgueError, 0)
    assert drawn == found


def test_exit_codes_of_the_contract() -> None:
    assert (errors.UsageError.exit_code, errors.FetchError.exit_code, errors.NoLayoutFits.exit_code) == (2, 1, 1)
    assert errors.PartlyFailed.exit_code == 3


def test_lines_that_say_nothing_are_left_out() -> None:
    assert str(errors.ParseError("what")) == "what"
    assert str(errors.ParseError("what", next="do")) == "what\n  next: do"
    assert [kind.retryable for kind in (errors.ConnectionFailed, errors.RobotsDenied, errors.TooLarge)] == [
        True,
        False,
        False,
    ]


def test_an_error_says_what_why_and_what_next() -> None:
    error = errors.HostHeld("h", seconds=3, cause="c", next="n", url="u", status=429, tries=2)
    assert str(error) == "h\n  c\n  next: n"
    assert (error.kind, error.seconds, error.status, error.tries) == ("host_held", 3, 429, 2)
