output "id" {
  description = "Another one each time there is a reason to run."
  value       = terraform_data.orchestrate.id
}
