variable "name" {
  description = "Names the service, its roles and its log group: dynamodb-replicator-NAME."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,40}$", var.name))
    error_message = "name: 1 to 40 letters, digits and hyphens, for roles have at most 64 characters."
  }
}

variable "image" {
  description = "The image that deploy/Dockerfile makes, with its tag or digest."
  type        = string
}

variable "properties" {
  description = "One task: the content of its properties file, as file(\"orders.properties\")."
  type        = string
  default     = ""
}

variable "tasks" {
  description = "Or many tasks in one daemon: the content of each one's properties file, by its name without .properties."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.tasks) : name != "common" && can(regex("^[A-Za-z0-9_-][A-Za-z0-9_.-]*$", name))])
    error_message = "tasks: a name is a file's, without .properties; common.properties is the variable common."
  }
}

variable "common" {
  description = "What all of many tasks inherit, as a properties file."
  type        = string
  default     = ""
}

variable "policy" {
  description = "What `policy orders.properties --for check,replicate,status --json` prints: the task role is allowed just that."
  type        = string
  validation {
    condition     = can(jsondecode(var.policy).policies)
    error_message = "policy: not what the command policy prints with --json, of one task or, without --split, of many."
  }
}

variable "cluster_arn" {
  description = "The ECS cluster."
  type        = string
}

variable "subnet_ids" {
  description = "Two or more, in different zones, with a way to DynamoDB, DynamoDB Streams, CloudWatch and the image."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Out: port 443. In: nothing, or the metrics port from Prometheus."
  type        = list(string)
}

variable "assign_public_ip" {
  description = "For subnets without NAT or VPC endpoints."
  type        = bool
  default     = false
}

variable "desired_count" {
  description = "Daemons. They share the stream's shards; more than those only stand by."
  type        = number
  default     = 2
}

variable "cpu" {
  description = "CPU units of each daemon."
  type        = number
  default     = 512
}

variable "memory" {
  description = "MB of each daemon."
  type        = number
  default     = 2048
}

variable "cpu_architecture" {
  description = "X86_64 or ARM64, as the image is."
  type        = string
  default     = "X86_64"
}

variable "metrics_port" {
  description = "Where Prometheus finds the metrics; 0 for nowhere."
  type        = number
  default     = 9404
}

variable "environment" {
  description = "More variables of the daemon, such as AWS_CA_BUNDLE."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Variables whose values are in Secrets Manager or Parameter Store, by their ARNs, such as the key of maskKey=env:NAME."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the console's lines."
  type        = number
  default     = 30
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of both roles, where the account wants one."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
