variable "region" {
  description = "AWS region of the whole stack."
  type        = string
  default     = "us-west-2"
}

variable "account_id" {
  description = "The only AWS account this stack may be applied to; null allows any."
  type        = string
  default     = null
}

variable "name" {
  description = "First half of every name (`onyx` in `onyx-prod-cluster`)."
  type        = string
  default     = "onyx"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.name))
    error_message = "name: a lowercase letter, then up to 15 lowercase letters, digits or hyphens (AWS names of 32 characters are made from it)."
  }
}

variable "environment" {
  description = "Second half of every name (`prod` in `onyx-prod-cluster`)."
  type        = string
  default     = "prod"

  validation {
    condition     = can(regex("^[a-z0-9]{1,8}$", var.environment))
    error_message = "environment: 1 to 8 lowercase letters or digits."
  }
}

variable "log_prefix" {
  description = "Log groups are `PREFIX/TENANT`, as in the guide. A second stack with the same tenants in the account needs another prefix."
  type        = string
  default     = "/ecs"
}

# --- Tenants -------------------------------------------------------------------------------------------------------

variable "tenants" {
  description = <<-EOT
    The customers, by name. Each has its own database and role, secret, Redis database numbers, S3 prefix, search index and service.
    `slot` is assigned once and never reused: it determines the tenant's three Redis databases (3 × slot …) and the priority
    of its listener rule, so adding or removing a tenant never moves another's.
  EOT
  type = map(object({
    slot          = number
    hostname      = string
    database      = optional(string) # default: onyx_<tenant>, hyphens as underscores
    role          = optional(string) # default: the database's name
    onyx_version  = optional(string) # default: onyx_version; so that tenants can be upgraded one at a time
    index         = optional(string) # default: index
    cpu           = optional(number) # default: 1024
    memory        = optional(number) # default: 3072
    load_balancer = optional(number) # 0 is the first; default: its slot decides (tenants_per_load_balancer)
    background = optional(object({   # from Onyx 3 on it is a service of its own
      cpu    = optional(number, 2048)
      memory = optional(number, 8192)
    }), {})
    environment = optional(map(string), {}) # more variables for api and background; nothing secret
    dns = optional(object({                 # where its hostname's record lives, if elsewhere than `dns` says
      provider = string
      zone     = string
      ttl      = optional(number, 300)
    }))
  }))

  validation {
    condition     = length(var.tenants) > 0
    error_message = "tenants: at least one."
  }
  validation {
    condition     = alltrue([for tenant in keys(var.tenants) : can(regex("^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$", tenant))])
    error_message = "tenants: a name is 1 to 16 lowercase letters, digits or inner hyphens, a letter first."
  }
  validation {
    condition     = length(distinct([for tenant in var.tenants : tenant.slot])) == length(var.tenants)
    error_message = "tenants: two tenants have the same slot."
  }
  validation {
    condition     = alltrue([for tenant in var.tenants : tenant.slot >= 0 && floor(tenant.slot) == tenant.slot && 3 * tenant.slot + 2 < var.redis_databases])
    error_message = "tenants: a slot is a whole number from 0, and its three Redis databases (3 × slot to 3 × slot + 2) must be below redis_databases (16: slots 0 to 4)."
  }
  validation {
    condition     = length(distinct([for tenant in var.tenants : lower(tenant.hostname)])) == length(var.tenants)
    error_message = "tenants: two tenants have the same hostname."
  }
  validation {
    condition     = alltrue([for tenant in var.tenants : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", tenant.hostname))])
    error_message = "tenants: a hostname is a lowercase domain name without a trailing dot."
  }
  validation {
    condition     = length(distinct([for name, tenant in var.tenants : coalesce(tenant.database, "onyx_${replace(name, "-", "_")}")])) == length(var.tenants)
    error_message = "tenants: two tenants have the same database."
  }
  validation {
    condition = alltrue(flatten([for tenant in var.tenants : [
      for identifier in [tenant.database, tenant.role] : identifier == null || can(regex("^[a-z_][a-z0-9_]{0,62}$", identifier))
    ]]))
    error_message = "tenants: database and role are 1 to 63 lowercase letters, digits or underscores, no digit first (PostgreSQL truncates longer names)."
  }
  validation {
    condition     = alltrue([for tenant in var.tenants : coalesce(tenant.cpu, 1024) >= 1024 && coalesce(tenant.memory, 3072) >= 3072])
    error_message = "tenants: a task needs at least 1 vCPU (1024) and 3 GB (3072): the containers' limits of the guide add up to 2 GB, and nginx comes on top."
  }
  validation {
    condition     = alltrue([for tenant in var.tenants : tenant.background.cpu >= 1024 && tenant.background.memory >= 8192])
    error_message = "tenants: background needs at least 1 vCPU (1024) and 8 GB (8192): it is eight workers, a scheduler and two bots."
  }
  validation {
    condition     = alltrue([for tenant in var.tenants : can(regex("^v?[234]\\.[0-9]+\\.[0-9]+", coalesce(tenant.onyx_version, "v2.0.0")))])
    error_message = "tenants: an onyx_version is a fixed tag of 2.x, 3.x or 4.x (`latest` changes from day to day)."
  }
  validation {
    condition     = alltrue([for tenant in var.tenants : contains(["vespa", "both", "opensearch", "none"], coalesce(tenant.index, "vespa"))])
    error_message = "tenants: an index is vespa, both, opensearch or none."
  }
  validation {
    condition = alltrue([for tenant in var.tenants : contains(
      {
        "2" = ["vespa", "-"]
        "3" = ["both", "-"]
        "4" = ["opensearch", "both", "none", "-"]
      }[try(regex("^v?([234])", coalesce(tenant.onyx_version, var.onyx_version))[0], "4")],
      coalesce(tenant.index, var.index, "-"),
    )])
    error_message = "tenants: version and index don't match. Onyx 2 has Vespa; Onyx 3 both; Onyx 4 opensearch (both: Vespa is kept, unused, until you no longer want to go back), or none (Onyx Lite). The upgrade path is 2 → 3 → 4."
  }
}

variable "runner_tenant" {
  description = "The tenant whose index instance runs the orchestrator's SSM commands; null: the one with the lowest slot. If none has an instance, a small one is created for it."
  type        = string
  default     = null

  validation {
    condition     = var.runner_tenant == null || contains(keys(var.tenants), coalesce(var.runner_tenant, "-"))
    error_message = "runner_tenant: no such tenant."
  }
}

variable "runner_instance_type" {
  description = "Instance type of the runner, if it is a separate instance."
  type        = string
  default     = "t3.micro"
}

# --- Images: each major version of Onyx has another index, so every tag is pinned ---------------------------------------

variable "onyx_version" {
  description = "Tag of the Onyx images: 2.x, 3.x or 4.x. It determines the search index."
  type        = string
  default     = "v2.0.0"

  validation {
    condition     = can(regex("^v?[234]\\.[0-9]+\\.[0-9]+", var.onyx_version))
    error_message = "onyx_version: a fixed tag of 2.x, 3.x or 4.x (`latest` changes from day to day)."
  }
}

variable "index" {
  description = <<-EOT
    The search index: vespa (Onyx 2), both (Onyx 3, which copies the documents from Vespa to OpenSearch), opensearch (Onyx 4)
    or none (Onyx Lite: PostgreSQL alone, no search in documents). null: what the version needs.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.index == null || contains(["vespa", "both", "opensearch", "none"], coalesce(var.index, "none"))
    error_message = "index: vespa, both, opensearch or none."
  }
}

variable "vespa_version" {
  description = "Tag of the Vespa image: the one Onyx 2.x is tested with."
  type        = string
  default     = "8.609.39"

  validation {
    condition     = can(regex("^8\\.[0-9]+\\.[0-9]+$", var.vespa_version))
    error_message = "vespa_version: a fixed 8.x tag."
  }
}

variable "opensearch_version" {
  description = "Tag of the OpenSearch image: the one Onyx 4.x is tested with."
  type        = string
  default     = "3.6.0"

  validation {
    condition     = can(regex("^3\\.[0-9]+\\.[0-9]+$", var.opensearch_version))
    error_message = "opensearch_version: a fixed 3.x tag."
  }
}

variable "nginx_version" {
  description = "Tag of the nginx image in front of api and web."
  type        = string
  default     = "1.27.5-alpine"

  validation {
    condition     = can(regex("^1\\.[0-9]+\\.[0-9]+", var.nginx_version))
    error_message = "nginx_version: a fixed 1.x.y tag."
  }
}

# --- Network -------------------------------------------------------------------------------------------------------

variable "vpc_cidr" {
  description = "Address range of the VPC; its subnets take four sixteenths of it (of a /16: four /20)."
  type        = string
  default     = "10.0.0.0/16"
}

variable "nat_gateway" {
  description = "true: tasks and Vespa in private subnets behind one NAT gateway (about 32 USD a month). false: in public subnets with public addresses; the security groups still let nothing in."
  type        = bool
  default     = true
}

# --- PostgreSQL ----------------------------------------------------------------------------------------------------

variable "postgres_version" {
  description = "Major version of the RDS engine; AWS picks the minor one."
  type        = string
  default     = "16"
}

variable "postgres_instance_class" {
  description = "Instance class, at least db.t4g.small: Onyx's 275+ migrations need its 2 GB of memory."
  type        = string
  default     = "db.t4g.small"

  validation {
    condition     = can(regex("^db\\.", var.postgres_instance_class)) && !can(regex("\\.(nano|micro)$", var.postgres_instance_class))
    error_message = "postgres_instance_class: at least db.t4g.small; the migrations run out of memory on less."
  }
}

variable "postgres_admin_user" {
  description = "The RDS master user. Tasks never use it: each tenant has its own role."
  type        = string
  default     = "onyx_root"
}

variable "postgres_storage_gb" {
  description = "Initial storage (GiB); it grows automatically up to five times that."
  type        = number
  default     = 20
}

variable "postgres_multi_az" {
  description = "A standby in another availability zone."
  type        = bool
  default     = false
}

variable "postgres_snapshot" {
  description = "Snapshot that a *new* instance is restored from. No effect on an existing instance."
  type        = string
  default     = null
}

variable "vespa_snapshots" {
  description = "Tenant → EBS snapshot that its *new* index volume is made from. No effect on an existing volume."
  type        = map(string)
  default     = {}
}

variable "opensearch_snapshots" {
  description = "Tenant → EBS snapshot that its *new* OpenSearch volume is made from. No effect on an existing volume."
  type        = map(string)
  default     = {}
}

variable "postgres_final_snapshot" {
  description = "Take a snapshot when the instance is destroyed."
  type        = bool
  default     = true
}

# --- Protection against data loss ----------------------------------------------------------------------------------

variable "deletion_protection" {
  description = "Deletion protection: AWS refuses to delete the database and the load balancer until this is applied as false."
  type        = bool
  default     = true
}

variable "bucket_force_destroy" {
  description = "true: destroy deletes the bucket with every version of every object. false: a bucket that is not empty stops the destroy."
  type        = bool
  default     = false
}

variable "secret_recovery_days" {
  description = "Days for which a deleted secret can be restored (7 to 30; 0: none). Names are new after each destroy, so this never blocks an apply."
  type        = number
  default     = 7
}

# --- Redis, search indexes ----------------------------------------------------------------------------------------------------

variable "redis_node_type" {
  description = "ElastiCache node type."
  type        = string
  default     = "cache.t4g.small"
}

variable "redis_parameter_group" {
  description = "A parameter group of the redis7 family. More than 16 databases (five tenants) need one of your own: `databases` is fixed when the group is created."
  type        = string
  default     = "default.redis7"
}

variable "tenants_per_load_balancer" {
  description = "Slots that share a load balancer. AWS ends at 100 target groups for each; some room is left for blue/green."
  type        = number
  default     = 90

  validation {
    condition     = var.tenants_per_load_balancer >= 1 && var.tenants_per_load_balancer <= 100 && floor(var.tenants_per_load_balancer) == var.tenants_per_load_balancer
    error_message = "tenants_per_load_balancer: a whole number from 1 to 100."
  }
}

variable "names_per_certificate" {
  description = "Hostnames that share a certificate: your account's quota of ACM (10, unless it was raised). Of more tenants, each has its certificate by its slot."
  type        = number
  default     = 10

  validation {
    condition     = var.names_per_certificate >= 1 && var.names_per_certificate <= 100 && floor(var.names_per_certificate) == var.names_per_certificate
    error_message = "names_per_certificate: a whole number from 1 to 100."
  }
}

variable "certificate_names" {
  description = "Names of the one certificate instead of every tenant's hostname, such as [\"*.vigilon.app\"]; null: the hostnames. A wildcard has room for any number of tenants."
  type        = list(string)
  default     = null

  validation {
    condition = var.certificate_names == null || alltrue([
      for tenant in var.tenants : contains(coalesce(var.certificate_names, []), tenant.hostname) || contains(coalesce(var.certificate_names, []), "*.${join(".", slice(split(".", tenant.hostname), 1, length(split(".", tenant.hostname))))}")
    ])
    error_message = "certificate_names: a tenant's hostname is none of them, nor covered by a wildcard among them."
  }
}

variable "redis_databases" {
  description = "How many databases the parameter group allows."
  type        = number
  default     = 16
}

variable "vespa_instance_type" {
  description = "Instance type: x86-64 with AVX2 (Haswell or later), and at least 4 GB for the container."
  type        = string
  default     = "t3.large"
}

variable "vespa_volume_gb" {
  description = "Size of each tenant's index volume (GiB)."
  type        = number
  default     = 50
}

variable "opensearch_instance_type" {
  description = "Instance type. Its memory must be at least twice the heap: the rest caches OpenSearch's files."
  type        = string
  default     = "t3.large"
}

variable "opensearch_heap_gb" {
  description = "OpenSearch's Java heap: half of the instance's memory at most."
  type        = number
  default     = 2
}

variable "opensearch_volume_gb" {
  description = "Size of each tenant's OpenSearch volume (GiB)."
  type        = number
  default     = 50
}

# --- Certificate, DNS --------------------------------------------------------------------------------------------------

variable "certificate_arn" {
  description = "An issued ACM certificate that covers every hostname; null: the stack requests its own."
  type        = string
  default     = null
}

variable "wait_for_certificate" {
  description = <<-EOT
    For the stack's own certificate. true: the apply waits until ACM has issued it, as AWS requires: a listener refuses a
    pending certificate. The validation records never change for an account and hostname, so only the first apply has to
    wait until they are published (publish_certificate).
    false: only for a cloud whose listeners accept a pending certificate.
  EOT
  type        = bool
  default     = true
}

variable "publish_certificate" {
  description = <<-EOT
    Only with wait_for_certificate and dns. true: the apply itself publishes ACM's validation records in the zone, by calling
    `orchestrate certificate`. false: somebody else publishes `acm_validation_records` (see docs/reference/terraform.md).
  EOT
  type        = bool
  default     = true
}

variable "dns" {
  description = "Where the hostnames' records live: provider `route53` or `porkbun`, the zone's name, the records' TTL. null: orchestrate changes no record."
  type = object({
    provider = string
    zone     = string
    ttl      = optional(number, 300)
  })
  default = null

  validation {
    condition     = var.dns == null || try(length(var.dns.provider) > 0, false)
    error_message = "dns.provider: route53, porkbun, lexicon:NAME or another installed provider."
  }
  validation {
    condition     = var.dns == null || alltrue([for tenant in var.tenants : tenant.dns != null || tenant.hostname == try(var.dns.zone, "") || endswith(tenant.hostname, ".${try(var.dns.zone, "")}")])
    error_message = "dns.zone: every tenant's hostname must be in it, or the tenant has a `dns` of its own."
  }
}

# --- The orchestrator --------------------------------------------------------------------------------------------------

variable "run_orchestrate" {
  description = "true: a plain `terraform apply` ends with `orchestrate run`, so that the sites answer when it is done."
  type        = bool
  default     = false
}

variable "orchestrate_command" {
  description = "Command that starts orchestrate on the machine where Terraform runs."
  type        = string
  default     = "orchestrate"
}
