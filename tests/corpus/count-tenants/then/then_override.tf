# Beta leaves.

locals {
  customers = ["Alpha"]
}
