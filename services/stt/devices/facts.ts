import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:process'
import { dirname, join } from 'node:path'

/** What can be seen of GPUs without loading any library: some files are there or not, which takes well under a millisecond. */
export interface DeviceFacts {
  /** As Node names them: `linux`, `x64`. */
  readonly platform: string
  readonly arch: string
  /** Nodes of GPU drivers, such as `/dev/nvidia0` and `/dev/dri/renderD128`; only Linux has such files. */
  readonly driverNodes: readonly string[]
  /** Where onnxruntime looks for the libraries of its CUDA provider. */
  readonly libraryFolder: string
  /** Those that are not there. */
  readonly missingLibraries: readonly string[]
}

/** The first loads the second, which is linked to the CUDA runtime and cuDNN. */
const CUDA_LIBRARIES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so']

/** Cards of NVIDIA's driver, and the GPU of Windows as its Linux guests see it. */
const CARD = /^(?:nvidia\d+|dxg)$/
const RENDER_NODE = /^renderD\d+$/

export function readFacts(): DeviceFacts {
  const libraryFolder = onnxruntimeFolder()
  return {
    platform,
    arch,
    driverNodes: [...nodesIn('/dev', CARD), ...nodesIn('/dev/dri', RENDER_NODE)],
    libraryFolder,
    missingLibraries: CUDA_LIBRARIES.filter((name) => !existsSync(join(libraryFolder, name))),
  }
}

function nodesIn(folder: string, wanted: RegExp): string[] {
  try {
    return readdirSync(folder).flatMap((name) => (wanted.test(name) ? [join(folder, name)] : []))
  } catch {
    return []
  }
}

/** Of the shared library: providers are loaded from where it lies. */
function onnxruntimeFolder(): string {
  const file = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  return join(dirname(file), 'bin', 'napi-v6', platform, arch)
}
