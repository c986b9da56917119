"""AWS, one file per service: frozen results in, botocore errors out as Problems. boto3 is imported nowhere else."""
