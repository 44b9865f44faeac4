"""What is found on the way through the settings: mistakes, which end the program, and warnings, which do not."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notes:
    """Mistakes and warnings, each once, in the order in which they were found.

    `unread`: those of the mistakes for which a whole file was left out, so that what seems missing may stand in it.
    """

    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, where: str, text: str) -> None:
        """Note a mistake: its place, and what is wrong with its mend."""
        self._add(self.problems, f"{where}: {text}")

    def unreadable(self, where: str, text: str) -> None:
        """Note a mistake for which a whole file of settings is left out."""
        self.problem(where, text)
        self._add(self.unread, where)

    def warn(self, where: str, text: str) -> None:
        """Note something that works, but that the user should know of."""
        self._add(self.warnings, f"{where}: {text}")

    def _add(self, lines: list[str], line: str) -> None:
        line = " ".join(line.split())
        if line not in lines:
            lines.append(line)
