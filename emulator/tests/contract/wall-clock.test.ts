import { test } from 'vitest'
import { isTest, readSources, type Source } from './sources.ts'

/** Real time, chance and the environment of the process have one place each; everything else receives them. */
const RULES: readonly { readonly what: RegExp; readonly where: readonly RegExp[]; readonly remedy: string }[] = [
  {
    what: /\bDate\.now\b|\bnew Date\(\s*\)|\bset(?:Timeout|Interval)\b/,
    where: [
      /^services\/wire\/clock\.ts$/,
      /^emulator\/core\/clock\.ts$/,
      // Has a method of that name, because sockets have one.
      /^emulator\/alb\/tls\/stream-socket\.ts$/,
    ],
    remedy: 'Take the clock as an argument, so that a virtual one can turn minutes into milliseconds.',
  },
  {
    what: /\bMath\.random\b|\brandomUUID\b/,
    where: [/^services\/wire\/ids\.ts$/, /^emulator\/core\/ids\.ts$/],
    remedy: 'Take ids as an argument, so that a test can foresee them.',
  },
  {
    what: /\bprocess\.env\b/,
    where: [
      /^services\/[^/]+\/main\.ts$/,
      /^emulator\/cli\/main\.ts$/,
      /^emulator\/config\//,
      // Libraries that have no other way to be told something.
      /^services\/db-sync\/aws\.ts$/,
      /^emulator\/backends\/container\/testcontainers\.ts$/,
    ],
    remedy: 'Take the variables as an argument. Only main.ts and emulator/config read them from the process.',
  },
]

test('nothing reads the wall clock, chance or the environment behind the back of its caller', async ({ expect }) => {
  const sources = await readSources()

  expect(sources.filter(({ code }) => RULES.some(({ what }) => what.test(code))).length).toBeGreaterThan(0)
  expect(sources.flatMap(violationsIn).join('\n')).toBe('')
})

test('a violation names the line and the remedy', ({ expect }) => {
  const source = { path: 'services/ws-proxy/domain/limits.ts', code: 'const now =\n  Date.now()' }

  expect(violationsIn(source)).toEqual([
    'services/ws-proxy/domain/limits.ts:2 has Date.now. Take the clock as an argument, so that a virtual one can turn minutes into milliseconds.',
  ])
})

function violationsIn({ path, code }: Source): readonly string[] {
  if (isTest(path)) return []
  return code.split('\n').flatMap((line, index) =>
    RULES.filter(({ where }) => !where.some((place) => place.test(path))).flatMap(({ what, remedy }) => {
      const found = what.exec(line)?.[0]
      return found === undefined ? [] : [`${path}:${index + 1} has ${found}. ${remedy}`]
    }),
  )
}
