#!/bin/sh
# SPDX-License-Identifier: MIT
# A plugin of nbdkit's sh plugin that takes layer=FILE for each layer, bottom to top; this suite underneath.
case $1 in
  config) [ "$2" = layer ] || { echo "EINVAL unknown parameter $2" >&2; exit 1; }; echo "$3" >> "$tmpdir/layers" ;;
  config_complete) $OVBD_STAND_IN read $(cat "$tmpdir/layers") -o "$tmpdir/device" || { echo "EINVAL the layers are refused" >&2; exit 1; } ;;
  get_size) stat -c %s "$tmpdir/device" ;;
  pread) dd if="$tmpdir/device" iflag=skip_bytes,count_bytes skip="$4" count="$3" status=none ;;
  *) exit 2 ;;
esac
