# A new version of both services: they restart, and nothing else happens.

module "api" {
  image = "onyxdotapp/onyx-backend:v2.4.0"
}

module "pages" {
  image = "onyxdotapp/onyx-web-server:v2.4.0"
}
