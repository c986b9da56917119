"""Instances, volumes and subnets, and who may connect to whom."""
