module "product" {
  source = "./product"
  count  = 1
}
