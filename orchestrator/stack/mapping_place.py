"""Where a stack's mapping is written by hand: the table of its contract in the file of settings."""

FILE = "orchestrate.toml"
CONTRACT = "contract"
"""The one table in it that is no setting."""
