# The root: the example plans, and what is wrong is refused before anything is planned.

variables {
  tenants = {
    customer-a = { slot = 0, hostname = "demo.vigilon.app" }
    customer-b = { slot = 1, hostname = "customer-b.vigilon.app" }
  }
}

run "the_example" {
  command = plan

  variables {
    dns = { provider = "porkbun", zone = "vigilon.app" }
  }

  assert {
    condition     = aws_ecs_cluster.this.name == "onyx-prod-cluster"
    error_message = "The guide's cluster."
  }

  assert {
    condition     = local.runner == "customer-a"
    error_message = "The lowest slot's Vespa is the runner."
  }

  assert {
    condition     = { for name, tenant in local.tenants : name => [tenant.database, tenant.role] } == { customer-a = ["onyx_customer_a", "onyx_customer_a"], customer-b = ["onyx_customer_b", "onyx_customer_b"] }
    error_message = "Each tenant has its own database and role."
  }

  assert {
    condition     = output.file_store_bucket == "onyx-prod-file-store-${local.account_id}"
    error_message = "The bucket's name is unique in the world, and the same again."
  }
}

run "no_tenants" {
  command = plan
  variables {
    tenants = {}
  }
  expect_failures = [var.tenants]
}

run "one_slot_twice" {
  command = plan
  variables {
    tenants = {
      customer-a = { slot = 1, hostname = "demo.vigilon.app" }
      customer-b = { slot = 1, hostname = "customer-b.vigilon.app" }
    }
  }
  expect_failures = [var.tenants]
}

run "more_slots_than_redis_databases" {
  command = plan
  variables {
    tenants = { customer-a = { slot = 5, hostname = "demo.vigilon.app" } }
  }
  expect_failures = [var.tenants]
}

run "one_hostname_twice" {
  command = plan
  variables {
    tenants = {
      customer-a = { slot = 0, hostname = "demo.vigilon.app" }
      customer-b = { slot = 1, hostname = "demo.vigilon.app" }
    }
  }
  expect_failures = [var.tenants]
}

run "one_database_twice" {
  command = plan
  variables {
    tenants = {
      customer-a = { slot = 0, hostname = "demo.vigilon.app" }
      customer-b = { slot = 1, hostname = "customer-b.vigilon.app", database = "onyx_customer_a" }
    }
  }
  expect_failures = [var.tenants]
}

run "a_database_that_is_a_statement" {
  command = plan
  variables {
    tenants = { customer-a = { slot = 0, hostname = "demo.vigilon.app", database = "x\"; DROP DATABASE postgres" } }
  }
  expect_failures = [var.tenants]
}

run "a_task_too_small" {
  command = plan
  variables {
    tenants = { customer-a = { slot = 0, hostname = "demo.vigilon.app", memory = 2048 } }
  }
  expect_failures = [var.tenants]
}

run "a_database_server_too_small" {
  command = plan
  variables {
    postgres_instance_class = "db.t4g.micro"
  }
  expect_failures = [var.postgres_instance_class]
}

run "images_that_float" {
  command = plan
  variables {
    onyx_version  = "latest"
    vespa_version = "latest"
    nginx_version = "stable"
  }
  expect_failures = [var.onyx_version, var.vespa_version, var.nginx_version]
}

run "a_hostname_of_another_zone" {
  command = plan
  variables {
    dns = { provider = "porkbun", zone = "example.com" }
  }
  expect_failures = [var.dns]
}

run "a_runner_that_is_no_tenant" {
  command = plan
  variables {
    runner_tenant = "customer-c"
  }
  expect_failures = [var.runner_tenant]
}
