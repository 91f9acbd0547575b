package terrace.least_privilege_test

import data.terrace.least_privilege

changed(type, after) := {"resource_changes": [{
	"address": sprintf("%s.this", [type]),
	"mode": "managed",
	"type": type,
	"change": {"actions": ["create"], "after": after, "after_unknown": {}},
}]}

policy(statement) := json.marshal({"Version": "2012-10-17", "Statement": statement})

test_everything_is_too_much if {
	all := policy([{"Effect": "Allow", "Action": "*", "Resource": "*"}])
	count(least_privilege.deny) == 1 with input as changed("aws_iam_policy", {"policy": all})
	one := policy({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]})
	count(least_privilege.deny) == 0 with input as changed("aws_iam_policy", {"policy": one})
	no := policy([{"Effect": "Deny", "Action": "*", "Resource": "*"}])
	count(least_privilege.deny) == 0 with input as changed("aws_iam_policy", {"policy": no})
}

test_roles_are_passed_on_condition if {
	statement := {"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*"}
	count(least_privilege.deny) == 1 with input as changed("aws_iam_role_policy", {"policy": policy([statement])})
	bound := object.union(statement, {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}})
	count(least_privilege.deny) == 0 with input as changed("aws_iam_role_policy", {"policy": policy([bound])})
}

test_a_role_trusts_somebody if {
	trust := {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
	count(least_privilege.deny) == 1 with input as changed("aws_iam_role", {"assume_role_policy": policy([trust])})
	named := {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
	count(least_privilege.deny) == 0 with input as changed("aws_iam_role", {"assume_role_policy": policy([named])})
}

test_roles_of_kubernetes_and_azure if {
	count(least_privilege.deny) == 1 with input as changed("kubernetes_cluster_role", {"rule": [{"verbs": ["*"], "resources": ["*"]}]})
	count(least_privilege.deny) == 0 with input as changed("kubernetes_cluster_role", {"rule": [{"verbs": ["get"], "resources": ["*"]}]})
	owner := {"role_definition_name": "Owner", "scope": "/subscriptions/1"}
	count(least_privilege.deny) == 1 with input as changed("azurerm_role_assignment", owner)
	group := object.union(owner, {"scope": "/subscriptions/1/resourceGroups/g"})
	count(least_privilege.deny) == 0 with input as changed("azurerm_role_assignment", group)
}

test_users_are_told if {
	count(least_privilege.warn) == 1 with input as changed("aws_iam_user", {"name": "x"})
}
