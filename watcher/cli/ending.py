"""How a command ends when it cannot do what was asked."""


class Ending(Exception):  # noqa: N818 - it is the end of a command, not always an error of ours
    """The end of a command: lines for the user, each a sentence without a secret, and the exit code."""

    def __init__(self, *lines: str, code: int) -> None:
        """Keep what to say and how to exit."""
        super().__init__("\n".join(lines))
        self.lines = lines
        self.code = code
