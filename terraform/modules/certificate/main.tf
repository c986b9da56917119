# One certificate for these hostnames (ACM's quota is 10 names by default).
resource "aws_acm_certificate" "this" {
  domain_name               = var.hostnames[0]
  subject_alternative_names = slice(var.hostnames, 1, length(var.hostnames))
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true # the listener holds the old one until it has the new one
  }
}

# The records that ACM asks for are published between the request and the wait, by the orchestrator: so the first apply of
# a new domain needs no second terminal. If they are already in DNS, it does nothing; destroy leaves them.
resource "terraform_data" "published" {
  count = var.publish == null ? 0 : 1

  triggers_replace = aws_acm_certificate.this.arn

  provisioner "local-exec" {
    command = "${var.publish.command} certificate"

    environment = {
      ORCHESTRATE_CERTIFICATE = jsonencode({
        arn        = aws_acm_certificate.this.arn
        region     = var.publish.region
        account_id = var.publish.account_id
        dns        = var.publish.dns
        names      = var.publish.names
      })
    }
  }
}

# Only waits: the validation records are published outside, and stay when the stack goes.
resource "aws_acm_certificate_validation" "this" {
  count = var.wait ? 1 : 0

  certificate_arn = aws_acm_certificate.this.arn

  depends_on = [terraform_data.published]
}
