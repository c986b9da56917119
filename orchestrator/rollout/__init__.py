"""What a tenant's service is doing, why a task of it stopped, and its logs."""
