"""Stories that are played on the local cloud: the demo and the round trip."""
