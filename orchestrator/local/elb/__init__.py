"""Load balancers that answer, listeners and their rules, target groups and their health."""
