"""`watcher demo`: the whole watcher against a made-up server."""

import argparse

from watcher.demo.run import demo


def execute(args: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C."""
    return demo(port=args.port, speed=args.speed, seed=args.seed)
