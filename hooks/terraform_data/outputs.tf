output "id" {
  description = "Another one after each run; depend on it to come after the sites answer."
  value       = terraform_data.orchestrate.id
}
