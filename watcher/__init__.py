"""Watch VB365: server → observation → transition → decision → message → delivery → channel."""

__version__ = "0.1.0"
