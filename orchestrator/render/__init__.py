"""What a run shows: each renderer is an `Emit`. Nothing else prints."""
