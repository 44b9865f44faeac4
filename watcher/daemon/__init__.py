"""The one place that builds everything, reads the clock, sleeps and takes signals."""

from watcher.daemon.process import run

__all__ = ["run"]
