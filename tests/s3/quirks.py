#!/usr/bin/env python3
"""Where S3 servers differ from S3: one declared table. What a server does otherwise is a failure.

    quirks.py SERVER          asks the server that S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY and
                              S3_SECRET_KEY name, prints what it does, and fails where that is
                              neither S3's way nor declared for SERVER (or declared, and gone)
    quirks.py --names SERVER  the declared ones, on one line, for S3_QUIRKS

Like make_bucket.py it signs by the text of the API reference, with nothing but the standard
library: the library's own requests would not show what the library takes care not to send.
"""
import base64
import datetime
import hashlib
import hmac
import http.client
import os
import re
import socket
import sys
import threading
import urllib.parse

REGION = "us-east-1"
SSE_KEY = bytes(range(32))

# What is asked, S3's own way, and the ways of the servers that have another. "sometimes" holds
# whatever is seen: a race may end well.
QUIRKS = [
    ("put-if-none-match", "412", {}),
    ("put-if-none-match-race", "one wins", {"versitygw": "sometimes several win"}),
    ("put-if-match-quoted", "200", {"radosgw": "412"}),
    ("put-if-match-unquoted", "200", {}),
    ("delete-if-match", "412", {"radosgw": "204"}),
    ("checksum-wrong", "400", {"radosgw": "200"}),
    ("checksum-echoed", "yes", {"radosgw": "no"}),
    ("trailer", "200", {"radosgw": "400"}),
    ("object-acl", "200", {"versitygw": "403"}),
    ("sse-c", "400", {"versitygw": "200"}),
    ("complete-etag", "yes", {"radosgw": "no"}),
    ("list-encoding", "yes", {"versitygw": "no"}),
    ("put-cut-off", "404", {"versitygw": "200"}),
    ("delete-objects-without-md5", "400", {"radosgw": "200"}),
    ("key-below-key", "200", {"versitygw": "409"}),  # its keys are files and folders
    ("key-dot", "200", {"versitygw": "409"}),
    ("key-of-256", "200", {"versitygw": "400"}),
    ("storage-class", "200", {"radosgw": "400"}),
    ("storage-class-unknown", "400", {"versitygw": "200"}),
]


