#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the corpus beside it and says what a reader must do; Python 3.8, standard library only.

  check.py                            every file is as SHA256SUMS and case.json say
  check.py --tell [CASE...]           in words, what is done in each case and what must come of it
  check.py --reader COMMAND [CASE...] tries a reader on the cases that a plain program can do

CASE is the start of a case's name or of a clause that it touches or breaks.

COMMAND is one text of words. {layers} stands for the image files, bottom to top (a writable pair is DATA:INDEX), {out}
for the file to write, {device} for "lsmt" or "zfile". With {offset} and {length} it is run for each read, without them
once, and writes all of the device. Exit code 0 says that it was read; any other that it was refused or could not be
read; death by a signal, or no end within --seconds, is a failure by itself. --without WORD, of lz4, zstd, tar and pair (a
writable one), may repeat: the reader may refuse cases with that.

Exit code: 0 all is right, 1 something is wrong, 2 wrong usage.
"""
import argparse
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
# What only a block device, or a reader with more than files, can be asked.
NOT_PLAIN = ("table", "fault", "attempts", "shared", "crowd", "replaces")
# No folder has it: it is made where a reader is tried.
LONG_INDEX = "LS-RW-05-violated"
# Bytes of a device that is read as a whole, at the most.
WHOLE = 64 << 20


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def load(name):
    return json.loads((ROOT / "cases" / name / "case.json").read_text())


def files_of(case):
    for layer in case["layers"]:
        yield from (f for f in (layer, layer.get("index"), layer.get("remote")) if f)


def wrong_files():
    """What is not as it is said to be."""
    sums = dict(reversed(line.split("  ", 1)) for line in (ROOT / "SHA256SUMS").read_text().splitlines())
    # A release has sums of all its files; the corpus in the suite's own repository those of its cases.
    where = ROOT if "release.json" in sums else ROOT / "cases"
    there = {str(p.relative_to(ROOT)) for p in where.rglob("*") if p.is_file() and p.name != "SHA256SUMS" and "__pycache__" not in p.parts}
    for path in sorted(there | set(sums)):
        if path not in there:
            yield f"{path}: it is not there"
        elif path not in sums:
            yield f"{path}: no sum is known of it"
        elif sha256((ROOT / path).read_bytes()) != sums[path]:
            yield f"{path}: its SHA-256 is not the one in SHA256SUMS"


def wrong_case(name):
    """What a case says of its files that is not so."""
    manifest, folder = load(name), ROOT / "cases" / name
    if manifest["schema"] != "ovbd-corpus-case/1":
        yield f"{name}: this script knows no {manifest['schema']}"
        return
    for file in files_of(manifest["case"]):
        path = folder / file["file"]
        if not path.is_file() or path.stat().st_size != file["size"] or sha256(path.read_bytes()) != file["sha256"]:
            yield f"{name}: {file['file']} is not the image that case.json names"
    for outcome in outcomes(manifest):
        if outcome["outcome"] == "open" and len(outcome["reads"]) != len(manifest["case"]["access"]["reads"]):
            yield f"{name}: it has not as many expectations as reads"


def outcomes(manifest):
    """All that is right, the strict reading first."""
    expectation = manifest["expectation"]
    return [expectation["strict"]] + [a["outcome"] for a in expectation["alternatives"]]


def tell(name):
    """A case in words."""
    manifest = load(name)
    case, access, expectation = manifest["case"], manifest["case"]["access"], manifest["expectation"]
    yield f"{name}: {manifest['class']}"
    clauses = case["clauses"]
    for what in ("exercises", "violates"):
        if clauses[what]:
            yield f"  {what} {', '.join(clauses[what])}"
    needs = expectation["needs"]
    needed = needs["algorithms"] + [f"blocks of {n} bytes" for n in needs["blockSizes"]]
    yield f"  device  {case['device']} of {len(case['layers'])} layers, bottom first" + (f"; a reader without {', '.join(needed)} may refuse" if needed else "")
    for n, layer in enumerate(case["layers"]):
        more = [" in ".join(reversed(layer["wrapping"])) or "raw", f"{layer['size']} bytes"]
        more += [f"{key} {layer[key]['file']}" for key in ("index", "remote") if key in layer]
        more += [f"data only at {layer['extents']}"] if "extents" in layer else []
        yield f"  layer {n}  {layer['file']} ({', '.join(more)})"
    yield f"  table   {access['deviceBytes']} bytes long; behind the images: {access['slack']}"
    for key in NOT_PLAIN:
        if key in access:
            yield f"  and     {key}: {json.dumps(access[key])}"
    yield from tell_outcome("must", expectation["strict"], access["reads"])
    for other in expectation["alternatives"]:
        yield from tell_outcome(f"or, for who takes {', '.join(other['flags'])},", other["outcome"], access["reads"])
    for seen in manifest["seen"]:
        fixed = f", not by {seen['fixedIn']}" if "fixedIn" in seen else ""
        yield f"  failed  by {seen['by']}{fixed}: {seen['signature']}"


def tell_outcome(word, outcome, reads):
    if outcome["outcome"] == "refuse":
        yield f"  {word} be refused, or fail at the first read: {outcome['clause']}: {outcome['why']}"
        return
    yield f"  {word} open with {outcome['size']} bytes"
    for read, want in zip(reads, outcome["reads"]):
        asked = f"    read {read['length']} bytes at {read['offset']} ({read['mode']})"
        if want["outcome"] == "bytes":
            yield f"{asked}: {want['length']} bytes of SHA-256 {want['sha256']}" + (", or fail" if want.get("mayFail") else "")
        elif want["outcome"] == "error":
            yield f"{asked}: fail, after at most {want['goodBytes']} right bytes: {want['clause']}: {want['why']}"
        else:
            yield f"{asked}: anything ({want['clause']})"


def long_index(folder):
    """The one case that is too large for a file of the corpus: a pair whose index file has an entry too many (LS-RW-05), of holes."""
    fitting = lambda m: m["class"] == "valid" and len(m["case"]["layers"]) == 1 and "index" in m["case"]["layers"][0] and "LS-RW-05" in m["case"]["clauses"]["exercises"]
    manifest = min((m for m in map(load, (p.name for p in (ROOT / "cases").iterdir())) if fitting(m)), key=lambda m: m["digest"])
    [layer] = manifest["case"]["layers"]
    for file in (layer["file"], layer["index"]["file"]):
        (folder / file).write_bytes((ROOT / "cases" / manifest["case"]["id"] / file).read_bytes())
    with (folder / layer["index"]["file"]).open("r+b") as file:
        file.truncate(4096 + 128_000_001 * 16)
    refusal = {"outcome": "refuse", "clause": "LS-RW-05", "layer": 0, "at": 4096, "why": "the index file has 128000001 entries, more than 128000000"}
    manifest["expectation"].update(strict=refusal, alternatives=[])
    return manifest


def try_reader(command, name, seconds, without):
    """None where the reader did right, a text where not; raises `LookupError` with a reason where it cannot be asked."""
    if name == LONG_INDEX:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            return try_case(command, long_index(folder), folder, seconds, without)
    return try_case(command, load(name), ROOT / "cases" / name, seconds, without)


def try_case(command, manifest, folder, seconds, without):
    case, access = manifest["case"], manifest["case"]["access"]
    odd = [key for key in NOT_PLAIN if key in access] + [key for layer in case["layers"] for key in ("remote", "extents") if key in layer]
    odd += ["two devices, as a ZFile lies in a ZFile" for layer in case["layers"] if layer["wrapping"].count("zfile") > 1]
    if odd:
        raise LookupError(f"it needs more than files: {odd[0]}")
    right = outcomes(manifest)
    size = max([o["size"] for o in right if o["outcome"] == "open"], default=0)
    by_read = "{offset}" in command
    if not by_read and size > WHOLE:
        raise LookupError(f"its device has {size} bytes")
    layers = [f"{folder / l['file']}" + (f":{folder / l['index']['file']}" if "index" in l else "") for l in case["layers"]]
    got = []
    with tempfile.TemporaryDirectory() as temporary:
        for n, read in enumerate(access["reads"] if by_read else [None]):
            out = pathlib.Path(temporary) / str(n)
            values = {"{out}": str(out), "{device}": case["device"], **({"{offset}": str(read["offset"]), "{length}": str(read["length"])} if read else {})}
            words = [w for word in shlex.split(command) for w in (layers if word == "{layers}" else [fill(word, values)])]
            try:
                done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=seconds)
            except subprocess.TimeoutExpired:
                return f"no end within {seconds} s"
            # A shell tells a signal by 128 and its number; 255 is what many programs refuse with.
            if done.returncode < 0 or 128 < done.returncode <= 192:
                return f"it died: exit code {done.returncode}: {done.stderr[-200:].decode(errors='replace').strip()}"
            got.append(out.read_bytes() if done.returncode == 0 and out.is_file() else None)
    if not got:
        raise LookupError("nothing of it is read")
    needs = {*manifest["expectation"]["needs"]["algorithms"], *(w for l in case["layers"] for w in l["wrapping"] + ["pair"] * ("index" in l))}
    if needs & set(without) and all(data is None for data in got):
        return None
    wrong = [mistake(o, access["reads"], got, by_read) for o in right]
    return None if None in wrong else wrong[0]


def fill(word, values):
    for key, value in values.items():
        word = word.replace(key, value)
    return word


def mistake(outcome, reads, got, by_read):
    """What is not as this outcome has it; None where all is."""
    if outcome["outcome"] == "refuse":
        return "it must be refused, and was read" if any(data is not None for data in got) else None
    if not by_read:
        [device] = got
        if device is None:
            whole = sum(w["length"] for w in outcome["reads"] if w["outcome"] == "bytes" and not w.get("mayFail")) >= outcome["size"]
            # What is not read in the case may be damaged: then a reader of all of it fails rightly.
            return "it must be read, and was refused" if whole and outcome["size"] > 0 else None
        if len(device) != outcome["size"]:
            return f"the device has {outcome['size']} bytes, and {len(device)} came"
        got = [device[read["offset"]:read["offset"] + read["length"]] for read in reads]
    for read, want, data in zip(reads, outcome["reads"], got):
        at = f"read of {read['length']} bytes at {read['offset']}"
        if want["outcome"] == "bytes" and data is None and not want.get("mayFail"):
            return f"{at}: it must give {want['length']} bytes, and failed"
        if want["outcome"] == "bytes" and data is not None and (len(data), sha256(data)) != (want["length"], want["sha256"]):
            return f"{at}: it must give {want['length']} bytes of SHA-256 {want['sha256'][:12]}…, and gave {len(data)} of {sha256(data)[:12]}…"
        if want["outcome"] == "error" and data is not None and len(data) > want["goodBytes"]:
            return f"{at}: it must fail ({want['clause']}: {want['why']}), and gave {len(data)} bytes"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tell", action="store_true")
    parser.add_argument("--reader", metavar="COMMAND")
    parser.add_argument("--without", metavar="WORD", action="append", default=[], choices=["lz4", "zstd", "tar", "pair"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("case", nargs="*")
    options = parser.parse_args()
    names = sorted(p.name for p in (ROOT / "cases").iterdir())
    if options.case:
        meant = lambda name: any(text.startswith(word) for word in options.case for c in [load(name)["case"]["clauses"]] for text in [name, *c["exercises"], *c["violates"]])
        names = [name for name in names if meant(name)]
        if not names and not any(LONG_INDEX.startswith(word) for word in options.case):
            parser.error(f"no case or clause starts with {' or '.join(options.case)}")
    problems = [*wrong_files(), *(text for name in names for text in wrong_case(name))]
    for text in problems:
        print(text)
    if problems:
        return 1
    if options.tell:
        print("\n\n".join("\n".join(tell(name)) for name in names))
    if not options.reader:
        print(f"{len(names)} cases, every file as it should be", file=sys.stderr)
        return 0
    failed, left = [], []
    if not options.case or any(LONG_INDEX.startswith(word) for word in options.case):
        names.append(LONG_INDEX)
    for name in names:
        try:
            wrong = try_reader(options.reader, name, options.seconds, options.without)
        except LookupError as reason:
            left.append(name)
            print(f"left out  {name}: {reason.args[0]}")
            continue
        if wrong is not None:
            failed.append(name)
        print(f"{'right' if wrong is None else 'WRONG':8}  {name}{'' if wrong is None else ': ' + wrong}")
    print(f"{len(names) - len(failed) - len(left)} right, {len(failed)} wrong, {len(left)} left out")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
