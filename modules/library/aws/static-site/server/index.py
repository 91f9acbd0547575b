"""Serves the site of a bucket, for load balancers, function URLs and API gateways."""

import base64
import os
import posixpath

import boto3
from botocore.exceptions import ClientError

BUCKET = os.environ["BUCKET"]
INDEX = os.environ["INDEX_DOCUMENT"]
ERROR = os.environ["ERROR_DOCUMENT"]

s3 = boto3.client("s3")


def key_of(path):
    """The key of the object that a path asks for: directories are asked for by their index."""
    name = posixpath.normpath("/" + path).lstrip("/")
    if name in ("", ".") or path.endswith("/"):
        return posixpath.join(name, INDEX) if name not in ("", ".") else INDEX
    return name if "." in posixpath.basename(name) else posixpath.join(name, INDEX)


def found(key, status):
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": answer.get("ContentType", "application/octet-stream"),
            "Cache-Control": answer.get("CacheControl", "max-age=60"),
            "ETag": answer["ETag"],
        },
        "isBase64Encoded": True,
        "body": base64.b64encode(answer["Body"].read()).decode("ascii"),
    }


def is_missing(error):
    return error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied", "404", "403")


def handle(event, _context):
    try:
        return found(key_of(event.get("rawPath") or event.get("path") or "/"), 200)
    except ClientError as error:
        if not is_missing(error):
            raise
    try:
        return found(ERROR, 404)
    except ClientError as error:
        if not is_missing(error):
            raise
        return {"statusCode": 404, "headers": {"Content-Type": "text/plain"}, "body": "Not found"}
