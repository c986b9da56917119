"""observe → decide → apply → observe again: the verdicts, the order, and the only loop."""
