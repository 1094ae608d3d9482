"""The edition of newsmorgue; stored with every reading, run and capture file."""

__version__ = "0.2.0"
