#!/usr/bin/env bash
# Puts an archive of images into containerd's store while the node image is built, so that a new cluster pulls nothing.
set -euo pipefail

readonly ARCHIVE=$1
readonly START_SECONDS=20

wait_for_containerd() {
  local deadline=$((SECONDS + START_SECONDS))
  until ctr version >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "containerd did not answer within $START_SECONDS s" >&2
      cat /tmp/containerd.log >&2
      return 1
    fi
    sleep 0.2
  done
}

containerd >/tmp/containerd.log 2>&1 &
containerd=$!
wait_for_containerd
# Content only: it is unpacked at first use, when the snapshotter of the running node is known.
ctr --namespace k8s.io images import --all-platforms --no-unpack --digests "$ARCHIVE"
kill "$containerd"
wait "$containerd" || true # it ends with the signal's status
