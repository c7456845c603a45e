import { array, assert, constantFrom, nat, property, string, tuple } from 'fast-check'
import { describe, test } from 'vitest'
import { compileRegexTest, compileReplacement } from './regex.ts'

interface Case {
  readonly source: string
  readonly text: string
  readonly expected: boolean
}

const of = (source: string, text: string, expected: boolean): Case => ({ source, text, expected })
const withCase = { ignoresCase: false }

describe('a regular expression', () => {
  test.for<Case>([
    of('^/v[0-9]+/listen$', '/v12/listen', true),
    of('^/v[0-9]+/listen$', '/v/listen', false),
    of('listen', '/v1/listen/x', true),
    of('^/(?:api|internal)/', '/internal/x', true),
    of('^/(?<area>api|internal)/', '/api/', true),
    of('a{2,3}$', 'baaa', true),
    of('^a{2,3}$', 'aaaa', false),
    of('^a{2,}$', 'aaaa', true),
    of('a{,2}', 'a{,2}', true),
    of('\\bkey\\b', 'a key b', true),
    of('\\bkey\\b', 'monkey', false),
    of('^[^/]+$', 'a/b', false),
    of('^[]a-]+$', ']-a', true),
    of('^[[:alpha:]]+$', 'abC', true),
    of('^\\d\\D\\w\\W\\s\\S$', '1aa- x', true),
    of('\\x41\\.', 'xA.', true),
    of('^.$', '\n', false),
    of('(a|b)*?c$', 'ababc', true),
    of('(a*)*b', 'aaac', false),
  ])('$source on $text says $expected', ({ source, text, expected }, { expect }) => {
    expect(compileRegexTest(source, withCase)(text)).toBe(expected)
  })

  test.for([
    ['(?=a)', '(?=a is not supported'],
    ['(?<!a)', '(?<! is not supported'],
    ['(?>a)', '(?>a is not supported'],
    ['(a)\\1', 'backreferences are not supported'],
    ['a++', 'possessive quantifiers are not supported'],
    ['\\p{L}', 'Unicode classes are not supported'],
    ['a**', 'nothing to repeat'],
    ['*a', 'nothing to repeat'],
    ['(a', 'missing )'],
    ['a)', 'unmatched )'],
    ['[a', 'missing ]'],
    ['[z-a]', 'a range is out of order'],
    ['a{3,2}', '{3,2} is out of order'],
    ['a{1001}', '{1001} is more than 1000 repetitions'],
    ['(a{900}){900}', 'it is too large'],
    ['a\\', 'it ends too early'],
  ] as const)('%s is refused: %s', ([source, message], { expect }) => {
    expect(() => compileRegexTest(source, withCase)).toThrow(new SyntaxError(message))
  })

  test('can leave case aside', ({ expect }) => {
    const matches = compileRegexTest('^[a-f]+-X$', { ignoresCase: true })

    expect(matches('ABCdef-x')).toBe(true)
    expect(matches('ABG-x')).toBe(false)
  })
})

test.for(['(a+)+$', '(a|aa)+$', '(a*)*$', '(.*a){20}$', '(x+x+)+y', '([a-z]+)*$'])(
  'the hostile pattern %s is done with a long text in no time',
  (source, { expect }) => {
    expect(compileRegexTest(`^${source}`, withCase)(`${'a'.repeat(16_000)}!`)).toBe(false)
  },
)

describe('a replacement', () => {
  test.for([
    ['^mywebsite-(.+).com$', 'internal.dev.$1.myweb.com', 'mywebsite-example.com', 'internal.dev.example.myweb.com'],
    ['^/dp/([A-Za-z0-9]+)/?$', '/product.php?id=$1', '/dp/B09G3HRMW', '/product.php?id=B09G3HRMW'],
    ['(a)|(b)', '<$1$2>', 'abc', '<a><b>c'],
    ['', '-', 'ab', '-a-b-'],
    ['b+', '[$0$$$3]', 'abbc', 'a[bb$$3]c'],
    ['(a+?)(a*)', '$2,$1', 'aaa', 'aa,a'],
  ] as const)('of %s by %s', ([source, replacement, text, expected], { expect }) => {
    expect(compileReplacement(source, replacement, withCase)(text)).toBe(expected)
  })

  test('is none when nothing matches', ({ expect }) => {
    expect(compileReplacement('x', 'y', withCase)('abc')).toBeUndefined()
  })
})

/** Patterns that a usual engine and this one read alike: what is repeated is never empty. */
const part = tuple(
  constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', 'a|b', 'ab|b|a'),
  constantFrom('', '*', '+', '?', '{2}', '{1,2}', '*?', '+?', '??'),
  nat(3),
)
const pattern = array(part, { maxLength: 5 }).map((parts) => parts.reduceRight((rest, each) => join(each, rest), ''))

function join([atom, times, shape]: readonly [string, string, number], rest: string): string {
  const head = `(${atom})${times}`
  if (shape === 0) return `^${head}${rest}`
  if (shape === 1) return `${head}${rest}$`
  return shape === 2 ? `(?:${head}|${rest})` : head + rest
}

test('agrees with the engine of the language on matches and replacements', () => {
  assert(
    property(pattern, string({ unit: constantFrom('a', 'b', 'A', '1', '/'), maxLength: 10 }), (source, text) => {
      const native = new RegExp(source)
      const replaced = native.test(text) ? text.replaceAll(new RegExp(source, 'g'), '<$&>') : undefined
      const isSameTest = compileRegexTest(source, withCase)(text) === native.test(text)
      return isSameTest && compileReplacement(source, '<$0>', withCase)(text) === replaced
    }),
    { numRuns: 1_500 },
  )
})
