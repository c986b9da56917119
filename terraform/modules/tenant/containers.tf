# Onyx in one task: nginx in front of web and api; they reach each other on localhost. background is next to them in Onyx 2,
# and in a task of its own from Onyx 3 on. What each version is told was read in its source (docs/explanation/onyx-versions.md).

locals {
  lite = var.vespa == null && var.opensearch == null

  apart = var.major > 2 && !local.lite # background takes 8 GB then, and nothing leads to it
  names = local.lite || local.apart ? ["api", "web", "nginx"] : ["api", "background", "web", "nginx"]

  usual_memory = {
    api        = var.major == 2 ? { limit = 768, reservation = 512 } : { limit = 2048, reservation = 1536 }
    background = var.major == 2 ? { limit = 768, reservation = 512 } : { limit = 8192, reservation = 6144 }
    web        = { limit = 512, reservation = 256 }
    nginx      = { limit = 128, reservation = 64 }
  }
  container_memory = coalesce(var.container_memory, local.usual_memory)

  of_indexes = merge(
    var.vespa == null ? {} : {
      VESPA_HOST        = var.vespa.host
      VESPA_PORT        = "8081"
      VESPA_TENANT_PORT = "19071"
    },
    var.opensearch == null ? {} : {
      OPENSEARCH_HOST           = var.opensearch.host
      OPENSEARCH_REST_API_PORT  = "9200"
      OPENSEARCH_ADMIN_USERNAME = "admin"
      OPENSEARCH_USE_SSL        = "true"
      OPENSEARCH_VERIFY_CERTS   = "false" # the image's own certificate, which nobody can verify
    },
    # Onyx 3 with both indexes: documents are written to both, and copied from the one to the other.
    var.major == 3 && var.opensearch != null ? { ENABLE_OPENSEARCH_INDEXING_FOR_ONYX = "true" } : {},
  )

  beside = {
    REDIS_HOST = var.redis.host
    REDIS_PORT = tostring(var.redis.port)
    REDIS_SSL  = "true"
    # One Redis for all tenants: without its own database numbers a tenant would run another tenant's tasks.
    REDIS_DB_NUMBER                       = tostring(var.redis.first_database)
    REDIS_DB_NUMBER_CELERY_RESULT_BACKEND = tostring(var.redis.first_database + 1)
    REDIS_DB_NUMBER_CELERY                = tostring(var.redis.first_database + 2)

    S3_FILE_STORE_BUCKET_NAME = var.bucket.name
    S3_FILE_STORE_PREFIX      = local.prefix
    AWS_REGION_NAME           = var.region # Onyx's own default is us-east-2
  }

  # Onyx Lite keeps everything in PostgreSQL.
  instead = {
    DISABLE_VECTOR_DB  = "true"
    FILE_STORE_BACKEND = "postgres"
    CACHE_BACKEND      = "postgres"
    AUTH_BACKEND       = "postgres"
  }

  backend_environment = merge({
    POSTGRES_HOST = var.postgres.host # an address: a host:port would become host:5432:5432
    POSTGRES_PORT = tostring(var.postgres.port)
    POSTGRES_DB   = var.postgres.database

    AUTH_TYPE            = "basic"
    WEB_DOMAIN           = local.site
    DISABLE_MODEL_SERVER = "true" # embeddings come from a provider chosen in the admin pages
  }, local.of_indexes, local.lite ? local.instead : local.beside, var.extra)

  backend_secrets = merge(
    {
      POSTGRES_USER     = "${var.postgres.secret_arn}:username::"
      POSTGRES_PASSWORD = "${var.postgres.secret_arn}:password::"
    },
    local.lite ? {} : { REDIS_PASSWORD = var.redis.secret_arn },
    var.opensearch == null ? {} : { OPENSEARCH_ADMIN_PASSWORD = "${var.opensearch.secret_arn}:password::" },
    var.major == 2 ? {} : { USER_AUTH_SECRET = var.user_auth_secret_arn },
  )

  specifications = {
    api = {
      image       = var.images.backend
      command     = ["/bin/sh", "-c", "alembic upgrade head && exec uvicorn onyx.main:app --host 0.0.0.0 --port 8080"]
      port        = 8080
      environment = local.backend_environment
      secrets     = local.backend_secrets
      after       = []
    }
    background = {
      image       = var.images.backend
      command     = ["/app/scripts/supervisord_entrypoint.sh"]
      port        = null
      environment = local.backend_environment
      secrets     = local.backend_secrets
      after       = local.apart ? [] : ["api"]
    }
    web = {
      image       = var.images.web
      command     = null
      port        = 3000
      environment = { INTERNAL_URL = "http://localhost:8080", HOSTNAME = "0.0.0.0", WEB_DOMAIN = local.site }
      secrets     = {}
      after       = []
    }
    nginx = {
      image   = var.images.nginx
      command = ["/bin/sh", "-c", "printf '%s' \"$NGINX_CONFIGURATION\" > /etc/nginx/conf.d/default.conf && exec nginx -g 'daemon off;'"]
      port    = 80
      environment = {
        DOMAIN                = var.hostname
        ONYX_BACKEND_API_HOST = "127.0.0.1"
        ONYX_WEB_SERVER_HOST  = "127.0.0.1"
        NGINX_CONFIGURATION   = file("${path.module}/nginx.conf")
      }
      secrets = {}
      after   = ["api", "web"]
    }
  }

  # Fields in the form ECS gives back, so that a plan after an apply is empty.
  containers = [for name in local.names : local.defined[name]]

  defined = { for name in keys(local.specifications) : name => merge(
    {
      name              = name
      image             = local.specifications[name].image
      essential         = true
      memory            = local.container_memory[name].limit
      memoryReservation = local.container_memory[name].reservation
      environment       = [for key in sort(keys(local.specifications[name].environment)) : { name = key, value = local.specifications[name].environment[key] }]
      portMappings      = [for port in [local.specifications[name].port] : { containerPort = port, hostPort = port, protocol = "tcp" } if port != null]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = var.region
          awslogs-stream-prefix = name
        }
      }
    },
    local.specifications[name].command == null ? {} : { command = local.specifications[name].command },
    length(local.specifications[name].secrets) == 0 ? {} : {
      secrets = [for key in sort(keys(local.specifications[name].secrets)) : { name = key, valueFrom = local.specifications[name].secrets[key] }]
    },
    length(local.specifications[name].after) == 0 ? {} : {
      dependsOn = [for other in local.specifications[name].after : { containerName = other, condition = "START" }]
    },
  ) }
}
