# Everything three modules deep, under a key with odd characters; several listeners; the zone and the records are
# Terraform's own.

module "region" {
  source   = "./modules/region"
  for_each = toset(["us-west-2 (main)"])
}
