output "id" {
  description = "A new value after each run; depend on it to run after the sites answer."
  value       = terraform_data.orchestrate.id
}
