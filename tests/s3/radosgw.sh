#!/usr/bin/env bash
# A real S3 server on loopback: a one-node Ceph with its S3 gateway. Everything that it keeps is in
# DIR; nothing of the system's own folders is read or written.
# usage: radosgw.sh start DIR PORT   wipes DIR, starts, waits until it answers, makes a bucket, and
#                                    prints S3_ENDPOINT and the rest as NAME=VALUE lines
#                                    (PORT+1 and PORT+2 are used too)
#        radosgw.sh stop DIR
# DIR is one that this script has made, an empty one, or none yet: no other is touched.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/servers.sh"
command=${1:-}
dir=$(realpath -ms "${2:?the folder}")
access_key=AKTEST secret_key=SKTESTSKTEST bucket=chainstore-test

# Stops what a pid file names, if that process is still the program that wrote it. Nothing that it
# has is kept, so that it needs no time to put things in order: it would take seconds.
stop_daemon() { # PROGRAM
  local pid program=$1
  [ -f "$dir/$program.pid" ] || return 0
  pid=$(cat "$dir/$program.pid")
  if [[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" == */$program ]]; then
    kill -9 "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      [[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" == */$program ]] || break
      sleep 0.1
    done
  fi
  rm -f "$dir/$program.pid"
}

stop_all() {
  local program
  for program in radosgw ceph-osd ceph-mgr ceph-mon; do stop_daemon "$program"; done
}

start_daemon() { # PROGRAM ARGUMENT...
  local program=$1
  setsid "$@" >"$dir/log/$program.out" 2>&1 </dev/null &
  echo $! >"$dir/$program.pid"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local give_up=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $give_up ]; then
      echo "radosgw.sh: $what did not come up; its output is in $dir/log" >&2
      stop_all
      exit 1
    fi
    sleep 0.2
  done
}

osd_is_up() { ceph --connect-timeout 5 osd stat | grep -q '1 up'; }

case $command in
  stop)
    stop_all
    exit 0
    ;;
  start) port=${3:?the port} ;;
  *)
    sed -n '4,8s/^# //p' "$0" >&2
    exit 64
    ;;
esac

require_own "$dir"
stop_all
new_folder "$dir"
mkdir "$dir"/{mon,osd,mgr,log,rgw}
export CEPH_CONF=$dir/ceph.conf
fsid=$(cat /proc/sys/kernel/random/uuid)
# Authentication stays on: without it the gateway hangs. One replica needs to be allowed. Debian 13's
# ceph-osd looks for its classes at a relative path.
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon_host = [v2:127.0.0.1:$((port + 1))/0,v1:127.0.0.1:$((port + 2))/0]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
keyring = $dir/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_crit = 1
log_file = $dir/log/\$name.log
admin_socket = $dir/\$name.\$pid.asok
run_dir = $dir
crash_dir = $dir/log
[mon]
mon_data = $dir/mon
[mgr]
mgr_data = $dir/mgr
[osd]
osd_data = $dir/osd
osd_objectstore = bluestore
osd_class_dir = $(dirname "$(find /usr/lib -name libcls_version.so -print -quit)")
bluestore_block_size = 4294967296
[client]
rgw_frontends = beast endpoint=127.0.0.1:$port
rgw_crypt_require_ssl = false
rgw_data = $dir/rgw
CONF

monmaptool --create --clobber --fsid "$fsid" \
  --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$dir/monmap" >/dev/null
ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' \
  --cap mgr 'allow *' --cap mds 'allow *' >/dev/null
ceph-mon -i a --mkfs --monmap "$dir/monmap" --keyring "$dir/keyring"
start_daemon ceph-mon -f -i a
wait_for 60 ceph-mon ceph --connect-timeout 5 -s
ceph auth get-or-create mgr.x mon 'allow profile mgr' osd 'allow *' mds 'allow *' >>"$dir/keyring"
start_daemon ceph-mgr -f -i x
uuid=$(cat /proc/sys/kernel/random/uuid)
id=$(ceph osd new "$uuid")
ceph auth get-or-create "osd.$id" mon 'allow profile osd' mgr 'allow profile osd' \
  osd 'allow *' >>"$dir/keyring"
ceph-osd -i "$id" --mkfs --osd-uuid "$uuid" 2>/dev/null
start_daemon ceph-osd -f -i "$id"
wait_for 60 ceph-osd osd_is_up
start_daemon radosgw -f -n client.admin
wait_for 120 radosgw curl -s -m 2 -o "$dir/log/ready" "http://127.0.0.1:$port/"
radosgw-admin user create --uid=test --display-name=test --access-key=$access_key \
  --secret=$secret_key >/dev/null 2>&1
wait_for 60 "the bucket" timeout 20 \
  python3 "$here/make_bucket.py" "http://127.0.0.1:$port" "$bucket" "$access_key" "$secret_key"
cat <<ENV
S3_ENDPOINT=http://127.0.0.1:$port
S3_BUCKET=$bucket
S3_ACCESS_KEY=$access_key
S3_SECRET_KEY=$secret_key
S3_REGION=us-east-1
ENV
