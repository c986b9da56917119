# With a NAT gateway, and without.

provider "aws" {
  region = "us-west-2"
}

variables {
  name   = "onyx-prod"
  cidr   = "10.0.0.0/16"
  region = "us-west-2"
}

run "with_a_nat_gateway" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateway = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 1
    error_message = "One NAT gateway, and the way to it."
  }

  assert {
    condition     = !anytrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch])
    error_message = "Nothing gets a public address by itself."
  }

  assert {
    condition     = length(setintersection(aws_subnet.public[*].cidr_block, aws_subnet.private[*].cidr_block)) == 0 && length(distinct(aws_subnet.private[*].availability_zone)) == 2
    error_message = "Two zones, and no address twice."
  }
}

run "without" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateway = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0
    error_message = "Nothing to pay."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch])
    error_message = "Vespa's instances get out by an address of their own."
  }
}
