"""What log lines say in words of their own: one module for each who says it, the most telling first."""
