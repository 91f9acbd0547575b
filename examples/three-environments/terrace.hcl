# The project: who may do what where. `terrace` finds this file from any directory below it.
#
# The keys here are blanks: `cargo dev example` copies this directory, makes a key for each person
# and writes its fingerprint in. `ssh-keygen -l -f KEY.pub` shows the fingerprint of yours.

project "three-environments" {}

person "lead-1" {
  ssh = ["SHA256:lead-1....................................."]
}

person "engineer-1" {
  ssh = ["SHA256:engineer-1................................."]
}

person "engineer-2" {
  ssh = ["SHA256:engineer-2................................."]
}

role "infra-lead" {
  members = ["lead-1"]
}

environment "dev" {
  variables = ["environments/dev.tfvars"]
}

environment "stg" {
  after     = ["dev"] # only what dev has applied
  variables = ["environments/stg.tfvars"]

  gate {
    approvals = 1 # by someone other than who made the plan
  }
}

environment "prd" {
  after     = ["stg"]
  variables = ["environments/prd.tfvars"]

  gate {
    approvals = 2
    roles     = ["infra-lead"] # at least one of them from here
  }
}

policy "site" {
  rego = ["policies/*.rego"] # judge every plan, and again its apply
}
