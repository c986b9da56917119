"""Onyx, as far as an operator sees it from outside: what runs in the containers of a task."""
