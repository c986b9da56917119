output "id" {
  description = "Of the resource whose destruction is preceded by a backup."
  value       = terraform_data.guard.id
}
