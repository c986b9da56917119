"""AWS's own words, as botocore and the other SDKs pass them on."""

from __future__ import annotations

from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

_S3 = r"((Put|Get|Head|List|Delete|Copy)(Object|Bucket)\w*|CreateMultipartUpload|UploadPart)"

RULES = (
    LogRule(
        r"not authorized to perform: kms:(?P<name>\w+)|KMS\.AccessDenied|kms:(Decrypt|GenerateDataKey).*denied",
        "kms-denied",
        "a role of the task may not use a KMS key",
        "allow kms:Decrypt and kms:GenerateDataKey on that key in the role's policy, and the role in the key's policy",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"KMS\.(Disabled|KMSInvalidState|NotFound)Exception|KMSInvalidStateException|\(DisabledException\)"
        r"|\(DecryptionFailure\)|:key/(?P<name>[\w-]+) is (disabled|pending deletion)",
        "kms-key-unusable",
        "a KMS key that the task needs is disabled, scheduled for deletion, or gone",
        "enable that key again (aws kms enable-key; before that, where it is to be deleted, aws kms "
        "cancel-key-deletion)",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        rf"AccessDenied.*({_S3}|\bs3\b|s3:)|not authorized to perform: s3:|NoSuchBucket"
        rf"|\(403\) when calling the {_S3}|\(404\) when calling the HeadBucket",
        "s3-denied",
        "the task role may not use the bucket, or the bucket is missing",
        "check the bucket's name and the task role's policy for the tenant's prefix",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        rf"AuthorizationHeaderMalformed|PermanentRedirect|the region '[\w-]+' is wrong; expecting"
        rf"|\(301\) when calling the {_S3}",
        "s3-region-wrong",
        "the task looks for its bucket in the wrong region",
        "set AWS_REGION_NAME (or AWS_REGION) in the task definition to the bucket's region",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"don't have access to the model with|[Mm]odel access is denied"
        r"|[Mm]odel use case details have not been submitted",
        "aws-model-not-enabled",
        "the account may not use that model of Amazon Bedrock",
        "request access to it in Bedrock's console, in the region that the task uses",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"not authorized to perform: (?P<name>[\w-]+:\w+)"
        r"|\((AccessDenied(Exception)?|UnauthorizedOperation|AuthorizationError(Exception)?)\)"
        r" when calling the (?P<operation>\w+) operation",
        "aws-denied",
        "the task role may not call {name}",
        "allow {name} on that resource in the task role's policy; an explicit deny or a permissions boundary may "
        "also forbid it",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"RequestTimeTooSkewed|Signature (expired|not yet current)",
        "aws-clock-wrong",
        "AWS refuses what the task sends, because the task's clock is wrong",
        "set the clock of the container instance (chrony with 169.254.169.123); Fargate's is right by itself",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|UnrecognizedClientException|InvalidClientTokenId|ExpiredToken"
        r"|security token included in the request is (invalid|expired)",
        "aws-credentials-invalid",
        "AWS does not know the keys that the task uses",
        "keys in its environment (AWS_ACCESS_KEY_ID) override its task role: remove them, and give it a task role",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"Unable to locate credentials|NoCredentialsError|CredentialsProviderError|NoCredentialProviders"
        r"|CredentialRetrievalError|Error retrieving metadata: |[Uu]nable to load (AWS )?credentials"
        r"|MissingCredentialsError|Error retrieving credentials from|[Cc]ould not load credentials from"
        r"|failed to (refresh|retrieve) (cached )?credentials",
        "aws-credentials-missing",
        "the task has no credentials for AWS",
        "set task_role_arn in aws_ecs_task_definition (the execution role is ECS's, not the application's)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"You must specify a region|NoRegionError|Missing region in config|[Uu]nable to load region|Region is missing"
        r"|MissingRegionError",
        "aws-region-missing",
        "the application does not know which region to use",
        "set AWS_REGION (Onyx: AWS_REGION_NAME) in the environment of the task definition",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"InvalidRegionError|doesn't match a supported format|InvalidEndpointException: .*region|Invalid region",
        "aws-region-invalid",
        "the application is given a region that does not exist",
        "correct AWS_REGION (Onyx: AWS_REGION_NAME) in the environment of the task definition",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"ProfileNotFound|config profile \([\w-]+\) could not be found",
        "aws-profile-missing",
        "the application asks for a profile of AWS's configuration files, and a task has none",
        "remove AWS_PROFILE from the environment of the task definition: the task role is used then",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"(ResourceNotFoundException|ParameterNotFound|SecretNotFound)\b.*(GetSecretValue|GetParameters?|secret)"
        r"|can't find the specified secret",
        "aws-secret-missing",
        "a secret or parameter that the application reads itself does not exist",
        "create it, or correct its name (and region) where the task definition sets it",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"NonExistentQueue|QueueDoesNotExist|\(ResourceNotFoundException\) when calling the \w+ operation"
        r"|\(NotFound(Exception)?\) when calling the \w+ operation",
        "aws-resource-missing",
        "something in AWS that the task names does not exist",
        "create it, or correct its name (and region) where the task definition sets it",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"\((Throttling\w*|TooManyRequestsException|RequestLimitExceeded|SlowDown)\) when calling|Rate exceeded",
        "aws-throttled",
        "AWS took no more calls from this account at that moment",
        "none needed if it passes; else start fewer tasks at a time, or cache what they read",
        RepairedBy.TIME,
    ),
)
