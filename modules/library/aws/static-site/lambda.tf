resource "aws_cloudwatch_log_group" "server" {
  count = local.by_lambda

  name              = "/aws/lambda/${var.name}-server"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_iam_role" "server" {
  count = local.by_lambda

  name                 = "${var.name}-server"
  description          = "Reads the files of ${var.name}"
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "server" {
  count = local.by_lambda

  name = "site"
  role = aws_iam_role.server[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${aws_s3_bucket.site.arn}/*"]
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${var.name}-server:*"]
      },
    ]
  })
}

resource "aws_lambda_function" "server" {
  count = local.by_lambda

  function_name    = "${var.name}-server"
  description      = "Serves the files of ${var.name}"
  role             = aws_iam_role.server[0].arn
  filename         = "${path.module}/server/server.zip"
  source_code_hash = filebase64sha256("${path.module}/server/server.zip")
  handler          = "index.handle"
  runtime          = "python3.13"
  memory_size      = 256
  timeout          = 10
  tags             = local.tags

  environment {
    variables = {
      BUCKET         = aws_s3_bucket.site.bucket
      INDEX_DOCUMENT = var.index_document
      ERROR_DOCUMENT = var.single_page ? var.index_document : var.error_document
    }
  }

  # A function that runs before its log group is there makes one that is kept for ever.
  depends_on = [aws_cloudwatch_log_group.server, aws_iam_role_policy.server]
}

resource "aws_lambda_permission" "invoker" {
  count = var.invoker == null ? 0 : local.by_lambda

  statement_id  = "invoker"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.server[0].function_name
  principal     = var.invoker.principal
  source_arn    = var.invoker.source_arn
}
