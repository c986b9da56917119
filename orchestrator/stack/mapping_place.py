"""Where a stack's mapping is written by hand: the table of its contract in the file of settings."""

FILE = "orchestrate.toml"
CONTRACT = "contract"
"""The one table in it that is no setting."""
CONTRACT_FILE = "contract.json"
"""In a directory that has no Terraform: the contract of the stack that it stands for."""
CONTRACT_VARIABLE = "ORCHESTRATE_CONTRACT"
"""The contract itself, in the environment."""
