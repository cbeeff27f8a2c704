# The alarms of docs/metrics/cloudwatch-alarms.yml, for each task. They belong into the region of the task's checkpoint table
# (kclRegion, or else sourceRegion), which may be another than the service's: pass that region's provider.

locals {
  namespace = "DynamoDBCrossRegionReplication" # and the task's name

  # In a backlog that is worked at, nothing is in hand between two batches; those applied tell how late they are.
  lag = {
    description        = "Changes have been over five minutes late for five minutes. See writes_delayed in replication.log."
    evaluation_periods = 5
    threshold          = 300
    comparison         = "GreaterThanThreshold"
    missing            = "notBreaching"
    tells_end          = true
  }

  alarms = {
    StreamRetentionHalfUsed = {
      description         = "A shard has used half of the 24 hours after which its changes are lost."
      metric              = "RetentionUsed"
      statistic           = "Maximum"
      evaluation_periods  = 2
      datapoints_to_alarm = null
      threshold           = 50
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    StreamRetentionThreeQuartersUsed = {
      description         = "Within six hours changes are lost, and the table must be copied again."
      metric              = "RetentionUsed"
      statistic           = "Maximum"
      evaluation_periods  = 2
      datapoints_to_alarm = null
      threshold           = 75
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    StreamRetentionNearlyUsed = {
      description         = "Within two and a half hours changes are lost, and the table must be copied again."
      metric              = "RetentionUsed"
      statistic           = "Maximum"
      evaluation_periods  = 2
      datapoints_to_alarm = null
      threshold           = 90
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    DeadLetters = {
      description         = "Changes were set aside as dead letters. Make the destination accept them, then run ./run.sh redrive."
      metric              = "DeadLetters"
      statistic           = "Sum"
      evaluation_periods  = 1
      datapoints_to_alarm = null
      threshold           = 0
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    ShardsUnread = {
      description         = "No daemon reads some of the stream's shards. ./run.sh status names them."
      metric              = "ShardsUnread"
      statistic           = "Maximum"
      evaluation_periods  = 3
      datapoints_to_alarm = null
      threshold           = 0
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    ShardsLost = {
      description         = "Changes of some shards are lost, and those wait until the table is copied again (copy --restart --concurrent). ./run.sh status names them."
      metric              = "ShardsLost"
      statistic           = "Maximum"
      evaluation_periods  = 1
      datapoints_to_alarm = null
      threshold           = 0
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    VerificationDiffers = {
      description         = "Keys differ by the last verification. ./run.sh verify names them, and --repair writes what is missing or different."
      metric              = "VerificationDifferent"
      statistic           = "Maximum"
      evaluation_periods  = 5
      datapoints_to_alarm = null
      threshold           = 0
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    VerificationLate = {
      description         = "The last whole verification began more than three days ago. ./run.sh status says why it is not finished."
      metric              = "VerificationAge"
      statistic           = "Minimum"
      evaluation_periods  = 5
      datapoints_to_alarm = null
      threshold           = 259200
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    # Without a daemon there is no datum, so what is missing rings, too.
    TaskStopped = {
      description         = "No daemon of the task reads a shard, so nothing is replicated. Within 24 hours nothing is lost."
      metric              = "Shards"
      statistic           = "Maximum"
      evaluation_periods  = 6
      datapoints_to_alarm = 5
      threshold           = 1
      comparison          = "LessThanThreshold"
      missing             = "breaching"
      tells_end           = true
    }
    WritesFail = {
      description         = "The destination does not take writes, for another reason than throttling. See writes_delayed in replication.log."
      metric              = "WriteRetriesUnavailable"
      statistic           = "Sum"
      evaluation_periods  = 10
      datapoints_to_alarm = null
      threshold           = 0
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
    # Only where heartbeatSeconds is set, to 60 or less: without heartbeats there is no such metric, and this is silent.
    HeartbeatLate = {
      description         = "No heartbeat has arrived for five minutes. Nothing gets through from the source's table to the destination."
      metric              = "HeartbeatAge"
      statistic           = "Minimum"
      evaluation_periods  = 2
      datapoints_to_alarm = null
      threshold           = 300
      comparison          = "GreaterThanThreshold"
      missing             = "notBreaching"
      tells_end           = false
    }
  }

  each = merge([
    for task in var.task_names : { for name, alarm in local.alarms : "${task}-${name}" => merge(alarm, { task = task }) }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "lag" {
  for_each            = var.task_names
  alarm_name          = "dynamodb-replicator-${each.key}-ReplicationLag"
  alarm_description   = local.lag.description
  evaluation_periods  = local.lag.evaluation_periods
  threshold           = local.lag.threshold
  comparison_operator = local.lag.comparison
  treat_missing_data  = local.lag.missing
  alarm_actions       = [var.topic_arn]
  ok_actions          = local.lag.tells_end ? [var.topic_arn] : []
  tags                = var.tags

  metric_query {
    id          = "lag"
    expression  = "MAX([pending, applied])"
    label       = "Lag"
    return_data = true
  }
  metric_query {
    id = "pending"
    metric {
      namespace   = "${local.namespace}${each.key}"
      metric_name = "Pending"
      period      = 60
      stat        = "Maximum"
    }
  }
  metric_query {
    id = "applied"
    metric {
      namespace   = "${local.namespace}${each.key}"
      metric_name = "ReplicationLatencyMax"
      period      = 60
      stat        = "Maximum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "task" {
  for_each            = local.each
  alarm_name          = "dynamodb-replicator-${each.key}"
  alarm_description   = each.value.description
  namespace           = "${local.namespace}${each.value.task}"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = each.value.datapoints_to_alarm
  threshold           = each.value.threshold
  comparison_operator = each.value.comparison
  treat_missing_data  = each.value.missing
  alarm_actions       = [var.topic_arn]
  ok_actions          = each.value.tells_end ? [var.topic_arn] : []
  tags                = var.tags
}
