import { type Problem, invalid } from './problems.ts'
import { compileRegexTest } from './regex/regex.ts'

/** Says so when a regular expression cannot be had. */
export function checkRegex(source: string): Problem[] {
  try {
    compileRegexTest(source, { ignoresCase: false })
    return []
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return [invalid(`The regular expression '${source}' is not valid: ${error.message}`)]
  }
}
