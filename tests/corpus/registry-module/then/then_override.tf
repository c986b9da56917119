# Customer X gets another name.

module "alb" {
  rules = { customer-x = "x-new.vigilon.app", customer-y = "y.vigilon.app" }
}
