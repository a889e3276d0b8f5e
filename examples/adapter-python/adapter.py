#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A target around a reader command, in Python: copy it and change `reader_command`.

It speaks the protocol of targets/process/PROTOCOL.md. The words after its name
are the reader; without any it is this suite's own, `ovbd read`.
"""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
READER = sys.argv[1:] or ['node', os.path.join(HERE, '../../cli/ovbd.mjs'), 'read']

# What the reader supports; what is left out has the defaults of the protocol.
CAPABILITIES = {'wrappings': ['zfile', 'tar'], 'algorithms': ['lz4', 'zstd'], 'maxLayers': 255, 'deviceBytes': 64 << 20, 'whole': True}


def reader_command(case, device):
    """The command that writes the device over the case's layers to the file `device`.

    It ends with exit code 0, or with 1 and its reason on standard error where it refuses the image.
    """
    form = 'zfile' if case['device'] == 'zfile' else 'device'
    return READER + ['--as', form, '-o', device] + [layer['path'] for layer in case['layers']]


def say(message):
    # Flushed: whoever waits for an answer must not wait for the buffer to fill.
    sys.stdout.write(json.dumps(message) + '\n')
    sys.stdout.flush()


def answer_read(case, number, read, device):
    device.seek(read['offset'])
    data = device.read(read['length'])  # Fewer bytes at the end of the device, none past it.
    digest = hashlib.sha256(data).hexdigest()
    if digest != read['want']:
        with open(read['output'], 'wb') as output:
            output.write(data)
    say({'type': 'read', 'id': case['id'], 'read': number, 'result': len(data), 'sha256': digest})


def answer_case(case, folder):
    path = os.path.join(folder, 'device')
    if os.path.exists(path):
        os.remove(path)  # Nothing of an earlier case may be read.
    # The reader's standard output is not ours: that one carries messages.
    ran = subprocess.run(reader_command(case, path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # What it says goes on to the runner, who knows the reports of sanitizers.
    sys.stderr.buffer.write(ran.stderr)
    sys.stderr.flush()
    lines = ran.stderr.decode('utf-8', 'replace').strip().splitlines()
    if ran.returncode == 1:
        say({'type': 'refused', 'id': case['id'], 'reason': (lines or ['exit code 1'])[-1][:1000]})
    elif ran.returncode != 0:
        title = signal.Signals(-ran.returncode).name if ran.returncode < 0 else 'exit code %d' % ran.returncode
        say({'type': 'crashed', 'id': case['id'], 'title': title})
        return
    else:
        say({'type': 'opened', 'id': case['id'], 'size': os.path.getsize(path)})
        with open(path, 'rb') as device:
            for number, read in enumerate(case['reads']):
                answer_read(case, number, read, device)
    say({'type': 'done', 'id': case['id']})


def main():
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            message = json.loads(line)
            if message['type'] == 'describe':
                say({'type': 'describe', 'id': message['id'], 'protocol': 1, 'name': 'example in Python', 'version': '1', 'capabilities': CAPABILITIES})
            elif message['type'] == 'case':
                answer_case(message, folder)
            elif message['type'] == 'bye':
                break


main()
