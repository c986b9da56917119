output "id" {
  description = "A new value each time there is a reason to run."
  value       = terraform_data.orchestrate.id
}
