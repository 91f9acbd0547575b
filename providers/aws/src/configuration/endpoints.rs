//! Services whose endpoints can be configured: their names in the block `endpoints`, their other names, and what the
//! environment calls them.

/// The names of services.
const NAMES: &str = "\
    accessanalyzer account acm acmpca amp amplify apigateway apigatewayv2 appautoscaling appconfig \
    appfabric appflow appintegrations applicationinsights applicationsignals appmesh apprunner appstream \
    appsync arcregionswitch arczonalshift athena auditmanager autoscaling autoscalingplans backup batch \
    bcmdataexports bedrock bedrockagent bedrockagentcore billing budgets ce chatbot chime \
    chimesdkmediapipelines chimesdkvoice cleanrooms cloud9 cloudcontrol cloudformation cloudfront \
    cloudfrontkeyvaluestore cloudhsmv2 cloudsearch cloudtrail cloudwatch codeartifact codebuild \
    codecatalyst codecommit codeconnections codeguruprofiler codegurureviewer codepipeline \
    codestarconnections codestarnotifications cognitoidentity cognitoidp comprehend computeoptimizer \
    configservice connect connectcases controltower costoptimizationhub cur customerprofiles databrew \
    dataexchange datapipeline datasync datazone dax deploy detective devicefarm devopsagent devopsguru \
    directconnect dlm dms docdb docdbelastic drs ds dsql dynamodb ec2 ecr ecrpublic ecs efs eks \
    elasticache elasticbeanstalk elasticsearch elastictranscoder elb elbv2 emr emrcontainers \
    emrserverless events evidently evs finspace firehose fis fms fsx gamelift glacier globalaccelerator \
    glue grafana greengrass groundstation guardduty healthlake iam identitystore imagebuilder inspector \
    inspector2 internetmonitor invoicing iot ivs ivschat kafka kafkaconnect kendra keyspaces kinesis \
    kinesisanalytics kinesisanalyticsv2 kinesisvideo kms lakeformation lambda launchwizard lexmodels \
    lexv2models licensemanager lightsail location logs m2 macie2 mediaconnect mediaconvert medialive \
    mediapackage mediapackagev2 mediapackagevod mediastore memorydb mgn mpa mq mwaa mwaaserverless \
    neptune neptunegraph networkfirewall networkflowmonitor networkmanager networkmonitor notifications \
    notificationscontacts oam observabilityadmin odb opensearch opensearchserverless organizations osis \
    outposts paymentcryptography pcaconnectorad pcs pinpoint pinpointsmsvoicev2 pipes polly pricing \
    qbusiness qldb quicksight ram rbin rds rdsdata redshift redshiftdata redshiftserverless rekognition \
    resiliencehub resourceexplorer2 resourcegroups resourcegroupstaggingapi rolesanywhere route53 \
    route53domains route53profiles route53recoverycontrolconfig route53recoveryreadiness route53resolver \
    rum s3 s3control s3files s3outposts s3tables s3vectors sagemaker savingsplans scheduler schemas \
    secretsmanager securityhub securitylake serverlessrepo servicecatalog servicecatalogappregistry \
    servicediscovery servicequotas ses sesv2 sfn shield signer sns sqs ssm ssmcontacts ssmincidents \
    ssmquicksetup ssmsap sso ssoadmin storagegateway sts swf synthetics taxsettings timestreaminfluxdb \
    timestreamquery timestreamwrite transcribe transfer uxc verifiedpermissions vpclattice waf \
    wafregional wafv2 wellarchitected workmail workspaces workspacesweb xray \
";

/// Other names of services.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("amp", &["prometheus", "prometheusservice"]),
    ("appautoscaling", &["applicationautoscaling"]),
    ("appintegrations", &["appintegrationsservice"]),
    ("ce", &["costexplorer"]),
    ("cloudcontrol", &["cloudcontrolapi"]),
    ("cloudhsmv2", &["cloudhsm"]),
    ("cognitoidp", &["cognitoidentityprovider"]),
    ("configservice", &["config"]),
    ("cur", &["costandusagereportservice"]),
    ("databrew", &["gluedatabrew"]),
    ("deploy", &["codedeploy"]),
    ("dms", &["databasemigration", "databasemigrationservice"]),
    ("ds", &["directoryservice"]),
    ("elasticbeanstalk", &["beanstalk"]),
    ("elasticsearch", &["es", "elasticsearchservice"]),
    ("elb", &["elasticloadbalancing"]),
    ("elbv2", &["elasticloadbalancingv2"]),
    ("events", &["eventbridge", "cloudwatchevents"]),
    ("evidently", &["cloudwatchevidently"]),
    ("grafana", &["managedgrafana", "amg"]),
    ("inspector2", &["inspectorv2"]),
    ("kafka", &["msk"]),
    (
        "lexmodels",
        &["lexmodelbuilding", "lexmodelbuildingservice", "lex"],
    ),
    ("lexv2models", &["lexmodelsv2"]),
    ("location", &["locationservice"]),
    ("logs", &["cloudwatchlog", "cloudwatchlogs"]),
    ("oam", &["cloudwatchobservabilityaccessmanager"]),
    ("opensearch", &["opensearchservice"]),
    ("osis", &["opensearchingestion"]),
    ("rbin", &["recyclebin"]),
    ("rdsdata", &["rdsdataservice"]),
    ("redshiftdata", &["redshiftdataapiservice"]),
    ("resourcegroupstaggingapi", &["resourcegroupstagging"]),
    ("rum", &["cloudwatchrum"]),
    ("s3", &["s3api"]),
    (
        "serverlessrepo",
        &["serverlessapprepo", "serverlessapplicationrepository"],
    ),
    ("servicecatalogappregistry", &["appregistry"]),
    ("sfn", &["stepfunctions"]),
    ("transcribe", &["transcribeservice"]),
];

