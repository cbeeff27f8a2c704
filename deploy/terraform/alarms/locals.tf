# The one definition of the alarms is CloudFormation's template. It has no short forms (!Sub), which yamldecode does not know.
locals {
  alarms = {
    for name, each in yamldecode(file("${path.module}/../../../docs/metrics/cloudwatch-alarms.yml")).Resources :
    name => each.Properties
  }

  each = merge([
    for task in var.task_names : { for name, alarm in local.alarms : "${task}-${name}" => merge(alarm, { task = task }) }
  ]...)
}
