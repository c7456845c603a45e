import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundled } from '../../bundled.ts'
import { writeHfFolder } from './hf-folder.ts'
import { type Absent, startLinePeer, type Peer, type PeerOptions } from './peer.ts'
import { succeeds } from './python.ts'

const PEER = fileURLToPath(new URL('transformers-peer.ts', import.meta.url))

/** Hugging Face's library for Node, which runs on ONNX Runtime as we do. */
export async function startTransformers(
  dtype: 'fp32' | 'q8',
  { weightsDir, cacheDir, convertedDir, mayInstall, threads }: PeerOptions,
): Promise<Peer | Absent> {
  const name = `transformers.js ${dtype}`
  const folder = join(cacheDir, 'transformers')
  const missing = existsSync(join(folder, 'node_modules', '@huggingface')) ? '' : await install(folder, mayInstall)
  if (missing) return { name, reason: missing }
  const model = join(convertedDir, 'hugging-face')
  if (!existsSync(model)) await writeHfFolder(weightsDir, model)
  return startLinePeer(name, [process.execPath, await bundled(PEER), folder, model, dtype, String(threads)])
}

/** @returns why it is not installed; nothing when it is */
async function install(folder: string, mayInstall: boolean): Promise<string> {
  if (!mayInstall) return 'not installed, run with --install'
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  // Its runtime would fetch CUDA otherwise.
  const npm = ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '@huggingface/transformers']
  return (await succeeds(npm, { folder })) ? '' : 'npm could not install @huggingface/transformers'
}
