"""Managed nodes, Run Command, sessions, and what an instance is to a script."""
