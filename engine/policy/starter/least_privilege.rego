# METADATA
# title: Least privilege
# description: Nobody may do everything, and only who is named may take a role.
package terrace.least_privilege

import data.terrace.changes

# Policies of AWS, by the attribute that holds them.
held_in := {
	"aws_iam_policy": "policy",
	"aws_iam_role_policy": "policy",
	"aws_iam_user_policy": "policy",
	"aws_iam_group_policy": "policy",
	"aws_kms_key": "policy",
	"aws_s3_bucket_policy": "policy",
	"aws_sqs_queue_policy": "policy",
	"aws_iam_role": "assume_role_policy",
}

statements contains {"change": change, "statement": statement} if {
	some change in changes.after
	text := change.change.after[held_in[change.type]]
	json.is_valid(text)
	some statement in list(json.unmarshal(text).Statement)
	statement.Effect == "Allow"
}

list(value) := value if is_array(value)

list(value) := [value] if not is_array(value)

deny contains result if {
	some found in statements
	found.change.type in {"aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"}
	some action in list(found.statement.Action)
	action in {"*", "*:*"}
	"*" in list(found.statement.Resource)
	result := finding(found.change, "allows every action on every resource")
}

deny contains result if {
	some found in statements
	found.change.type in {"aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"}
	some action in list(found.statement.Action)
	action in {"iam:*", "iam:PassRole", "sts:AssumeRole"}
	"*" in list(found.statement.Resource)
	not found.statement.Condition
	result := finding(found.change, sprintf("allows %s on every resource without a condition", [action]))
}

deny contains result if {
	some found in statements
	found.change.type in {"aws_iam_role", "aws_s3_bucket_policy", "aws_sqs_queue_policy"}
	anybody(found.statement.Principal)
	not found.statement.Condition
	result := finding(found.change, "trusts everybody without a condition")
}

anybody(principal) if principal == "*"

anybody(principal) if "*" in list(principal.AWS)

deny contains result if {
	some change in changes.after
	change.type in {"kubernetes_cluster_role", "kubernetes_cluster_role_v1", "kubernetes_role", "kubernetes_role_v1"}
	some rule in change.change.after.rule
	"*" in rule.verbs
	"*" in rule.resources
	result := finding(change, "allows every verb on every kind of object")
}

deny contains result if {
	some change in changes.after
	change.type == "azurerm_role_assignment"
	change.change.after.role_definition_name in {"Owner", "User Access Administrator"}
	regex.match(`^/subscriptions/[^/]+$`, change.change.after.scope)
	result := finding(change, sprintf("gives the role %q on a whole subscription", [change.change.after.role_definition_name]))
}

warn contains result if {
	some change in changes.after
	change.type == "aws_iam_user"
	result := finding(change, "is a user with keys that do not expire: prefer a role")
}

finding(change, what) := {
	"msg": sprintf("%s %s", [change.address, what]),
	"address": change.address,
}
