# In a unit's terragrunt.hcl: after `terragrunt apply`, the steps.
#
# Terragrunt works in a cache, where its hooks run too; this unit's orchestrate.toml is copied there. The state is
# unlocked again when the hook runs. Make the file with `orchestrate init --chdir CACHE`, and copy it next to this one.

terraform {
  after_hook "orchestrate" {
    commands     = ["apply"]
    execute      = ["orchestrate", "run", "--lock-timeout", "600"]
    run_on_error = false
  }
}

generate "orchestrate" {
  path              = "orchestrate.toml"
  if_exists         = "overwrite"
  disable_signature = true
  contents          = file("${get_terragrunt_dir()}/orchestrate.toml")
}
