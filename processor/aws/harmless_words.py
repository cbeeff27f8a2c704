"""AWS's own error messages without any part of an item: all that may be shown of a call that carried an item.

Pure. Codes are those of the API references (each call's errors, common errors; S3: error responses). Messages are as
DynamoDB and S3 give them; the text at a place in braces is shown only if ``redaction.py`` knows it not to be an item's:

``{name}``  an attribute of the key, or the table
``{type}``, ``{kind}``  a type, in short and in a word
``{call}``  a call
``{}``      never
"""

from __future__ import annotations

import re

CODES = frozenset(
    re.findall(
        r"\S+",
        """
        AccessDenied AccessDeniedException AccountProblem AllAccessDisabled AuthorizationHeaderMalformed BadDigest
        ConditionalCheckFailedException ConditionalRequestConflict DuplicateItemException EncryptionTypeMismatch
        EntityTooLarge EntityTooSmall ExpiredToken ExpiredTokenException ExportNotFoundException
        IdempotentParameterMismatchException IllegalLocationConstraintException ImportNotFoundException
        IncompleteBody IncompleteSignature IncompleteSignatureException
        InternalError InternalFailure InternalServerError InternalServiceError InvalidAccessKeyId InvalidAction
        InvalidArgument InvalidBucketName InvalidBucketState InvalidClientTokenId InvalidDigest
        InvalidEncryptionAlgorithmError InvalidObjectState InvalidParameterCombination InvalidParameterValue
        InvalidQueryParameter InvalidRequest InvalidSecurity InvalidSignatureException InvalidToken
        InvalidWriteOffset ItemCollectionSizeLimitExceededException KMS.DisabledException
        KMS.KMSInvalidStateException KMS.NotFoundException KMSAccessDeniedException KeyTooLongError
        LimitExceededException MalformedPolicyDocument MethodNotAllowed MissingAuthenticationToken
        MissingAuthenticationTokenException MissingContentLength NoSuchBucket NoSuchKey NotAuthorized NotImplemented
        OperationAborted OptInRequired PermanentRedirect PreconditionFailed ProvisionedThroughputExceededException
        RegionDisabledException ReplicatedWriteConflictException RequestExpired RequestLimitExceeded
        RequestTimeTooSkewed RequestTimeout ResourceInUseException ResourceNotFoundException SerializationException
        ServiceUnavailable ServiceUnavailableException SignatureDoesNotMatch SlowDown TableNotFoundException
        TemporaryRedirect ThrottledException Throttling ThrottlingException TooManyParts TooManyRequestsException
        TransactionConflictException UnknownOperationException UnrecognizedClientException UnsupportedArgument
        ValidationError ValidationException
        """,
    )
)
# Some versions put these before some of the messages.
BEGINS = ("One or more parameter values were invalid: ", "One or more parameter values are not valid. ")
# One message a line, without the dot that may end it; an indented line continues the line before.
_MESSAGES = """
# Not now.
Internal server error
Internal Server Error
Rate exceeded
Rate of requests exceeds the allowed throughput
Request rate is too high
Service Unavailable
The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning
    level with the UpdateTable API
The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning
    level with the UpdateTable API
The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded
    Consider increasing your provisioning level with the UpdateTable API for the under-provisioned global secondary
    indexes with the UpdateTable API
The request processing has failed because of an unknown error, exception or failure
The service is currently unavailable. Please try again
Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is automatically
    scaling your index so please try again shortly
Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or
    index so please try again shortly. If exceptions persist, check if you have a hot key: {}
Throughput exceeds the current throughput limit for your account. Please contact AWS Support at {} request a limit
    increase
Transaction is ongoing for the item
# Nobody there, or nobody who may.
Cannot do operations on a non-existent table
Missing Authentication Token
Request is missing Authentication Token
Requested resource not found
Requested resource not found: Table: {name} not found
Signature expired: {} is now earlier than {} ({})
Signature not yet current: {} is still later than {} ({})
The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key
    and signing method. Consult the service documentation for details
The security token included in the request is expired
The security token included in the request is invalid
The security token included in the request is invalid
User: {} is not authorized to perform: {call} on resource: {}
User: {} is not authorized to perform: {call} on resource: {} because no identity-based policy allows the {call}
    action
User: {} is not authorized to perform: {call} on resource: {} because no resource-based policy allows the {call}
    action
User: {} is not authorized to perform: {call} on resource: {} with an explicit deny
User: {} is not authorized to perform: {call} on resource: {} with an explicit deny in {}
# Not this item.
A value provided cannot be converted into a number
A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain
    an empty {kind} value. IndexName: {}, IndexKey: {name}
Aggregated size of all range keys has exceeded the size limit of 1024 bytes
An AttributeValue may not contain a null or empty {kind}
An AttributeValue may not contain an empty {kind}
An {kind} set  may not be empty
Attempting to store more than 38 significant digits in a Number
Binary sets should not be empty
DynamoDB only supports precision up to 38 digits
Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes
Input collection {} contains duplicates
Input collection {} of type {type} contains duplicates
Item collection size limit of {} has been exceeded
Item size has exceeded the maximum allowed size
Item size to update has exceeded the maximum allowed size
Missing the key {name} in the item
Nesting Levels have exceeded supported limits
Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit
Number overflow. Attempting to store a number with magnitude larger than supported range
Number underflow. Attempting to store a number with magnitude smaller than supported range
One of the required keys was not given a value
Provided list of item keys contains duplicates
Size of hashkey has exceeded the maximum size limit of2048 bytes
Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes
Supplied AttributeValue is empty, must contain exactly one of the supported datatypes
The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {name}
The conditional request failed
The parameter cannot be converted to a numeric value
The parameter cannot be converted to a numeric value: {}
The provided key element does not match the schema
Too many items requested for the BatchWriteItem call
Type mismatch for Index Key
Type mismatch for Index Key {name} Expected: {type} Actual: {type} IndexName: {}
Type mismatch for key
Type mismatch for key {name} expected: {type} actual: {type}
# S3's.
A header you provided implies functionality that is not implemented
Access Denied
At least one of the pre-conditions you specified did not hold
Please reduce your request rate
The AWS Access Key Id you provided does not exist in our records
The Content-MD5 you specified did not match what we received
The bucket is in this region: {}. Please use this region to retry the request
The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future
    requests to this endpoint
The provided token has expired
The provided token is malformed or otherwise invalid
The request signature we calculated does not match the signature you provided. Check your key and signing method
The specified bucket does not exist
The specified method is not allowed against this resource
User: {} is not authorized to perform: {call} on resource: {} because no session policy allows the {call} action
We encountered an internal error. Please try again
"""
MESSAGES = tuple(
    dict.fromkeys(line for line in re.sub(r"\n +", " ", _MESSAGES).splitlines() if line and not line.startswith("#"))
)
TYPES = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")
KINDS = ("string", "number", "binary")
_TABLE_CALLS = ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Scan")
CALLS = (*[f"dynamodb:{call}" for call in _TABLE_CALLS], "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey")
# For an answer that is not AWS's, to show what did answer.
CONTENT_TYPES = frozenset(
    {
        "application/json",
        "application/octet-stream",
        "application/x-amz-json-1.0",
        "application/x-amz-json-1.1",
        "application/xml",
        "none",
        "text/html",
        "text/plain",
        "text/xml",
    }
)
