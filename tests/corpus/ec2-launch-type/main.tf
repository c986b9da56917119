# Containers on instances of our own (bridge network, dynamic ports); the only one with an SSM agent is a jump host.

module "base" {
  source = "../shared/base"
  name   = "metal"
}

resource "aws_db_instance" "main" {
  identifier             = "metal"
  engine                 = "postgres"
  instance_class         = "db.t4g.small"
  allocated_storage      = 20
  username               = "metal_root"
  password               = "obviously-fake-metal-password"
  vpc_security_group_ids = [module.base.groups.data]
  skip_final_snapshot    = true
}

resource "aws_ecs_cluster" "main" {
  name = "metal"
}

resource "aws_instance" "container_host" {
  count = 2

  ami                    = module.base.image
  instance_type          = "m6i.xlarge"
  subnet_id              = module.base.subnet_ids[count.index]
  vpc_security_group_ids = [module.base.groups.app]
  user_data              = "#!/bin/bash\necho ECS_CLUSTER=metal >> /etc/ecs/ecs.config\n"
}

resource "aws_instance" "jump" {
  ami                    = module.base.image
  instance_type          = "t4g.nano"
  subnet_id              = module.base.subnet_ids[0]
  vpc_security_group_ids = [module.base.groups.tools]
  iam_instance_profile   = module.base.profile
}

module "site" {
  source       = "../shared/site"
  name         = "metal-site"
  launch_type  = "EC2"
  cluster      = aws_ecs_cluster.main.arn
  vpc_id       = module.base.vpc_id
  subnet_ids   = module.base.subnet_ids
  role_arn     = module.base.role_arn
  listener_arn = module.base.listener_arn
  hosts        = ["metal.vigilon.app"]

  environment = {
    POSTGRES_HOST     = aws_db_instance.main.address
    POSTGRES_DB       = "metal"
    POSTGRES_USER     = "metal_root"
    POSTGRES_PASSWORD = "obviously-fake-metal-password"
    VESPA_HOST        = aws_instance.container_host[0].private_ip
  }
}
