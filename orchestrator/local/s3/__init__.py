"""S3: whose a bucket is."""
