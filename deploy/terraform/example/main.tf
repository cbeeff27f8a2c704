# One task as a service, with its alarms. Make policy.json first, with what the task role is to be allowed:
#   ./run.sh policy deploy/terraform/example/orders.properties --for check,replicate,status --json > deploy/terraform/example/policy.json

terraform {
  required_version = ">= 1.5"
}

provider "aws" {
  region = "us-east-1"
}

variable "subnet_ids" {
  description = "Private subnets in two zones."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Out: port 443."
  type        = list(string)
}

variable "topic_arn" {
  description = "The SNS topic that the alarms tell."
  type        = string
}

resource "aws_ecs_cluster" "replicators" {
  name = "replicators"
}

module "orders" {
  source             = "../service"
  name               = "orders"
  image              = "123456789012.dkr.ecr.us-east-1.amazonaws.com/dynamodb-replicator:0.1.0"
  properties         = file("${path.module}/orders.properties")
  policy             = file("${path.module}/policy.json")
  cluster_arn        = aws_ecs_cluster.replicators.arn
  subnet_ids         = var.subnet_ids
  security_group_ids = var.security_group_ids
}

module "alarms" {
  source     = "../alarms"
  task_names = ["orders-to-eu"]
  topic_arn  = var.topic_arn
}

output "task_role_arn" {
  description = "For the trust policies of roles in other accounts."
  value       = module.orders.task_role_arn
}
