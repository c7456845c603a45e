"""whisper.cpp behind the line protocol of peer.ts: python whisper_cpp_peer.py MODEL THREADS"""

import json
import os
import sys
import wave

import _pywhispercpp
import numpy
from pywhispercpp.model import Model

# What the library prints must not get between the answers.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

path, threads = sys.argv[1:]
model = Model(path, n_threads=int(threads), redirect_whispercpp_logs_to=None, print_progress=False, print_realtime=False)
instructions = [part.split(" = ")[0].strip() for part in _pywhispercpp.whisper_print_system_info().split("|")[2:-1]]
print(json.dumps({"version": ", ".join(instructions)}), file=answers, flush=True)


def samples_of(file):
    with wave.open(file) as recording:
        return numpy.frombuffer(recording.readframes(recording.getnframes()), dtype=numpy.int16) / numpy.float32(2**15)


for line in sys.stdin:
    # Greedy, one candidate, as all others here.
    segments = model.transcribe(samples_of(json.loads(line)["file"]), language="en", greedy={"best_of": 1})
    text = " ".join(segment.text.strip() for segment in segments)
    print(json.dumps({"text": text}), file=answers, flush=True)
