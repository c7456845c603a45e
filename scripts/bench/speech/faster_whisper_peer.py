"""faster-whisper behind the line protocol of peer.ts: python faster_whisper_peer.py WEIGHTS TYPE THREADS"""

import json
import sys

import ctranslate2
import faster_whisper

weights, compute_type, threads = sys.argv[1:]
model = faster_whisper.WhisperModel(weights, device="cpu", compute_type=compute_type, cpu_threads=int(threads))
print(json.dumps({"version": f"{faster_whisper.__version__}, CTranslate2 {ctranslate2.__version__}"}), flush=True)

for line in sys.stdin:
    # Greedy, as all others here.
    segments, _ = model.transcribe(
        json.loads(line)["file"], language="en", beam_size=1, condition_on_previous_text=False
    )
    print(json.dumps({"text": " ".join(segment.text.strip() for segment in segments)}), flush=True)
