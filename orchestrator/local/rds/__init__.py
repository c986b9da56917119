"""Real PostgreSQL servers behind RDS, and their snapshots."""
