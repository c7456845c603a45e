import { describe, test } from 'vitest'
import { violations } from './boundaries.ts'
import { codeOf, importsOf, readSources } from './sources.ts'

test('no import crosses a boundary', async ({ expect }) => {
  const imports = (await readSources()).flatMap(importsOf)

  // An empty graph has no violations either: this import is there as long as there are systems.
  expect(imports).toContainEqual(
    expect.objectContaining({
      from: expect.stringMatching(/^fixtures\/systems\//) as unknown,
      to: 'emulator/core/system.ts',
    }),
  )
  expect(violations(imports).join('\n')).toBe('')
})

describe('an import is', () => {
  test.for([
    ['services/ws-proxy/domain/limits.ts', 'emulator/core/clock.ts'],
    ['services/ws-proxy/routes/listen.ts', 'services/transcribe/config.ts'],
    ['services/wire/log.ts', 'services/account/keys.ts'],
    ['services/backend/service.ts', 'fixtures/systems/aldea-ecs.ts'],
    ['emulator/alb/router.ts', 'services/ws-proxy/service.ts'],
    ['emulator/core/environment.ts', 'fixtures/systems/index.ts'],
    ['emulator/alb/router.ts', 'emulator/core/environment.ts'],
    ['fixtures/seeds/demo.ts', 'services/account/keys.ts'],
    ['fixtures/systems/aldea-ecs.ts', 'services/stt/config.ts'],
    ['services/stt/routes/stream.ts', 'services/stt/testing.ts'],
    ['services/ws-proxy/service.test.ts', 'emulator/core/environment.ts'],
  ] as const)('refused from %s to %s', ([from, to], { expect }) => {
    expect(violations([{ from, to }])).toEqual([expect.stringContaining(`${from} imports ${to}. `)])
  })

  test.for([
    ['services/ws-proxy/service.ts', 'services/wire/clock.ts'],
    ['services/ws-proxy/service.ts', 'services/account/keys.ts'],
    ['services/ws-proxy/service.test.ts', 'services/stt/service.ts'],
    ['services/account/keys.test.ts', 'emulator/backends/redis/emulated.ts'],
    ['emulator/cli/commands/start.ts', 'emulator/core/environment.ts'],
    ['emulator/cli/commands/start.ts', 'fixtures/systems/index.ts'],
    ['emulator/core/events.ts', 'services/wire/clock.ts'],
    ['fixtures/systems/aldea-ecs.ts', 'services/stt/service.ts'],
    ['fixtures/systems/commands/listen.ts', 'services/client/listen.ts'],
    ['services/stt/service.ts', 'fastify'],
  ] as const)('allowed from %s to %s', ([from, to], { expect }) => {
    expect(violations([{ from, to }])).toEqual([])
  })
})

test('every way to import is seen, and nothing that is only quoted', ({ expect }) => {
  const text = [
    "import type { A } from './a.ts'",
    "import {\n  b,\n} from '../b.ts'",
    "import './c.ts'",
    "export { d } from './d.ts'",
    "const e = await import('./e.ts')",
    "new Worker(new URL('./f.ts', import.meta.url))",
    "import fastify from 'fastify'",
    "// import './comment.ts'",
    "/** import './doc.ts' */",
    "const text = `import './template.ts'`",
  ].join('\n')

  const imports = importsOf({ path: 'services/x/main.ts', code: codeOf(text) })

  expect(imports.map(({ to }) => to).sort()).toEqual([
    'fastify',
    'services/b.ts',
    ...['a', 'c', 'd', 'e', 'f'].map((name) => `services/x/${name}.ts`),
  ])
})
