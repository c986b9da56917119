output "arn" {
  value = var.wait ? one(aws_acm_certificate_validation.this[*].certificate_arn) : aws_acm_certificate.this.arn
}

output "validation_records" {
  value = [for option in aws_acm_certificate.this.domain_validation_options : {
    hostname = option.domain_name
    name     = option.resource_record_name
    type     = option.resource_record_type
    value    = option.resource_record_value
  }]
}
