import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, test } from 'vitest'
import { load, serve } from '../testing.ts'

const run = promisify(execFile)

interface Cli {
  readonly path: string
  /** The second generation takes payloads in base64 unless told otherwise. */
  readonly takesBase64: boolean
}

/** Every AWS CLI there is: on PATH, and the distribution's. */
async function findClis(): Promise<readonly Cli[]> {
  const found = new Map<string, Cli>()
  for (const path of ['aws', '/usr/bin/aws']) {
    const version = await run(path, ['--version']).catch(() => undefined)
    const name = /^aws-cli\/(\d+)[\d.]+/.exec(version?.stdout ?? '')
    if (name && !found.has(name[0])) found.set(name[0], { path, takesBase64: name[1] === '2' })
  }
  return [...found.values()]
}

const CLIS = await findClis()

interface Invoked {
  readonly printed: unknown
  readonly written: unknown
}

async function invoke(
  onFinished: (cleanup: () => Promise<void>) => void,
  { path }: Cli,
  url: string,
  args: readonly string[],
): Promise<Invoked> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-aws-'))
  onFinished(() => rm(folder, { recursive: true }))
  const out = join(folder, 'out.json')
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
  }
  const { stdout } = await run(path, ['lambda', 'invoke', ...args, out, '--endpoint-url', url], { env })
  return { printed: JSON.parse(stdout), written: JSON.parse(await readFile(out, 'utf8')) }
}

const SEEDER = 'prod-ws-proxy-redis-seeder'
const SEED = ['--function-name', SEEDER, '--region', 'us-west-2']

describe.skipIf(CLIS.length === 0)(`the AWS CLI${CLIS.length === 0 ? ' (none is installed)' : ''}`, () => {
  test.for(CLIS)("conformance 25: $path runs the architecture's own seeding command", async (cli, context) => {
    const { expect, onTestFinished } = context
    const seeder = await load(onTestFinished, (event) => ({ got: event }), { name: SEEDER })
    const { url } = await serve(onTestFinished, [seeder])
    const text = '{"seed_all": true}'
    const payload = cli.takesBase64 ? Buffer.from(text).toString('base64') : text

    const { printed, written } = await invoke(onTestFinished, cli, url, [...SEED, '--payload', payload])

    expect(printed).toEqual({ StatusCode: 200, ExecutedVersion: '$LATEST' })
    expect(written).toEqual({ got: { seed_all: true } })
  })

  test.for(CLIS.filter(({ takesBase64 }) => takesBase64))(
    'conformance 25: $path sends text as it is when told to',
    async (cli, { expect, onTestFinished }) => {
      const seeder = await load(onTestFinished, (event) => ({ got: event }), { name: SEEDER })
      const { url } = await serve(onTestFinished, [seeder])
      const args = [...SEED, '--payload', '{"seed_all": true}', '--cli-binary-format', 'raw-in-base64-out']
      expect((await invoke(onTestFinished, cli, url, args)).written).toEqual({ got: { seed_all: true } })
    },
  )

  test.for(CLIS)(
    'conformance 25: $path prints FunctionError and the log tail, and ends with 0',
    async (cli, context) => {
      const { expect, onTestFinished } = context
      const slow = await load(onTestFinished, () => new Promise(() => undefined), {
        name: SEEDER,
        timeoutSeconds: 0.05,
      })
      const { url } = await serve(onTestFinished, [slow])

      const { printed, written } = await invoke(onTestFinished, cli, url, [...SEED, '--log-type', 'Tail'])

      expect(printed).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' })
      expect(written).toMatchObject({
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/Error: Task timed out after 0.05 seconds$/) as unknown,
      })
      const { LogResult } = printed as { LogResult: string }
      const lines = Buffer.from(LogResult, 'base64').toString().split('\n')
      const kinds = ['START RequestId: ', 'END RequestId: ', 'REPORT RequestId: ']
      expect(kinds.map((kind) => lines.some((line) => line.startsWith(kind)))).toEqual([true, true, true])
    },
  )
})
