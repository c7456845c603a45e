import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Absent, startLinePeer, type Peer, type PeerOptions } from './peer.ts'
import { pythonWith } from './python.ts'

const PEER = fileURLToPath(new URL('faster_whisper_peer.py', import.meta.url))

/** CTranslate2 behind faster-whisper, which reads the weights as they lie there. */
export async function startFasterWhisper(
  computeType: 'int8' | 'float32',
  { weightsDir, cacheDir, mayInstall, threads }: PeerOptions,
): Promise<Peer | Absent> {
  const name = `faster-whisper ${computeType}`
  const environment = await pythonWith({
    folder: join(cacheDir, 'faster-whisper'),
    module: 'faster_whisper',
    installs: [['faster-whisper']],
    mayInstall,
  })
  if (typeof environment === 'string') return { name, reason: environment }
  return startLinePeer(name, [environment.python, PEER, weightsDir, computeType, String(threads)])
}
