"""What the user set: read from command line, environment, files and credentials, checked, and named.

No library does this for us on purpose: the names, the files and every message are a public face, and pydantic-settings
would cost 0.3 s at each start and 25 MB of memory besides.
"""

from watcher.settings.load import load
from watcher.settings.machine import Usual
from watcher.settings.model import ChannelSettings, Listen, ServerSettings, Settings, SettingsError
from watcher.settings.secret import Secret

__all__ = ["ChannelSettings", "Listen", "Secret", "ServerSettings", "Settings", "SettingsError", "Usual", "load"]
