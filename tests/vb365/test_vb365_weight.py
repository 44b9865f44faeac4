"""What the client of a server brings into memory."""

import subprocess
import sys


def test_the_client_brings_no_command_line_along() -> None:
    """httpx's own command line, with click and rich, stays out."""
    code = "import sys, watcher.vb365.server; print([m for m in ('rich', 'click', 'pygments') if m in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "[]"
