"""Route 53, the Porkbun double, the name server that serves both, and ACM, which believes it."""
