variables {
  name = "example"
}

run "labels_hold_the_module" {
  command = plan

  assert {
    condition     = terraform_data.this.input.labels.module == "MODULE_NAME"
    error_message = "Everything must carry the label of the module."
  }
}

run "applies" {
  assert {
    condition     = output.name == "example"
    error_message = "The output must be the name that was given."
  }
}

run "refuses_capitals" {
  command = plan

  variables {
    name = "Example"
  }

  expect_failures = [var.name]
}
