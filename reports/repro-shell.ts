// SPDX-License-Identifier: MIT
/**
 * The parts of a repro.sh that are the same in each. POSIX shell; from dd beyond
 * POSIX only `iflag=direct,skip_bytes` and `conv=notrunc`, which GNU's and busybox's know.
 */

/** Set-up, helpers, and what happens at the end. `target` is the table's target type. */
export function prologue(target: string, seconds: number): string {
  return `set -u
LC_ALL=C; export LC_ALL
# Nodes are made by dmsetup itself: nobody waits for udev, which may not be there.
DM_DISABLE_UDEV=1; export DM_DISABLE_UDEV
PATH=$PATH:/usr/sbin:/sbin; export PATH
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=$(mktemp -d) || exit 2
N=repro$$
SHOWN=0
MADE=
LOOPS=
say() { printf '%s\\n' "$*"; }
shown() { say "SHOWN: $*"; SHOWN=1; }
fail() { say "cannot be tried: $*"; exit 2; }

# new FILE BYTES: a file of zeros. put FILE SECTOR: standard input, unpacked, into it.
new() { dd if=/dev/null of="$DIR/$1" bs=1 seek="$2" 2>/dev/null || fail "no room for $2 bytes in $DIR"; }
put() { base64 -d | gzip -dc | dd of="$DIR/$1" bs=512 seek="$2" conv=notrunc 2>/dev/null || fail "cannot unpack $1"; }
loop() { free=$(losetup -f) && losetup -r "$free" "$DIR/$1" && say "$free" || fail "no loop device"; }

# Runs a command, at most ${seconds} seconds of it: one that sleeps in the kernel cannot be killed.
bounded() {
	rm -f "$DIR/rc"
	( "$@"; echo $? > "$DIR/rc.new"; mv "$DIR/rc.new" "$DIR/rc" ) &
	tries=0
	while [ ! -e "$DIR/rc" ]; do
		[ $tries -lt ${seconds} ] || { shown "no answer within ${seconds} s from: $*"; exit 1; }
		sleep 1
		tries=$((tries + 1))
	done
	return "$(cat "$DIR/rc")"
}
make() {
	say "make $1: $2"
	$RUN dmsetup create "$N-$1" --readonly --table "$2" 2> "$DIR/error" || return 1
	MADE="$N-$1 $MADE"
}
# get OFFSET BYTES FLAGS: one read of the device, into $DIR/out.
get() {
	$RUN dd if="/dev/mapper/$N-top" of="$DIR/out" bs="$2" count=1 skip="$1" iflag="$3" 2> "$DIR/error"
}
# read_is NUMBER OFFSET BYTES FLAGS SHA256 LENGTH: a read that must give these bytes.
read_is() {
	if ! get "$2" "$3" "$4" && [ "$6" -gt 0 ]; then
		say "read $1: failed: $(tail -n 1 "$DIR/error")"
		shown "read $1 must give $6 bytes"
		return
	fi
	sum=$(sha256sum < "$DIR/out" | cut -d ' ' -f 1)
	bytes=$(($(wc -c < "$DIR/out")))
	say "read $1: $bytes bytes, SHA-256 $sum"
	[ "$sum" = "$5" ] || shown "read $1 must give $6 bytes, SHA-256 $5"
}
read_fails() {
	get "$2" "$3" "$4" || { say "read $1: failed: $(tail -n 1 "$DIR/error")"; return; }
	say "read $1: $(($(wc -c < "$DIR/out"))) bytes, SHA-256 $(sha256sum < "$DIR/out" | cut -d ' ' -f 1)"
	shown "read $1 must fail"
}
read_any() {
	get "$2" "$3" "$4" || { say "read $1: failed: $(tail -n 1 "$DIR/error")"; return; }
	say "read $1: $(($(wc -c < "$DIR/out"))) bytes, SHA-256 $(sha256sum < "$DIR/out" | cut -d ' ' -f 1)"
}
remove() {
	for name in $MADE; do
		dmsetup remove "$name" 2> "$DIR/error" || shown "device $name cannot be removed: $(tail -n 1 "$DIR/error")"
	done
	MADE=
	for name in $LOOPS; do losetup -d "$name"; done
	LOOPS=
}
tainted() { cat /proc/sys/kernel/tainted; }
complaints() { dmesg | grep -c -E 'BUG|WARNING:|Oops|KASAN|UBSAN|refcount_t|call missing|leaked buffer|Objects remaining|unreferenced object'; }
cleanup() {
	for name in $MADE; do dmsetup remove "$name" 2> /dev/null; done
	for name in $LOOPS; do losetup -d "$name" 2> /dev/null; done
	rm -rf "$DIR"
}
trap cleanup EXIT
trap 'exit 2' HUP INT TERM

for tool in dmsetup losetup blockdev dd base64 gzip sha256sum dmesg; do
	command -v $tool > /dev/null || fail "$tool is not there"
done
if [ -n "\${1-}" ]; then insmod "$1" || fail "the module $1 cannot be inserted"; fi
dmsetup targets | grep -q '^${target} ' || fail "the kernel has no ${target}: give the module as argument"
TAINT=$(tainted)
COMPLAINTS=$(complaints)
RUN=
`;
}

/** What follows the cases. */
export const EPILOGUE = `
if [ "$(tainted)" != "$TAINT" ] || [ "$(complaints)" -gt "$COMPLAINTS" ]; then
	shown "the kernel complained"
	dmesg | tail -n 60
fi
[ $SHOWN = 1 ] && exit 1
say "NOT SHOWN"
exit 0
`;

/** A word of the shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
