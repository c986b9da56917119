"""The programs an instance has beside the system's. With the standard library only."""