class Server:
    def __init__(self):
        self.host = os.environ["S3_ENDPOINT"].split("//")[1]
        self.bucket = os.environ["S3_BUCKET"]
        self.access_key = os.environ["S3_ACCESS_KEY"]
        self.secret_key = os.environ["S3_SECRET_KEY"]

    def signed(self, method, path, query, headers, payload):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        headers = dict(headers, **{"host": self.host, "x-amz-date": now,
                                   "x-amz-content-sha256": payload})
        names = sorted(name for name in headers
                       if name in ("host", "content-md5") or name.startswith("x-amz-"))
        canonical = "\n".join([method, path, query,
                               *[f"{name}:{headers[name]}" for name in names], "",
                               ";".join(names), payload])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope,
                             hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope},"
                                    f"SignedHeaders={';'.join(names)},Signature={signature}")
        return headers

    def ask(self, method, key, headers=None, body=b"", query="", payload=None, anonymous=False):
        """Status, headers and body of the answer."""
        path = f"/{self.bucket}" + (f"/{key}" if key else "")
        query = "&".join(sorted(part if "=" in part else part + "="
                                for part in query.split("&") if part))
        headers = dict(headers or {})
        if not anonymous:
            payload = payload or hashlib.sha256(body).hexdigest()
            headers = self.signed(method, path, query, headers, payload)
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request(method, path + ("?" + query if query else ""), body=body or None,
                           headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers, text

    def put(self, key, body=b"value", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("PUT", key, names, body)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return base64.b64encode((crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


# ---- The probes: each returns what it saw, in the words of the table ----

def put_if_none_match(server):
    server.put("q")
    return str(server.put("q", if_none_match="*")[0])


def put_if_none_match_race(server):
    for race in range(20):
        statuses = []
        threads = [threading.Thread(target=lambda at=at: statuses.append(
            server.put(f"race-{race}", str(at).encode(), if_none_match="*")[0]))
            for at in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.ask("DELETE", f"race-{race}")
        if statuses.count(200) != 1:
            return "several win" if statuses.count(200) else "nobody wins"
    return "one wins"


def put_if_match_quoted(server):
    etag = server.put("q")[1]["ETag"]
    return str(server.put("q", if_match='"' + etag.strip('"') + '"')[0])


def put_if_match_unquoted(server):
    etag = server.put("q")[1]["ETag"]
    return str(server.put("q", if_match=etag.strip('"'))[0])


def delete_if_match(server):
    server.put("q")
    return str(server.ask("DELETE", "q", {"if-match": '"0123456789abcdef0123456789abcdef"'})[0])


def checksum_wrong(server):
    return str(server.put("q", x_amz_checksum_crc32c="AAAAAA==")[0])


def checksum_echoed(server):
    server.put("q", x_amz_checksum_crc32c=crc32c(b"value"))
    headers = server.ask("HEAD", "q", {"x-amz-checksum-mode": "ENABLED"})[1]
    return "yes" if headers.get("x-amz-checksum-crc32c") == crc32c(b"value") else "no"


def trailer(server):
    body = b"5\r\nvalue\r\n0\r\nx-amz-checksum-crc32c:" + crc32c(b"value").encode() + b"\r\n\r\n"
    return str(server.ask("PUT", "q", {"content-encoding": "aws-chunked",
                                       "x-amz-decoded-content-length": "5",
                                       "x-amz-trailer": "x-amz-checksum-crc32c"}, body,
                          payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")[0])


def object_acl(server):
    server.put("q", x_amz_acl="public-read")
    return str(server.ask("GET", "q", anonymous=True)[0])


def sse_c(server):
    prefix = "x-amz-server-side-encryption-customer-"
    server.ask("PUT", "q", {prefix + "algorithm": "AES256",
                            prefix + "key": base64.b64encode(SSE_KEY).decode(),
                            prefix + "key-md5": base64.b64encode(
                                hashlib.md5(SSE_KEY).digest()).decode()}, b"value")
    return str(server.ask("GET", "q")[0])


def complete_etag(server):
    started = server.ask("POST", "q", query="uploads")[2].decode()
    upload = urllib.parse.quote(re.search("<UploadId>(.*?)</UploadId>", started)[1], safe="")
    etag = server.ask("PUT", "q", {}, b"value", f"partNumber=1&uploadId={upload}")[1]["ETag"]
    body = ("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
            f"<ETag>{etag}</ETag></Part></CompleteMultipartUpload>").encode()
    done = server.ask("POST", "q", {}, body, f"uploadId={upload}")[2].decode()
    return "yes" if re.search("<ETag>.+?</ETag>", done) else "no"


def list_encoding(server):
    text = server.ask("GET", "", query="list-type=2&encoding-type=url")[2].decode()
    return "yes" if "<EncodingType>url</EncodingType>" in text else "no"


def put_cut_off(server):
    server.ask("DELETE", "cut")
    path = f"/{server.bucket}/cut"
    headers = server.signed("PUT", path, "", {}, "UNSIGNED-PAYLOAD")
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        lines = [f"PUT {path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()],
                 "content-length: 100000", "", ""]
        connection.sendall("\r\n".join(lines).encode() + b"x" * 70000)
        connection.shutdown(socket.SHUT_WR)
        try:
            connection.recv(65536)  # until the server has made up its mind
        except OSError:
            pass
    return str(server.ask("GET", "cut")[0])


def delete_objects_without_md5(server):
    body = b"<Delete><Object><Key>q</Key></Object></Delete>"
    return str(server.ask("POST", "", {}, body, "delete")[0])


def key_below_key(server):
    server.put("q")
    status = server.put("q/below")[0]
    server.ask("DELETE", "q/below")
    return str(status)


def key_dot(server):
    server.put("dot/a")
    status = server.put("dot/.")[0]
    for key in ("dot/.", "dot/a"):
        server.ask("DELETE", key)
    return str(status)


def key_of_256(server):
    status = server.put("k" * 256)[0]
    server.ask("DELETE", "k" * 256)
    return str(status)


def storage_class(server):
    return str(server.put("q", x_amz_storage_class="STANDARD_IA")[0])


def storage_class_unknown(server):
    return str(server.put("q", x_amz_storage_class="NO_SUCH_CLASS")[0])


def main():
    if sys.argv[1] == "--names":
        print(" ".join(name for name, _, others in QUIRKS if sys.argv[2] in others))
        return 0
    name_of_server, server, failed = sys.argv[1], Server(), 0
    for name, usual, others in QUIRKS:
        seen = globals()[name.replace("-", "_")](server)
        declared = others.get(name_of_server, usual)
        held = seen == declared or declared.startswith("sometimes ") and seen in (
            usual, declared.removeprefix("sometimes "))
        failed += not held
        note = "" if held else f"   FAILED: declared is {declared}"
        print(f"{name:28} {seen:12} {'' if seen == usual else '(S3: ' + usual + ')'}{note}")
    server.ask("DELETE", "q")
    server.ask("DELETE", "cut")
    print(f"{len(QUIRKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
