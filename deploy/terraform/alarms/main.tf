# The alarms of docs/metrics/cloudwatch-alarms.yml, for each task. They belong into the region of the task's checkpoint table
# (kclRegion, or else sourceRegion), which may be another than the service's: pass that region's provider.

resource "aws_cloudwatch_metric_alarm" "task" {
  for_each            = local.each
  alarm_name          = "dynamodb-replicator-${each.key}"
  alarm_description   = each.value.AlarmDescription
  namespace           = try(replace(each.value.Namespace["Fn::Sub"], "$${TaskName}", each.value.task), null)
  metric_name         = try(each.value.MetricName, null)
  statistic           = try(each.value.Statistic, null)
  period              = try(each.value.Period, null)
  evaluation_periods  = each.value.EvaluationPeriods
  datapoints_to_alarm = try(each.value.DatapointsToAlarm, null)
  threshold           = each.value.Threshold
  comparison_operator = each.value.ComparisonOperator
  treat_missing_data  = each.value.TreatMissingData
  alarm_actions       = [for _ in each.value.AlarmActions : var.topic_arn]
  ok_actions          = [for _ in try(each.value.OKActions, []) : var.topic_arn]
  tags                = var.tags

  dynamic "metric_query" {
    for_each = { for query in try(each.value.Metrics, []) : query.Id => query }
    content {
      id          = metric_query.key
      expression  = try(metric_query.value.Expression, null)
      label       = try(metric_query.value.Label, null)
      return_data = try(metric_query.value.ReturnData, true)

      dynamic "metric" {
        for_each = try([metric_query.value.MetricStat], [])
        content {
          namespace   = replace(metric.value.Metric.Namespace["Fn::Sub"], "$${TaskName}", each.value.task)
          metric_name = metric.value.Metric.MetricName
          period      = metric.value.Period
          stat        = metric.value.Stat
        }
      }
    }
  }
}
