# The replicator as a Fargate service: docs/deploy.md says why each part is as it is.

locals {
  region    = split(":", aws_cloudwatch_log_group.replicator.arn)[3]
  partition = split(":", aws_cloudwatch_log_group.replicator.arn)[1]
}

resource "aws_cloudwatch_log_group" "replicator" {
  name              = "/dynamodb-replicator/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_ecs_task_definition" "replicator" {
  family                   = local.full_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.settings_container, local.replicator_container])
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
  volume {
    name = "settings"
  }
  volume {
    name = "state"
  }

  lifecycle {
    precondition {
      condition     = (var.properties != "") != local.many
      error_message = "Give one of the two: properties, which is one task's file, or tasks, which has many."
    }
    precondition {
      condition     = length(local.policies) == 1
      error_message = "policy has nothing for the usual credentials, which are the task role: print it for a file without sourceProfile and destinationProfile."
    }
  }
}

resource "aws_ecs_service" "replicator" {
  name                               = local.full_name
  cluster                            = var.cluster_arn
  task_definition                    = aws_ecs_task_definition.replicator.arn
  desired_count                      = var.desired_count
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 100 # a new daemon takes its shards before the next old one gives up its own
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = var.assign_public_ip
  }

  depends_on = [aws_iam_role_policy.task, aws_iam_role_policy.execution]
}
