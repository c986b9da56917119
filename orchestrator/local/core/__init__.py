"""What every room of the local cloud stands on: what its parts share, its one clock, its files, requests as calls."""
