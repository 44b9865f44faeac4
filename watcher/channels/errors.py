"""What is wrong with a channel's settings."""


class BadChannel(ValueError):  # noqa: N818 - it is said as words: "bad channel"
    """A channel that cannot be opened. Its text names the channel and the mend, and shows no secret."""

    def __init__(self, name: str, text: str) -> None:
        """Keep the channel's name before what is wrong with it."""
        super().__init__(f"channel {name}: {text}")
        self.name = name
