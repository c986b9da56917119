"""Tenant databases: what they should be (`model`), and two ways to look and to make it so (`ssm`, `direct`)."""
