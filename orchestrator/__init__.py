"""`orchestrate`: brings an Onyx stack on AWS to life after Terraform."""

from __future__ import annotations

__version__ = "0.1.0"