/// What follows `AWS_ENDPOINT_URL_` in the environment, where it is not the service's name in capitals.
const VARIABLES: &[(&str, &str)] = &[
    ("acmpca", "ACM_PCA"),
    ("apigateway", "API_GATEWAY"),
    ("appautoscaling", "APPLICATION_AUTO_SCALING"),
    ("applicationinsights", "APPLICATION_INSIGHTS"),
    ("applicationsignals", "APPLICATION_SIGNALS"),
    ("appmesh", "APP_MESH"),
    ("arcregionswitch", "ARC_REGION_SWITCH"),
    ("arczonalshift", "ARC_ZONAL_SHIFT"),
    ("autoscaling", "AUTO_SCALING"),
    ("autoscalingplans", "AUTO_SCALING_PLANS"),
    ("bcmdataexports", "BCM_DATA_EXPORTS"),
    ("bedrockagent", "BEDROCK_AGENT"),
    ("bedrockagentcore", "BEDROCK_AGENTCORE_CONTROL"),
    ("ce", "COST_EXPLORER"),
    ("chimesdkmediapipelines", "CHIME_SDK_MEDIA_PIPELINES"),
    ("chimesdkvoice", "CHIME_SDK_VOICE"),
    ("cloudfrontkeyvaluestore", "CLOUDFRONT_KEYVALUESTORE"),
    ("cloudhsmv2", "CLOUDHSM_V2"),
    ("codegurureviewer", "CODEGURU_REVIEWER"),
    ("codestarconnections", "CODESTAR_CONNECTIONS"),
    ("codestarnotifications", "CODESTAR_NOTIFICATIONS"),
    ("cognitoidentity", "COGNITO_IDENTITY"),
    ("cognitoidp", "COGNITO_IDENTITY_PROVIDER"),
    ("computeoptimizer", "COMPUTE_OPTIMIZER"),
    ("configservice", "CONFIG_SERVICE"),
    ("costoptimizationhub", "COST_OPTIMIZATION_HUB"),
    ("cur", "COST_AND_USAGE_REPORT_SERVICE"),
    ("customerprofiles", "CUSTOMER_PROFILES"),
    ("datapipeline", "DATA_PIPELINE"),
    ("deploy", "CODEDEPLOY"),
    ("devicefarm", "DEVICE_FARM"),
    ("devopsagent", "DEVOPS_AGENT"),
    ("devopsguru", "DEVOPS_GURU"),
    ("directconnect", "DIRECT_CONNECT"),
    ("dms", "DATABASE_MIGRATION_SERVICE"),
    ("docdbelastic", "DOCDB_ELASTIC"),
    ("ds", "DIRECTORY_SERVICE"),
    ("ecrpublic", "ECR_PUBLIC"),
    ("elasticbeanstalk", "ELASTIC_BEANSTALK"),
    ("elasticsearch", "ELASTICSEARCH_SERVICE"),
    ("elastictranscoder", "ELASTIC_TRANSCODER"),
    ("elb", "ELASTIC_LOAD_BALANCING"),
    ("elbv2", "ELASTIC_LOAD_BALANCING_V2"),
    ("emrcontainers", "EMR_CONTAINERS"),
    ("emrserverless", "EMR_SERVERLESS"),
    ("events", "EVENTBRIDGE"),
    ("globalaccelerator", "GLOBAL_ACCELERATOR"),
    ("kinesisanalytics", "KINESIS_ANALYTICS"),
    ("kinesisanalyticsv2", "KINESIS_ANALYTICS_V2"),
    ("kinesisvideo", "KINESIS_VIDEO"),
    ("launchwizard", "LAUNCH_WIZARD"),
    ("lexmodels", "LEX_MODEL_BUILDING_SERVICE"),
    ("lexv2models", "LEX_MODELS_V2"),
    ("licensemanager", "LICENSE_MANAGER"),
    ("logs", "CLOUDWATCH_LOGS"),
    ("mediapackagevod", "MEDIAPACKAGE_VOD"),
    ("mwaaserverless", "MWAA_SERVERLESS"),
    ("neptunegraph", "NEPTUNE_GRAPH"),
    ("networkfirewall", "NETWORK_FIREWALL"),
    ("pcaconnectorad", "PCA_CONNECTOR_AD"),
    ("pinpointsmsvoicev2", "PINPOINT_SMS_VOICE_V2"),
    ("rdsdata", "RDS_DATA"),
    ("redshiftdata", "REDSHIFT_DATA"),
    ("redshiftserverless", "REDSHIFT_SERVERLESS"),
    ("resourceexplorer2", "RESOURCE_EXPLORER_2"),
    ("resourcegroups", "RESOURCE_GROUPS"),
    ("resourcegroupstaggingapi", "RESOURCE_GROUPS_TAGGING_API"),
    ("route53", "ROUTE_53"),
    ("route53domains", "ROUTE_53_DOMAINS"),
    ("route53profiles", "ROUTE_53_PROFILES"),
    (
        "route53recoverycontrolconfig",
        "ROUTE53_RECOVERY_CONTROL_CONFIG",
    ),
    ("route53recoveryreadiness", "ROUTE53_RECOVERY_READINESS"),
    ("s3control", "S3_CONTROL"),
    ("secretsmanager", "SECRETS_MANAGER"),
    ("serverlessrepo", "SERVERLESSAPPLICATIONREPOSITORY"),
    ("servicecatalog", "SERVICE_CATALOG"),
    ("servicecatalogappregistry", "SERVICE_CATALOG_APPREGISTRY"),
    ("servicequotas", "SERVICE_QUOTAS"),
    ("ssmcontacts", "SSM_CONTACTS"),
    ("ssmincidents", "SSM_INCIDENTS"),
    ("ssmquicksetup", "SSM_QUICKSETUP"),
    ("ssmsap", "SSM_SAP"),
    ("ssoadmin", "SSO_ADMIN"),
    ("storagegateway", "STORAGE_GATEWAY"),
    ("timestreaminfluxdb", "TIMESTREAM_INFLUXDB"),
    ("timestreamquery", "TIMESTREAM_QUERY"),
    ("timestreamwrite", "TIMESTREAM_WRITE"),
    ("vpclattice", "VPC_LATTICE"),
    ("wafregional", "WAF_REGIONAL"),
    ("workspacesweb", "WORKSPACES_WEB"),
];

