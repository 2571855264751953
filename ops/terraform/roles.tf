# Each machine has its own IAM role, so neither stores an AWS key. The role of instance A (training)
# may write to the bucket; the role of instance B (serving) may only read.
locals {
  instances = toset(["training", "serving"])
}

data "aws_iam_policy_document" "machine" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "machine" {
  for_each           = local.instances
  name               = "movie-rating-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.machine.json
}

resource "aws_iam_role_policy" "registry" {
  for_each = local.instances
  name     = "registry"
  role     = aws_iam_role.machine[each.key].id
  policy   = replace(file("${path.module}/../../docs/policies/${each.key}.json"), "BUCKET", var.bucket)
}

# Access to the pipeline's working folder, which is in S3 if DATA_DIR is s3://BUCKET/pipeline.
resource "aws_iam_role_policy" "working_folder" {
  name   = "working-folder"
  role   = aws_iam_role.machine["training"].id
  policy = data.aws_iam_policy_document.working_folder.json
}

data "aws_iam_policy_document" "working_folder" {
  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.models.arn}/pipeline/*"]
  }
  statement {
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.models.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["pipeline", "pipeline/*"]
    }
  }
}

# Each machine reads its secret settings from an SSM parameter. A person fills it in by hand, so that
# Terraform and its state never contain a secret.
resource "aws_iam_role_policy" "settings" {
  for_each = local.instances
  name     = "settings"
  role     = aws_iam_role.machine[each.key].id
  policy   = data.aws_iam_policy_document.settings[each.key].json
}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "settings" {
  for_each = local.instances
  statement {
    actions = ["ssm:GetParameter"]
    resources = [
      "arn:aws:ssm:${var.region}:${data.aws_caller_identity.this.account_id}:parameter/movie-rating/${each.key}/*"
    ]
  }
}

# People log in through AWS Session Manager, which needs neither an SSH key nor an open port.
resource "aws_iam_role_policy_attachment" "session" {
  for_each   = local.instances
  role       = aws_iam_role.machine[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "machine" {
  for_each = local.instances
  name     = "movie-rating-${each.key}"
  role     = aws_iam_role.machine[each.key].name
}
