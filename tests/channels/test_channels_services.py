"""Plugins of Apprise are loaded one by one, and found by what their sources say."""

import subprocess
import sys

import pytest

FULL_MAP = """
from watcher.channels.services import services, sources
read = sources()
for name, entry in services()._module_map.items():
    for plugin in entry["plugin"]:
        for scheme in plugin.schemas(plugin):
            owners = [module for module, schemes in read.items() if scheme in schemes]
            assert owners in ([name], []), (scheme, name, owners)
"""
LOADED = """
import sys
from zoneinfo import ZoneInfo
from watcher.channels import open_channel
for url in sys.argv[1:]:
    open_channel("c", url, zone=ZoneInfo("UTC"))
print(sum(name.startswith("apprise.plugins.") and name.count(".") == 2 for name in sys.modules))
"""


def run(code: str, *words: str) -> str:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True).stdout


def test_the_sources_name_no_wrong_plugin() -> None:
    """What is read from a source never points at another plugin than the one that Apprise takes for a scheme."""
    run(FULL_MAP)


@pytest.mark.parametrize(
    ("urls", "most"),
    [
        (["json://127.0.0.1/"], 6),
        (["json://127.0.0.1/", "ntfys://ntfy.example.com/a", "mailtos://u:p@mail.example.com?to=a@example.com"], 12),
    ],
)
def test_a_known_scheme_loads_its_plugin_only(urls: list[str], most: int) -> None:
    """Memory is for what is used: a channel does not bring in the 170 others."""
    assert int(run(LOADED, *urls)) <= most


@pytest.mark.parametrize("url", ["https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"])
def test_an_address_of_a_service_is_still_understood(url: str) -> None:
    """Where the scheme does not say whose it is, all plugins are asked."""
    assert int(run(LOADED, "json://127.0.0.1/", url)) > 100
