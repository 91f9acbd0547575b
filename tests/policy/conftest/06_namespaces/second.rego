package terraform["with-dash"]

warn contains "this plan is looked at" if input.format_version
