import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { openCt2Source } from './ct2-source.ts'
import { ModelError } from './errors.ts'
import { GGML_MAGIC } from './ggml-reader.ts'
import { openGgmlSource } from './ggml-source.ts'
import { openSafetensorsSource, safetensorsIn } from './hugging-face.ts'
import { onnxIn, openOnnxSource } from './onnx-source.ts'
import type { WhisperSource } from './source.ts'

/**
 * Opens a Whisper in whatever form it comes, told by what is in the files.
 * @throws ModelError when nothing there is a model of a known format
 */
export async function openSource(from: string): Promise<WhisperSource> {
  const found = await stat(from).catch((error: unknown) => {
    throw new ModelError(`Cannot open ${from}.`, { cause: error })
  })
  if (found.isFile()) return openFile(from)
  // A pipe would never end, and a device has no end.
  if (!found.isDirectory()) throw new ModelError(`${from} is neither a file nor a folder.`)
  const names = await readdir(from)
  const ggml: string[] = []
  for (const name of names.filter((each) => each.endsWith('.bin'))) {
    if ((await magicOf(join(from, name))) === GGML_MAGIC) ggml.push(name)
  }
  const [only, second] = ggml
  if (second !== undefined) {
    throw new ModelError(`${from} holds ${ggml.length} ggml models; name one of them: ${ggml.join(', ')}.`)
  }
  if (only !== undefined) return openGgmlSource(join(from, only))
  if (names.includes('model.bin')) return openCt2Source(from)
  const safetensors = await safetensorsIn(from)
  if (safetensors !== undefined) return openSafetensorsSource(from, safetensors)
  const onnx = await onnxIn(from)
  if (onnx !== undefined) return openOnnxSource(from, onnx)
  throw new ModelError(`${from} holds no model of a known format. ${KNOWN}`)
}

/** Files that stand for their folder. */
const WEIGHTS = /^(model\.bin|model\.safetensors(\.index\.json)?|(en|de)coder_model\w*\.onnx)$/

const KNOWN =
  'Known: a faster-whisper folder (model.bin), a ggml file (.bin), ' +
  'a Hugging Face folder (model.safetensors), an ONNX folder (encoder_model.onnx).'

async function openFile(path: string): Promise<WhisperSource> {
  if ((await magicOf(path)) === GGML_MAGIC) return openGgmlSource(path)
  // The other formats keep the vocabulary beside the weights.
  if (WEIGHTS.test(basename(path))) return openSource(dirname(path))
  throw new ModelError(`${path} is no model of a known format. ${KNOWN}`)
}

/** The first four bytes as a number; undefined for shorter files. */
async function magicOf(path: string): Promise<number | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new ModelError(`Cannot open ${path}.`, { cause: error })
  })
  try {
    const head = Buffer.alloc(4)
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    return bytesRead < head.length ? undefined : head.readUInt32LE()
  } finally {
    await file.close()
  }
}
