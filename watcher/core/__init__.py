"""The pure core: what happened, who should know, what to say, when to try again.

Nothing in here does I/O, reads a clock, draws a random number or writes a log: `now` and `rng` come in as arguments.
"""
