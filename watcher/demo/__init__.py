"""A stand-in for a VB365 server that speaks every wire version, and the demo that runs the watcher against it.

`world` is the truth, `wire…` says it in each version's shapes, `server` serves it, `story` lives it, `faults` break it.
"""
