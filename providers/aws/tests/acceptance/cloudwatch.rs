use serde_json::json;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let topic = "arn:aws:sns:us-east-1:123456789012:alarms";
    vec![
        Case::of(
            "aws_cloudwatch_metric_alarm",
            json!({
                "alarm_name": "$name", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1,
                "metric_name": "Errors", "namespace": "AWS/Lambda", "period": 60, "statistic": "Sum", "threshold": 1,
            }),
        )
        .update(json!({"alarm_description": "Too many errors", "threshold": 2.5, "comparison_operator": "GreaterThanOrEqualToThreshold"}))
        .update(json!({"dimensions": {"FunctionName": "f"}, "metric_name": "Duration", "namespace": "App", "period": 120, "unit": "Seconds"}))
        .update(json!({"alarm_actions": [topic], "ok_actions": [topic], "insufficient_data_actions": [topic]}))
        .update(json!({"evaluation_periods": 3, "datapoints_to_alarm": 2, "treat_missing_data": "notBreaching", "actions_enabled": false}))
        .update(json!({"statistic": null, "extended_statistic": "p99.9", "evaluate_low_sample_count_percentiles": "ignore"}))
        .update(json!({"statistic": "Average", "extended_statistic": null}))
        .update(json!({"alarm_actions": null, "dimensions": null}))
        .update(json!({"tags": {"team": "a", "cost": "1"}}))
        .update(json!({"tags": {"team": "b"}}))
        .replace(json!({"alarm_name": "$name-other"})),
        Case::of(
            "aws_cloudwatch_metric_alarm",
            json!({
                "alarm_name": "$name", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1, "threshold": 5,
                "metric_query": [
                    {"id": "rate", "expression": "errors / calls * 100", "label": "Errors", "return_data": true},
                    {"id": "errors", "metric": {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum", "unit": "Count", "dimensions": {"FunctionName": "f"}}},
                    {"id": "calls", "metric": {"metric_name": "Invocations", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum"}},
                ],
            }),
        )
        .variant("of several metrics")
        .update(json!({
            "metric_query": [
                {"id": "sum", "expression": "errors * 2", "label": "Twice", "return_data": true},
                {"id": "errors", "metric": {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 120, "stat": "Maximum"}},
            ],
        }))
        .update(json!({
            "metric_query": [
                {"id": "sum", "expression": "errors * 2", "label": "Twice", "return_data": false},
                {"id": "errors", "return_data": true, "metric": {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 120, "stat": "Maximum"}},
            ],
        })),
        Case::of(
            "aws_cloudwatch_metric_alarm",
            json!({
                "alarm_name": "$name", "comparison_operator": "GreaterThanUpperThreshold", "evaluation_periods": 1, "threshold_metric_id": "band",
                "metric_query": [
                    {"id": "band", "expression": "ANOMALY_DETECTION_BAND(errors)", "return_data": true},
                    {"id": "errors", "return_data": true, "metric": {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum"}},
                ],
            }),
        )
        .variant("of what is usual")
        .update(json!({
            "threshold_metric_id": "usual",
            "metric_query": [
                {"id": "usual", "expression": "ANOMALY_DETECTION_BAND(errors, 3)", "return_data": true},
                {"id": "errors", "return_data": true, "metric": {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum"}},
            ],
        })),
    ]
}
