"""The checklists."""
