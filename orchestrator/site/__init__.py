"""What answers at a tenant's hostname: whether it is a site that is up, and this tenant's."""
