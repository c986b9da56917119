"""What Terraform says there is: the contract of a stack, and whose its parts are."""
