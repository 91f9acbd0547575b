# Renders a static site and the configuration of its server into a directory.

locals {
  pages = merge({ index = "Welcome to ${var.title}." }, var.pages)

  links = [for name in sort(keys(local.pages)) : {
    name    = name
    address = "/${name}.html"
  }]
}

resource "local_file" "page" {
  for_each = local.pages

  filename        = "${var.directory}/${each.key}.html"
  file_permission = "0644"

  content = templatefile("${path.module}/templates/page.html.tftpl", {
    title = var.title
    name  = each.key
    text  = each.value
    links = local.links
  })
}

resource "local_file" "server" {
  filename        = "${var.directory}/server.json"
  file_permission = "0644"

  content = jsonencode({
    host     = var.host
    replicas = var.replicas
    pages    = [for name, page in local_file.page : { name = name, sha256 = page.content_sha256 }]
  })
}

resource "local_sensitive_file" "token" {
  filename        = "${var.directory}/.token"
  file_permission = "0600"
  content         = var.token
}

# Stands for telling the server to read its files again.
resource "null_resource" "reload" {
  triggers = {
    server = local_file.server.content_sha256
  }
}
