# What unknowns.jsonl was asked with: every argument is unknown, with the type of its variable.
resource "terraform_data" "u" {}
module "m" {
  source = "./m"
  s  = jsondecode(terraform_data.u.id)
  n  = jsondecode(terraform_data.u.id)
  b  = jsondecode(terraform_data.u.id)
  ls = jsondecode(terraform_data.u.id)
  ln = jsondecode(terraform_data.u.id)
  ms = jsondecode(terraform_data.u.id)
  mn = jsondecode(terraform_data.u.id)
  ss = jsondecode(terraform_data.u.id)
  sn = jsondecode(terraform_data.u.id)
  o  = jsondecode(terraform_data.u.id)
  t  = jsondecode(terraform_data.u.id)
  d  = jsondecode(terraform_data.u.id)
  lo = jsondecode(terraform_data.u.id)
  ll = jsondecode(terraform_data.u.id)
  nn = jsondecode(terraform_data.u.id)
}
