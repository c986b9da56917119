"""Pause, resume, back up, destroy, restore: each a list of steps for the one engine."""
