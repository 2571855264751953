data "aws_vpc" "default" {
  default = true
}

data "aws_ami" "debian" {
  most_recent = true
  owners      = ["136693071363"] # Debian
  filter {
    name   = "name"
    values = ["debian-12-amd64-*"]
  }
}

locals {
  machines = {
    training = { type = var.training_type, disk_gb = 30, compose = "docker-compose-airflow.yaml", profiles = "" }
    serving  = { type = var.serving_type, disk_gb = 12, compose = "docker-compose-fastapi.yaml", profiles = "public" }
  }
}

# Instance A (training) accepts no connection from outside. Instance B (serving) accepts connections
# to the two ports of its proxy only.
resource "aws_security_group" "machine" {
  for_each    = local.machines
  name        = "movie-rating-${each.key}"
  description = "Instance ${each.key}"
  vpc_id      = data.aws_vpc.default.id
}

resource "aws_vpc_security_group_egress_rule" "all" {
  for_each          = local.machines
  security_group_id = aws_security_group.machine[each.key].id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  for_each          = toset(["80", "443"])
  security_group_id = aws_security_group.machine["serving"].id
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_instance" "machine" {
  for_each               = local.machines
  ami                    = data.aws_ami.debian.id
  instance_type          = each.value.type
  iam_instance_profile   = aws_iam_instance_profile.machine[each.key].name
  vpc_security_group_ids = [aws_security_group.machine[each.key].id]
  user_data = templatefile("${path.module}/cloud-init.yaml", {
    name           = each.key
    compose        = each.value.compose
    profiles       = each.value.profiles
    repository     = var.repository
    revision       = var.revision
    region         = var.region
    bucket         = var.bucket
    public_address = var.public_address
    agent_version  = var.session_agent.version
    agent_sha256   = var.session_agent.sha256
  })
  user_data_replace_on_change = true

  metadata_options {
    http_tokens                 = "required"
    # The answer with a token for the role's keys may pass this many network hops. Containers are one hop
    # further than programs of the machine, so with 1 they cannot get the keys.
    http_put_response_hop_limit = contains(var.keys_in_settings, each.key) ? 1 : 2
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = each.value.disk_gb
    encrypted   = true
  }

  tags = { Name = "movie-rating-${each.key}" }
}

resource "aws_eip" "serving" {
  instance = aws_instance.machine["serving"].id
}

output "serving_address" {
  description = "The IP address of instance B; DNS must return it for public_address."
  value       = aws_eip.serving.public_ip
}

output "sign_in" {
  description = "For each machine, the command to log in."
  value       = { for name, machine in aws_instance.machine : name => "aws ssm start-session --target ${machine.id}" }
}
