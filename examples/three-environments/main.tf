# A small product: a static site and the configuration of the server that delivers it.

terraform {
  required_version = ">= 1.5"

  required_providers {
    local = {
      source  = "hashicorp/local"
      version = "~> 2.5"
    }
    null = {
      source  = "hashicorp/null"
      version = "~> 3.2"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.6"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.12.0"
    }
  }
}

# The host's name is made once for an environment, and made again when the generation is raised.
resource "random_pet" "host" {
  prefix = var.environment
  length = 2

  keepers = {
    generation = var.generation
  }
}

# The token of the status page lives for a while, and is made anew after that.
resource "time_rotating" "token" {
  rotation_days = var.token_days
}

resource "random_password" "token" {
  length  = 32
  special = false

  keepers = {
    rotation = time_rotating.token.id
  }
}

module "site" {
  source = "./modules/site"

  directory = "${path.root}/site/${var.environment}"
  title     = var.title
  host      = "${random_pet.host.id}.example.com"
  token     = random_password.token.result
  pages     = var.pages
  replicas  = var.replicas
}

check "everything_is_linked" {
  assert {
    condition     = length(module.site.files) == length(var.pages) + 1
    error_message = "The site has ${length(module.site.files)} pages, and ${length(var.pages)} beside the first are wanted."
  }
}
