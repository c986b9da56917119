# Vespa moves to another zone, with its index on its root disk.

resource "aws_instance" "vespa" {
  subnet_id = module.base.subnet_ids[1]
}
