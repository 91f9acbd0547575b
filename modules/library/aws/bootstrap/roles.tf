# Who may do what: workflows of a repository take a role for planning or one for applying, of one environment each.

locals {
  keys = { for environment in var.environments : environment => "${environment}/terraform.tfstate" }

  with_roles = var.github_repository == null ? {} : local.prefixes

  github_host     = "token.actions.githubusercontent.com"
  github_provider = "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.github_host}"

  plan_subjects = [
    "repo:${coalesce(var.github_repository, "-")}:pull_request",
    "repo:${coalesce(var.github_repository, "-")}:ref:refs/heads/${var.github_branch}",
  ]

  here = { for service in ["dynamodb", "ecr", "events", "lambda", "logs", "sqs", "ssm"] :
    service => "arn:${local.partition}:${service}:${local.region}:${local.account}"
  }

  # What environments are made of: what planning must see and applying must change of each service, and which things of it
  # are an environment's own.
  services = { for environment, prefix in local.with_roles : environment => [
    {
      read  = ["s3:Get*", "s3:List*"]
      write = ["s3:*"]
      own   = ["arn:${local.partition}:s3:::${prefix}*", "arn:${local.partition}:s3:::${prefix}*/*"]
    },
    {
      read  = ["dynamodb:Describe*", "dynamodb:List*"]
      write = ["dynamodb:*"]
      own   = ["${local.here.dynamodb}:table/${prefix}*"]
    },
    {
      read  = ["sqs:Get*", "sqs:List*"]
      write = ["sqs:*"]
      own   = ["${local.here.sqs}:${prefix}*"]
    },
    {
      read  = ["lambda:Get*", "lambda:List*"]
      write = ["lambda:*"]
      own   = ["${local.here.lambda}:function:${prefix}*"]
    },
    {
      read  = ["events:Describe*", "events:List*"]
      write = ["events:*"]
      own   = ["${local.here.events}:rule/${prefix}*"]
    },
    {
      read  = ["logs:Describe*", "logs:List*"]
      write = ["logs:*"]
      own   = ["${local.here.logs}:log-group:/aws/lambda/${prefix}*"]
    },
    {
      read  = ["cloudwatch:Describe*", "cloudwatch:List*"]
      write = ["cloudwatch:*Alarm*", "cloudwatch:*Tag*"]
      own   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${prefix}*"]
    },
    {
      read  = ["ssm:GetParameter*", "ssm:ListTagsForResource"]
      write = ["ssm:*Parameter*", "ssm:*Tags*"]
      own   = ["${local.here.ssm}:parameter/${var.project}/${environment}/*"]
    },
    {
      read  = ["ecr:Describe*", "ecr:Get*", "ecr:List*", "ecr:BatchGet*"]
      write = ["ecr:*"]
      own   = ["${local.here.ecr}:repository/${prefix}*"]
    },
    {
      read  = ["ecr:Describe*", "ecr:Get*", "ecr:List*", "ecr:BatchGet*"]
      write = ["ecr:BatchCheck*", "ecr:*LayerUpload", "ecr:UploadLayerPart", "ecr:PutImage"]
      own   = ["${local.here.ecr}:repository/${var.project}/*"]
    },
    {
      read  = ["iam:Get*", "iam:List*"]
      write = ["iam:DeleteRole*", "iam:PassRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole*"]
      own   = ["arn:${local.partition}:iam::${local.account}:role/${prefix}*"]
    },
  ] }

  # What has no names, or none that one could choose.
  everywhere = {
    read = [
      "cloudfront:Describe*", "cloudfront:Get*", "cloudfront:List*", "cloudwatch:DescribeAlarms", "ecr:GetAuthorizationToken",
      "kms:Describe*", "kms:GetKey*", "kms:List*", "lambda:GetEventSourceMapping", "lambda:ListEventSourceMappings",
      "lambda:ListTags", "logs:DescribeLogGroups", "s3:ListAllMyBuckets", "ssm:DescribeParameters", "sts:GetCallerIdentity",
    ]
    write = [
      "cloudfront:Create*", "cloudfront:Delete*", "cloudfront:Publish*", "cloudfront:TagResource", "cloudfront:UntagResource",
      "cloudfront:Update*", "cloudfront:CreateInvalidation",
    ]
  }

  reading = { for environment, services in local.services : environment => concat(
    [for service in services : { Effect = "Allow", Action = service.read, Resource = service.own }],
    [
      { Effect = "Allow", Action = local.everywhere.read, Resource = ["*"] },
      {
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = ["arn:${local.partition}:s3:::${local.bucket}"]
        Condition = { StringLike = { "s3:prefix" = ["${environment}/*", "env:/*"] } }
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = ["arn:${local.partition}:s3:::${local.bucket}/${environment}/*"]
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource = [aws_kms_key.state.arn]
      },
    ],
    [for table in aws_dynamodb_table.lock : {
      Effect    = "Allow"
      Action    = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      Resource  = [table.arn]
      Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${local.bucket}/${environment}/*"] } }
    }],
  ) }

  # A plan is kept beside the state, under the lock, and must not change the state itself.
  planning = { for environment, statements in local.reading : environment => concat(statements, [
    {
      Effect = "Allow"
      Action = ["s3:DeleteObject", "s3:PutObject"]
      Resource = [
        "arn:${local.partition}:s3:::${local.bucket}/${local.keys[environment]}.tflock",
        "arn:${local.partition}:s3:::${local.bucket}/${local.keys[environment]}.terrace/*",
      ]
    },
  ]) }

  applying = { for environment, statements in local.reading : environment => concat(
    statements,
    [for service in local.services[environment] : { Effect = "Allow", Action = service.write, Resource = service.own }],
    [
      { Effect = "Allow", Action = local.everywhere.write, Resource = ["*"] },
      {
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = ["arn:${local.partition}:s3:::${local.bucket}/${environment}/*"]
      },
      {
        Effect    = "Allow"
        Action    = ["lambda:*EventSourceMapping"]
        Resource  = ["*"]
        Condition = { ArnLike = { "lambda:FunctionArn" = "${local.here.lambda}:function:${local.prefixes[environment]}*" } }
      },
      {
        # Roles can be given nothing that the boundary does not allow, so that applying is no way to more rights.
        Effect    = "Allow"
        Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        Resource  = ["arn:${local.partition}:iam::${local.account}:role/${local.prefixes[environment]}*"]
        Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary[environment].arn } }
      },
      {
        Effect   = "Deny"
        Action   = ["*"]
        Resource = ["arn:${local.partition}:iam::${local.account}:role/${local.prefixes[environment]}plan", "arn:${local.partition}:iam::${local.account}:role/${local.prefixes[environment]}apply"]
      },
    ],
  ) }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_repository != null && var.create_github_provider ? 1 : 0

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = local.tags
}

resource "aws_iam_policy" "boundary" {
  for_each = local.with_roles

  name        = "${each.value}boundary"
  description = "The most that a role of ${each.key} of ${var.project} may do"
  tags        = merge(local.tags, { environment = each.key })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for service in local.services[each.key] : {
        Effect   = "Allow"
        Action   = service.write
        Resource = service.own
      } if !anytrue([for action in service.write : startswith(action, "iam:")])],
      [{
        Effect   = "Allow"
        Action   = ["cloudwatch:PutMetricData", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "xray:Put*"]
        Resource = ["*"]
      }],
    )
  })
}

resource "aws_iam_role" "plan" {
  for_each = local.with_roles

  name        = "${each.value}plan"
  description = "Plans ${each.key} of ${var.project}: sees everything of it, and changes nothing"
  tags        = merge(local.tags, { environment = each.key })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.github_provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "${local.github_host}:aud" = "sts.amazonaws.com" }
        StringLike   = { "${local.github_host}:sub" = local.plan_subjects }
      }
    }]
  })
}

resource "aws_iam_role_policy" "plan" {
  for_each = aws_iam_role.plan

  name   = "plan"
  role   = each.value.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.planning[each.key] })
}

resource "aws_iam_role" "apply" {
  for_each = local.with_roles

  name        = "${each.value}apply"
  description = "Applies ${each.key} of ${var.project}, for jobs that GitHub lets into the environment alone"
  tags        = merge(local.tags, { environment = each.key })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.github_provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github_host}:aud" = "sts.amazonaws.com"
          "${local.github_host}:sub" = "repo:${var.github_repository}:environment:${each.key}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "apply" {
  for_each = aws_iam_role.apply

  name   = "apply"
  role   = each.value.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.applying[each.key] })
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = { for pair in setproduct(keys(local.with_roles), var.apply_policy_arns) : "${pair[0]} ${pair[1]}" => pair }

  role       = aws_iam_role.apply[each.value[0]].name
  policy_arn = each.value[1]
}
