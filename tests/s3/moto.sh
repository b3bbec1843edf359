#!/usr/bin/env bash
# Keys as another's STS and metadata service hand them out: moto, which answers in the form of AWS's
# services, and signs nothing. What must be refused is proven by mocks of our own and by radosgw.
# usage: moto.sh BUILD_FOLDER DIR   (DIR: where moto is, or is installed by pip)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/servers.sh"
chainstore=$(realpath "$1/chainstore")
dir=$(realpath -ms "$2")
if [ ! -x "$dir/bin/moto_server" ]; then
  new_folder "$dir"
  python3 -m venv "$dir"
  if ! "$dir/bin/pip" -q install 'moto[server]==5.*'; then
    rm -rf "$dir"
    echo "moto.sh: pip cannot install moto[server]: is its registry reachable?" >&2
    exit 69
  fi
fi

port=$(free_ports 1)
"$dir/bin/moto_server" -H 127.0.0.1 -p "$port" >"$dir/log" 2>&1 </dev/null &
server=$!
trap 'kill $server; wait $server || true' EXIT
wait_for_port "$port" $server
endpoint=http://127.0.0.1:$port
python3 "$here/make_bucket.py" "$endpoint" moto-bucket AKTEST SKTEST

unset "${!AWS_@}"
echo "a web identity's token" >"$dir/token"
cat >"$dir/config" <<CONF
[profile role]
role_arn = arn:aws:iam::123456789012:role/tester
source_profile = own
[profile own]
aws_access_key_id = AKTEST
aws_secret_access_key = SKTEST
CONF
export AWS_ENDPOINT_URL_STS=$endpoint AWS_EC2_METADATA_SERVICE_ENDPOINT=$endpoint
export AWS_CONFIG_FILE=$dir/config AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_WEB_IDENTITY_TOKEN_FILE=$dir/token AWS_ROLE_ARN=arn:aws:iam::123456789012:role/tester

failed=0
for from in web_identity "profile&profile=role" instance; do
  store="s3://moto-bucket?endpoint=$endpoint&region=us-east-1&credentials=$from"
  asked=$(wc -l <"$dir/log")
  if "$chainstore" "$store" put "of $from" --value "by $from" &&
    [ "$("$chainstore" "$store" get "of $from")" = "by $from" ] &&
    tail -n +$((asked + 1)) "$dir/log" | grep -qE '"(POST /|PUT /latest/api/token) HTTP'; then
    echo "$from: ok"
  else
    echo "$from: FAILED"
    failed=$((failed + 1))
  fi
done
echo "$((3 - failed)) passed, $failed failed"
[ $failed = 0 ]
