output "service_name" {
  description = "The service, in its cluster."
  value       = aws_ecs_service.replicator.name
}

output "task_role_arn" {
  description = "Whom other accounts' roles must trust: `policy orders.properties --caller ARN` prints their trust policies."
  value       = aws_iam_role.task.arn
}

output "log_group_name" {
  description = "Where the console's lines are."
  value       = aws_cloudwatch_log_group.replicator.name
}
