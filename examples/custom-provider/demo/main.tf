terraform {
  required_providers {
    notes = {
      source = "example/notes"
    }
  }
}

provider "notes" {
  directory = "notes"
}

variable "body" {
  type    = string
  default = "Bread and butter."
}

ephemeral "notes_lock" "here" {
  holder = "the tutorial"
}

resource "notes_note" "shopping" {
  title = "Shopping, this week"
  body  = var.body
  tags  = ["home", "food"]
}

data "notes_search" "home" {
  tag        = "home"
  depends_on = [notes_note.shopping]
}

output "words" {
  value = notes_note.shopping.words
}

output "files" {
  value = join(",", data.notes_search.home.files)
}

output "slug" {
  value = provider::notes::slug("Shopping, this week")
}
