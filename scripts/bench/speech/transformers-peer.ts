/**
 * `@huggingface/transformers` behind the line protocol of peer.ts.
 *
 *   node transformers-peer.mjs PACKAGE-FOLDER MODEL-FOLDER DTYPE THREADS
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string; readonly version: string }
  pipeline(task: string, model: string, options: object): Promise<Recognise>
}

type Recognise = (samples: Float32Array, options: object) => Promise<{ readonly text: string }>

const SAMPLE_RATE_HZ = 16_000
const WAV_HEADER_BYTES = 44
const WINDOW_SECONDS = 30

const [packageDir = '', modelDir = '', dtype, threads] = process.argv.slice(2)
const { env, pipeline } = createRequire(join(packageDir, 'package.json'))('@huggingface/transformers') as Transformers
env.allowRemoteModels = false
env.localModelPath = dirname(modelDir)
const recognise = await pipeline('automatic-speech-recognition', basename(modelDir), {
  dtype,
  device: 'cpu',
  use_external_data_format: true,
  session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
})
console.log(JSON.stringify({ version: `${env.version}, Node ${process.versions.node}` }))
for await (const line of createInterface({ input: process.stdin })) {
  const { file } = JSON.parse(line) as { readonly file: string }
  const samples = await samplesOf(file)
  // As its documentation does: in one window where it fits, else in overlapping ones.
  const isLong = samples.length > WINDOW_SECONDS * SAMPLE_RATE_HZ
  const { text } = await recognise(samples, isLong ? { chunk_length_s: WINDOW_SECONDS, return_timestamps: true } : {})
  console.log(JSON.stringify({ text }))
}

/** 16 kHz, mono, 16 bit: it decodes files in browsers only. */
async function samplesOf(file: string): Promise<Float32Array> {
  const bytes = await readFile(file)
  return Float32Array.from(
    { length: (bytes.length - WAV_HEADER_BYTES) >> 1 },
    (_, index) => bytes.readInt16LE(WAV_HEADER_BYTES + 2 * index) / 2 ** 15,
  )
}
