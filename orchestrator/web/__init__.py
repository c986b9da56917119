"""Pages for a wall screen, for this machine alone: `board.py` what is known of each stack, `server.py` who sees it."""
