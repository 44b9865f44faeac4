"""`python -m watcher.demo.standin`: the stand-in server alone, for tries by hand."""

import signal
import sys
from argparse import ArgumentParser
from contextlib import suppress

import anyio

from watcher.clock import now, sped_up
from watcher.demo.player import living_world
from watcher.demo.server import ALL_VERSIONS, create_app
from watcher.web.serve import serve


async def stand_in(port: int, versions: list[str], speed: float, seed: int) -> None:
    """Serve a living world until cancelled; says its address and login first."""
    start = now()
    world, player = living_world(start, seed)
    app = create_app(world, now=sped_up(speed, start=start).now, versions=versions, player=player)
    async with serve(app, port=port, date_header=False) as url:
        sys.stdout.write(f"{url}  {world.account.username}  {world.account.password}\n")
        sys.stdout.flush()
        await anyio.sleep_forever()


def main() -> None:
    """Read the command line and serve until Ctrl-C."""
    parser = ArgumentParser(prog="python -m watcher.demo.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--versions", default=",".join(ALL_VERSIONS), help="default: %(default)s")
    parser.add_argument("--speed", type=float, default=600.0, help="virtual seconds in a second (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes its background deaf to it
    with suppress(KeyboardInterrupt):
        anyio.run(stand_in, args.port, args.versions.split(","), args.speed, args.seed)


if __name__ == "__main__":
    main()
