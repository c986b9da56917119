"""Who may do what, what a call must be allowed, and what was decided."""
