#!/usr/bin/env python3
"""Makes a bucket on a test server. usage: make_bucket.py ENDPOINT BUCKET ACCESS_KEY SECRET_KEY

The library makes no buckets, and its own signatures must not vouch for themselves: this signs by
the text of the S3 API reference, with nothing but the standard library.
"""
import datetime
import hashlib
import hmac
import sys
import urllib.error
import urllib.request

REGION = "us-east-1"


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def main():
    endpoint, bucket, access_key, secret_key = sys.argv[1:]
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    payload = hashlib.sha256(b"").hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = (f"PUT\n/{bucket}\n\nhost:{endpoint.split('//')[1]}\n"
                 f"x-amz-content-sha256:{payload}\nx-amz-date:{stamp}\n\n{names}\n{payload}")
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret_key).encode()
    for part in scope.split("/"):
        key = sign(key, part)
    request = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers={
        "x-amz-date": stamp, "x-amz-content-sha256": payload,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope},"
                         f"SignedHeaders={names},Signature={sign(key, to_sign).hex()}"})
    try:
        urllib.request.urlopen(request, timeout=15)
    except urllib.error.HTTPError as error:
        if error.code != 409:  # 409: it is there
            raise


if __name__ == "__main__":
    main()
