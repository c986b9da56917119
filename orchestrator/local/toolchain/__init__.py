"""Terraform and its AWS provider: found on the machine, else fetched."""
