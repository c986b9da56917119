output "id" {
  description = "A new value after each run; depend on it to run after the sites answer."
  value       = null_resource.orchestrate.id
}
