"""What is wrong with a stack, causes first."""
