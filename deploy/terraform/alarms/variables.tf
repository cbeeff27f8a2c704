variable "task_names" {
  description = "taskName of each task, as status shows it."
  type        = set(string)
}

variable "topic_arn" {
  description = "The SNS topic to tell."
  type        = string
}

variable "tags" {
  description = "Tags of the alarms."
  type        = map(string)
  default     = {}
}
