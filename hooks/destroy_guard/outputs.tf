output "id" {
  description = "The id of the resource that takes a backup before it is destroyed."
  value       = terraform_data.guard.id
}
