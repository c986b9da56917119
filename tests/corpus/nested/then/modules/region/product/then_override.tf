# The reporting database goes; no site of ours is in it.

resource "aws_db_instance" "reporting" {
  count = 0
}
