/**
 * Counts the tests of vitest's JSON reports: `npx tsx scripts/test-tally.ts REPORT…`. Lists what was skipped, and fails
 * when a test was skipped that could have run here. The last line is the count, in the form that CI reads.
 */
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'

/** The part of a report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

interface Test {
  readonly file: string
  readonly title: string
  readonly status: string
}

/** Tests of real servers: CI installs those, so none of them may be missing. */
const HAS_ITS_SERVER_FROM_APT = /^emulator\/(backends|core)\//
/** Some need what no package brings. */
const NEEDS_MORE = /\bas root\b/

const tests = (await Promise.all(process.argv.slice(2).map(readReport))).flat()
const skipped = tests.filter(({ status }) => !['passed', 'failed'].includes(status))
for (const { file, title } of skipped) console.log(`skipped  ${file}  ${title}`)

const canBeSupplied = process.platform === 'linux' && process.env['ALDEA_CI_WITHOUT_SERVERS'] === undefined
const missed = skipped.filter(({ file, title }) => HAS_ITS_SERVER_FROM_APT.test(file) && !NEEDS_MORE.test(title))
if (canBeSupplied && missed.length > 0) {
  console.log(`${missed.length} of these need only a server that apt installs: CI does not pass without them.`)
  process.exitCode = 1
}
console.log(`Tests: ${count('passed')} passed, ${count('failed')} failed, ${skipped.length} skipped`)

function count(status: string): number {
  return tests.filter((test) => test.status === status).length
}

async function readReport(path: string): Promise<readonly Test[]> {
  // vitest's own file; a report of another form fails on the next line.
  const { testResults } = JSON.parse(await readFile(path, 'utf8')) as Report
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = relative('.', name).replaceAll('\\', '/')
    // A file that could not be loaded has no tests, and is a failure all the same.
    if (assertionResults.length === 0 && message) return [{ file, title: message, status: 'failed' }]
    return assertionResults.map(({ fullName, status }) => ({ file, title: fullName, status }))
  })
}
