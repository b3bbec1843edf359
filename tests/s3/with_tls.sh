#!/usr/bin/env bash
# Runs a command with three more gateways of the radosgw that runs in DIR (with_radosgw.sh), which
# speak TLS: they have the same buckets and keys. S3_TLS_ENDPOINT shows a good certificate,
# S3_TLS_EXPIRED_ENDPOINT and S3_TLS_SELF_SIGNED_ENDPOINT others; S3_TLS_CA is to be trusted,
# S3_TLS_STRANGER_CA has signed none of them. The first one is an STS too, which gives the user the
# role S3_ROLE_ARN, that may only read. (With STS a gateway calls every wrong key AccessDenied, as S3
# does not: the one without TLS has none.) All of it is gone when this ends.
# usage: with_tls.sh DIR COMMAND...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath "$1")
shift
tls=$dir/tls
"$here/certificates.sh" "$tls" >"$dir/log/certificates.out" 2>&1
source "$here/servers.sh"

export CEPH_CONF=$dir/ceph.conf
gateways=()
stop_gateways() {
  kill -9 "${gateways[@]}" 2>/dev/null || true # asked, they take seconds, and keep nothing
  wait "${gateways[@]}" 2>/dev/null || true
}
trap stop_gateways EXIT

# start_gateway VARIABLE CERTIFICATE ARGUMENT...: exports its endpoint.
start_gateway() {
  local port variable=$1 certificate=$2
  shift 2
  port=$(free_ports 1)
  radosgw -f -n client.admin --rgw_frontends="beast \
ssl_endpoint=127.0.0.1:$port ssl_certificate=$tls/$certificate.pem ssl_private_key=$tls/$certificate.key" "$@" \
    >"$dir/log/radosgw-$certificate.out" 2>&1 </dev/null &
  gateways+=($!)
  export "$variable=https://127.0.0.1:$port"
}

start_gateway S3_TLS_ENDPOINT server --rgw_s3_auth_use_sts=true --rgw_sts_key=0123456789abcdef
start_gateway S3_TLS_EXPIRED_ENDPOINT expired
start_gateway S3_TLS_SELF_SIGNED_ENDPOINT self-signed
radosgw-admin role create --role-name=reader --assume-role-policy-doc='{"Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/test"]},
                 "Action": ["sts:AssumeRole"]}]}' >"$dir/log/role.out" 2>&1
radosgw-admin role policy put --role-name=reader --policy-name=read --policy-doc='{
  "Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::*"}]}' \
  >>"$dir/log/role.out" 2>&1
for endpoint in "$S3_TLS_ENDPOINT" "$S3_TLS_EXPIRED_ENDPOINT" "$S3_TLS_SELF_SIGNED_ENDPOINT"; do
  for attempt in $(seq 300); do
    if curl -s -k -m 2 -o "$dir/log/ready" "$endpoint/"; then break; fi
    [ "$attempt" != 300 ]
    kill -0 "${gateways[@]}" # one has ended: so does this
    sleep 0.1
  done
done
export S3_TLS_CA=$tls/authority.pem S3_TLS_STRANGER_CA=$tls/stranger.pem
export S3_ROLE_ARN=arn:aws:iam:::role/reader
unset CEPH_CONF
"$@"
