# All that is worked out and not asked of AWS. tests/deploy/test_terraform.py holds it to deploy/ecs-task-definition.json.
locals {
  full_name = "dynamodb-replicator-${var.name}"
  folder    = "/etc/dynamodb-replicator"
  state     = "/var/lib/dynamodb-replicator"

  # The files that the daemon is given: one task's, or each of many.
  many = length(var.tasks) > 0
  files = local.many ? merge(
    { for name, text in var.tasks : "${name}.properties" => text },
    var.common == "" ? {} : { "common.properties" = var.common },
  ) : { "replication.properties" = var.properties }

  # The task role is the usual credentials; roles and profiles that the settings name are others'.
  policies = [
    for each in jsondecode(var.policy).policies : each.policy if each.roleArn == null && each.profile == null
  ]

  environment = merge(
    var.metrics_port == 0 ? {} : {
      REPLICATION_METRICS_PORT    = tostring(var.metrics_port)
      REPLICATION_METRICS_ADDRESS = "0.0.0.0"
    },
    var.environment,
  )

  log_configuration = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = "/dynamodb-replicator/${var.name}"
      awslogs-region        = local.region
      awslogs-stream-prefix = "replicator"
      mode                  = "non-blocking"
    }
  }

  # Fargate mounts no files: a container that ends at once writes them into a volume, before the daemon starts.
  settings_container = {
    name       = "settings"
    image      = var.image
    essential  = false
    entryPoint = ["python3", "-I", "-c"]
    command = [
      join("\n", [
        "import json, os, pathlib, sys",
        "for name, text in json.loads(os.environ['FILES']).items():",
        "    pathlib.Path(sys.argv[1], name).write_text(text, encoding='utf-8')",
      ]),
      local.folder,
    ]
    environment            = [{ name = "FILES", value = jsonencode(local.files) }]
    user                   = "0:0" # the volume is root's
    readonlyRootFilesystem = true
    mountPoints            = [{ sourceVolume = "settings", containerPath = local.folder, readOnly = false }]
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    logConfiguration       = local.log_configuration
  }

  # There is no health check on purpose: a destination that is down is no reason to replace a daemon that waits for it.
  replicator_container = {
    name        = "replicator"
    image       = var.image
    essential   = true
    command     = [local.many ? local.folder : "${local.folder}/replication.properties"]
    dependsOn   = [{ containerName = "settings", condition = "SUCCESS" }]
    environment = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets     = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
    portMappings = var.metrics_port == 0 ? [] : [
      { name = "metrics", containerPort = var.metrics_port, hostPort = var.metrics_port, protocol = "tcp" }
    ]
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    mountPoints = [
      { sourceVolume = "settings", containerPath = local.folder, readOnly = true },
      { sourceVolume = "state", containerPath = local.state, readOnly = false },
    ]
    linuxParameters  = { capabilities = { drop = ["ALL"] } }
    stopTimeout      = 60 # more than shutdownGraceMillis (30 s) and 15 s
    restartPolicy    = { enabled = true, ignoredExitCodes = [0, 22], restartAttemptPeriod = 60 }
    logConfiguration = local.log_configuration
  }

  # An image of ECR is pulled with rights to its repository alone.
  ecr = [
    for found in regexall("^([0-9]+)\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)", var.image) :
    "arn:${local.partition}:ecr:${found[1]}:${found[0]}:repository/${found[2]}"
  ]
}
