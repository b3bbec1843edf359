#!/usr/bin/env bash
# Makes a certificate authority and what a server may show, right and wrong, in DIR (each with its .key):
#   authority.pem    to be trusted
#   server.pem       signed by it, for 127.0.0.1 and for no name
#   expired.pem      the same, of a day that is over
#   self-signed.pem  for 127.0.0.1, signed by itself
#   stranger.pem     an authority that has signed nothing here
# usage: certificates.sh DIR
set -euo pipefail
mkdir -p "$1"
cd "$1"
key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
here=subjectAltName=IP:127.0.0.1

make_authority() { # NAME
  openssl req -x509 "${key[@]}" -days 30 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

issue() { # NAME BEGIN END
  openssl req "${key[@]}" -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  # `openssl ca`, since `openssl x509` knows no begin: expired must mean expired, not this very second.
  openssl ca -batch -notext -config authority.conf -in "$1.csr" -out "$1.pem" \
    -startdate "$2" -enddate "$3"
}

make_authority authority
make_authority stranger
openssl req -x509 "${key[@]}" -days 30 -subj /CN=self-signed -keyout self-signed.key \
  -out self-signed.pem -addext "$here"
: >index
cat >authority.conf <<CONF
[ca]
default_ca = authority
[authority]
database = index
new_certs_dir = .
rand_serial = yes
certificate = authority.pem
private_key = authority.key
default_md = sha256
policy = any
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
$here
CONF
issue server "$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)" "$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)"
issue expired "$(date -u -d '-9 days' +%Y%m%d%H%M%SZ)" "$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)"