/// Variables of the environment that named endpoints before.
const OLD_VARIABLES: [(&str, [&str; 2]); 4] = [
    (
        "dynamodb",
        ["TF_AWS_DYNAMODB_ENDPOINT", "AWS_DYNAMODB_ENDPOINT"],
    ),
    ("iam", ["TF_AWS_IAM_ENDPOINT", "AWS_IAM_ENDPOINT"]),
    ("s3", ["TF_AWS_S3_ENDPOINT", "AWS_S3_ENDPOINT"]),
    ("sts", ["TF_AWS_STS_ENDPOINT", "AWS_STS_ENDPOINT"]),
];

/// The services, by the names that the rest of the provider uses.
pub(crate) fn services() -> impl Iterator<Item = &'static str> {
    NAMES.split_whitespace()
}

/// What the block `endpoints` may call a service beside its name.
pub(crate) fn other_names(service: &str) -> &'static [&'static str] {
    let found = OTHER_NAMES.iter().find(|(name, _)| *name == service);
    found.map_or(&[], |(_, others)| others)
}

/// The variables of the environment that say where a service is, the first that is set counts.
pub(crate) fn variables(service: &str) -> Vec<String> {
    let own = VARIABLES.iter().find(|(name, _)| *name == service);
    let own = own.map_or_else(|| service.to_uppercase(), |(_, id)| (*id).to_owned());
    let old = OLD_VARIABLES.iter().find(|(name, _)| *name == service);
    let mut all = vec![format!("AWS_ENDPOINT_URL_{own}")];
    all.extend(old.into_iter().flat_map(|(_, old)| old.map(str::to_owned)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_of_the_sdk() {
        assert_eq!(variables("lambda"), ["AWS_ENDPOINT_URL_LAMBDA"]);
        assert_eq!(variables("events"), ["AWS_ENDPOINT_URL_EVENTBRIDGE"]);
        assert_eq!(
            variables("s3"),
            [
                "AWS_ENDPOINT_URL_S3",
                "TF_AWS_S3_ENDPOINT",
                "AWS_S3_ENDPOINT"
            ]
        );
    }

    #[test]
    fn tables_speak_of_services_that_there_are() {
        let tables = OTHER_NAMES.iter().map(|(name, _)| name);
        for name in tables.chain(VARIABLES.iter().map(|(name, _)| name)) {
            assert!(services().any(|service| service == *name), "{name}");
        }
    }
}
