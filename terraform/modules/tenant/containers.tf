# Onyx 2.x in one task: nginx in front of web and api, and background next to them; they reach each other on localhost.

locals {
  backend_environment = merge({
    POSTGRES_HOST = var.postgres.host # an address: a host:port would become host:5432:5432
    POSTGRES_PORT = tostring(var.postgres.port)
    POSTGRES_DB   = var.postgres.database

    REDIS_HOST = var.redis.host
    REDIS_PORT = tostring(var.redis.port)
    REDIS_SSL  = "true"
    # One Redis for all tenants: without its own database numbers a tenant would run another tenant's tasks.
    REDIS_DB_NUMBER                       = tostring(var.redis.first_database)
    REDIS_DB_NUMBER_CELERY_RESULT_BACKEND = tostring(var.redis.first_database + 1)
    REDIS_DB_NUMBER_CELERY                = tostring(var.redis.first_database + 2)

    VESPA_HOST        = var.vespa.host
    VESPA_PORT        = "8081"
    VESPA_TENANT_PORT = "19071"

    S3_FILE_STORE_BUCKET_NAME = var.bucket.name
    S3_FILE_STORE_PREFIX      = local.prefix
    AWS_REGION_NAME           = var.region # Onyx's own default is us-east-2

    AUTH_TYPE            = "basic"
    WEB_DOMAIN           = local.site
    DISABLE_MODEL_SERVER = "true" # embeddings come from a provider chosen in the admin pages
  }, var.extra)

  backend_secrets = {
    POSTGRES_USER     = "${var.postgres.secret_arn}:username::"
    POSTGRES_PASSWORD = "${var.postgres.secret_arn}:password::"
    REDIS_PASSWORD    = var.redis.secret_arn
  }

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
      after       = ["api"]
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
  containers = [for name in ["api", "background", "web", "nginx"] : merge(
    {
      name              = name
      image             = local.specifications[name].image
      essential         = true
      memory            = var.container_memory[name].limit
      memoryReservation = var.container_memory[name].reservation
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
  )]
}
