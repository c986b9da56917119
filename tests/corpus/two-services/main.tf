# One tenant as two services behind one name: the pages, and the api under /api. Only the api has a database.

module "base" {
  source = "../shared/base"
  name   = "split"
}

resource "aws_db_instance" "main" {
  identifier             = "split"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "split_root"
  password               = "obviously-fake-split-password"
  vpc_security_group_ids = [module.base.groups.data]
  skip_final_snapshot    = true
}

resource "aws_instance" "tools" {
  count = 2

  ami                    = module.base.image
  instance_type          = "t4g.nano"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = [module.base.groups.tools]
  iam_instance_profile   = module.base.profile
}

resource "aws_ecs_cluster" "main" {
  name = "split"
}

module "api" {
  source       = "../shared/site"
  name         = "split-api"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  priority     = 10
  hosts        = ["split.vigilon.app"]

  environment = {
    POSTGRES_HOST     = aws_db_instance.main.address
    POSTGRES_DB       = "split"
    POSTGRES_USER     = "split_root"
    POSTGRES_PASSWORD = "obviously-fake-split-password"
  }
}

module "pages" {
  source       = "../shared/site"
  name         = "split-pages"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  priority     = 20
  hosts        = ["split.vigilon.app"]
  image        = "onyxdotapp/onyx-web-server:v2.3.0"
  environment  = { INTERNAL_URL = "https://split.vigilon.app/api" }
}
