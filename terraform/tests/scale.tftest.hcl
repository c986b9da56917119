# Many tenants: over several load balancers and certificates, so that nothing moves when one comes or goes.

variables {
  redis_databases = 3000
  tenants = {
    customer-00 = { slot = 0, hostname = "demo.vigilon.app" }
    customer-01 = { slot = 1, hostname = "customer-01.vigilon.app" }
    customer-02 = { slot = 2, hostname = "customer-02.vigilon.app" }
    customer-03 = { slot = 3, hostname = "customer-03.vigilon.app" }
    customer-04 = { slot = 4, hostname = "customer-04.vigilon.app" }
    customer-05 = { slot = 5, hostname = "customer-05.vigilon.app" }
    customer-06 = { slot = 6, hostname = "customer-06.vigilon.app" }
    customer-07 = { slot = 7, hostname = "customer-07.vigilon.app" }
    customer-08 = { slot = 8, hostname = "customer-08.vigilon.app" }
    customer-09 = { slot = 9, hostname = "customer-09.vigilon.app" }
    customer-10 = { slot = 10, hostname = "customer-10.vigilon.app" }
  }
}

run "eleven_tenants" {
  command = plan

  assert {
    condition     = join(" ", [for names in local.bundles : length(names)]) == "10 1" && join(" ", local.bundles["1"]) == "customer-10.vigilon.app"
    error_message = "Ten names are in the first certificate, the eleventh has another."
  }

  assert {
    condition     = join(" ", keys(local.beside["0"])) == "1" && length(local.further) == 0
    error_message = "One load balancer shows both: the first by default, the other by SNI."
  }
}

run "ten_whatever_their_slots" {
  command = plan

  variables {
    tenants = {
      customer-a = { slot = 0, hostname = "demo.vigilon.app" }
      customer-b = { slot = 12, hostname = "customer-b.vigilon.app" }
    }
  }

  assert {
    condition     = jsonencode(local.bundles) == jsonencode({ "0" = ["customer-b.vigilon.app", "demo.vigilon.app"] }) && length(local.beside["0"]) == 0
    error_message = "As few names as one certificate takes are in one: as before there were several."
  }
}

run "a_quota_that_was_raised" {
  command = plan

  variables {
    names_per_certificate = 100
  }

  assert {
    condition     = length(local.bundles) == 1 && length(local.bundles["0"]) == 11
    error_message = "All names are in one certificate."
  }
}

run "a_wildcard" {
  command = plan

  variables {
    certificate_names = ["*.vigilon.app"]
  }

  assert {
    condition     = jsonencode(local.bundles) == jsonencode({ "0" = ["*.vigilon.app"] }) && length(local.beside["0"]) == 0
    error_message = "One certificate, whoever comes."
  }
}

run "a_wildcard_that_covers_not_all" {
  command = plan

  variables {
    certificate_names = ["*.vigilon.com"]
  }

  expect_failures = [var.certificate_names]
}

run "several_load_balancers" {
  command = plan

  variables {
    names_per_certificate = 2
    tenants = {
      first  = { slot = 0, hostname = "first.vigilon.app" }
      last   = { slot = 89, hostname = "last.vigilon.app" }
      next   = { slot = 90, hostname = "next.vigilon.app" }
      beside = { slot = 92, hostname = "beside.vigilon.app" }
      far    = { slot = 499, hostname = "far.vigilon.app" }
      stays  = { slot = 93, hostname = "stays.vigilon.app", load_balancer = 0 }
    }
  }

  assert {
    condition     = local.balancers == { first = 0, last = 0, next = 1, beside = 1, far = 5, stays = 0 }
    error_message = "Ninety slots share a load balancer; a tenant may be given another place."
  }

  assert {
    condition     = local.further == toset(["1", "5"])
    error_message = "Each that leads to somebody is there once."
  }

  assert {
    condition     = jsonencode(local.bundles_of) == jsonencode({ "0" = ["0", "44", "46"], "1" = ["45", "46"], "5" = ["249"] })
    error_message = "Each load balancer has the certificates of those that it leads to."
  }

  assert {
    condition     = join(" ", keys(local.beside["0"])) == "44 46" && join(" ", keys(local.beside["1"])) == "46" && length(local.beside["5"]) == 0
    error_message = "The first of them is its default."
  }
}
