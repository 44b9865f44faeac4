"""From settings to the policy that the core decides by."""

from pathlib import Path

from tests.settings.settings_world import World
from watcher.daemon.policy import planned_policy, policy_of

TOML = """
url = "https://vb365.example.com:4443"
username = "u"
password = "a password"

[[channels]]
name = "hook"
url = "webhook+https://hooks.example.com/x"

[[channels]]
name = "batches"
url = "webhook+https://hooks.example.com/y"
batch = 100

[[channels]]
name = "slow"
url = "webhook+https://hooks.example.com/z"
rate = "20/min"

[[channels]]
name = "pager"
url = "webhook+https://hooks.example.com/p"
on_unknown = "drop"

[[channels]]
name = "json"
url = "json://hooks.example.com/x"

[[channels]]
name = "chat"
url = "slack://AAAAAAAAA/BBBBBBBBB/cccccccccccccccccccccccc"
"""


def test_the_first_attempt_counts_at_once_only_for_programs_that_take_events_one_by_one(tmp_path: Path) -> None:
    """A pager could ring twice, a batch has to fill, a rate has to be kept, and people are told in groups."""
    world = World(tmp_path)
    world.write("watcher.toml", TOML)
    settings = world.bare()
    policy = policy_of(settings, [], claimant="me")
    assert policy.claimant == "me"
    assert policy.eager == {"hook"}
    assert policy_of(settings, []).claimant == ""
    assert planned_policy(settings, {}).eager == frozenset()
