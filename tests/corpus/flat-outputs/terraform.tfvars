postgres_password = "obviously-fake-postgres-password"
redis_auth_token  = "obviously-fake-redis-auth-token"
