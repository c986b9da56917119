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

run "each_version_has_its_index" {
  command = plan

  variables {
    onyx_version = "v4.6.1"
    tenants = {
      on-2 = { slot = 0, hostname = "two.vigilon.app", onyx_version = "v2.12.0" }
      on-3 = { slot = 1, hostname = "three.vigilon.app", onyx_version = "v3.2.1" }
      on-4 = { slot = 2, hostname = "four.vigilon.app" }
      lite = { slot = 3, hostname = "lite.vigilon.app", index = "none" }
      kept = { slot = 4, hostname = "kept.vigilon.app", index = "both" }
    }
  }

  assert {
    condition     = local.indexes == { on-2 = "vespa", on-3 = "both", on-4 = "opensearch", lite = "none", kept = "both" }
    error_message = "The index follows from the version, unless it is said."
  }

  assert {
    condition     = keys(local.with_vespa) == ["kept", "on-2", "on-3"] && keys(local.with_opensearch) == ["kept", "on-3", "on-4"]
    error_message = "Each tenant has the instances of its own indexes."
  }

  assert {
    condition     = { for name, tenant in local.tenants : name => [tenant.cpu, tenant.memory] } == { on-2 = [1024, 3072], on-3 = [1024, 3072], on-4 = [1024, 3072], lite = [1024, 3072], kept = [1024, 3072] }
    error_message = "The web task is the guide's; background has its own from Onyx 3 on."
  }

  assert {
    condition     = local.runner == "on-2" && !local.alone
    error_message = "The lowest slot's index is the runner."
  }
}

run "opensearch_alone" {
  command = plan

  variables {
    onyx_version = "v4.6.1"
  }

  assert {
    condition     = local.runner == "customer-a" && !local.alone && length(local.with_vespa) == 0
    error_message = "Its instance is the runner."
  }
}

run "lite_alone" {
  command = plan

  variables {
    onyx_version = "v4.6.1"
    index        = "none"
  }

  assert {
    condition     = local.alone && length(local.with_vespa) == 0 && length(local.with_opensearch) == 0
    error_message = "Without an index the runner has an instance of its own."
  }
}

run "a_version_without_its_index" {
  command = plan
  variables {
    onyx_version = "v4.6.1"
    index        = "vespa"
  }
  expect_failures = [var.tenants]
}

run "a_version_that_is_not_known" {
  command = plan
  variables {
    onyx_version = "v5.0.0"
  }
  expect_failures = [var.onyx_version]
}

run "a_task_too_small_for_its_version" {
  command = plan
  variables {
    onyx_version = "v4.6.1"
    tenants      = { customer-a = { slot = 0, hostname = "demo.vigilon.app", background = { memory = 7168 } } }
  }
  expect_failures = [var.tenants]
}
