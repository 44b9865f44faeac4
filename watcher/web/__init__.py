"""The HTTP side of the daemon: status page, health, metrics and the JSON of the contract's section 6. It only reads."""
