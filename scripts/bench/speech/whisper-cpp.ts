import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeGgml } from '../../../services/stt/models/testing-formats.ts'
import { createMelFilters } from '../../../services/stt/whisper/spectrogram/mel-filters.ts'
import { type Absent, startLinePeer, type Peer, type PeerOptions } from './peer.ts'
import { pythonWith } from './python.ts'
import { withWeights } from './weights.ts'

const PEER = fileURLToPath(new URL('whisper_cpp_peer.py', import.meta.url))

// Whisper's spectrogram: windows of 25 ms at 16 kHz.
const FFT_LENGTH = 400
const SPECTRUM_BINS = FFT_LENGTH / 2 + 1
const SAMPLE_RATE_HZ = 16_000

/** Built for this machine where there is a compiler: the published build does without AVX-512. */
const INSTALLS = [['--no-binary', 'pywhispercpp', 'pywhispercpp'], ['pywhispercpp']] as const

export async function startWhisperCpp(
  packing: 'f16' | 'q8_0',
  { weightsDir, cacheDir, convertedDir, mayInstall, threads }: PeerOptions,
): Promise<Peer | Absent> {
  const name = `whisper.cpp ${packing}`
  const environment = await pythonWith({
    folder: join(cacheDir, 'whisper.cpp'),
    module: 'pywhispercpp.model',
    installs: INSTALLS,
    mayInstall,
  })
  if (typeof environment === 'string') return { name, reason: environment }
  const model = join(convertedDir, `ggml-${packing}.bin`)
  if (!existsSync(model)) await writeModel(weightsDir, model, packing)
  return startLinePeer(name, [environment.python, PEER, model, String(threads)], {
    ...environment.variables,
    OMP_NUM_THREADS: String(threads),
  })
}

async function writeModel(weightsDir: string, path: string, packing: 'f16' | 'q8_0'): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await withWeights(weightsDir, async ({ dimensions, vocabulary, written }) => {
    const melFilters = denseFilters(dimensions.mels)
    await writeGgml(`${path}.part`, written, { texts: vocabulary.texts, packing, melFilters })
  })
  await rename(`${path}.part`, path)
}

function denseFilters(mels: number): Float32Array {
  const filters = new Float32Array(mels * SPECTRUM_BINS)
  for (const [band, { firstBin, weights }] of createMelFilters(mels, FFT_LENGTH, SAMPLE_RATE_HZ).entries())
    filters.set(weights, band * SPECTRUM_BINS + firstBin)
  return filters
}
