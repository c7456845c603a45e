import type { Transform } from '../model.ts'
import type { RequestFacts } from './facts.ts'
import { compileReplacement } from './regex/regex.ts'

/** What a request is to the target; absent is what stays as it was. */
export interface Rewrite {
  /** In the place of the name in `Host`; a port stays. */
  readonly host?: string
  /** In the place of path and query. */
  readonly url?: string
}

const HOST = /^[A-Za-z0-9._-]{1,253}(?::\d{1,5})?$/
const URL_TEXT = /^\/[!-~\u0080-\u00ff]*$/

/** The largest request target that the balancer takes (aws-behaviour §1.12). */
const MAX_URL_BYTES = 16 * 1024

/**
 * Rewrites host and URL (path with query) on the way to the target, after the rules have been asked. What does not
 * match stays as it is. The result is `failed` when a rewrite would make something that is no host or URL, for which
 * the balancer answers 500.
 * @throws SyntaxError for a regular expression that cannot be had.
 */
export function compileTransforms(
  transforms: readonly Transform[],
): ((facts: RequestFacts) => Rewrite | 'failed') | undefined {
  if (transforms.length === 0) return undefined
  const hosts = compileAll(transforms, 'host-header-rewrite')
  const urls = compileAll(transforms, 'url-rewrite')

  return ({ host: hostBefore, path, query }) => {
    const host = applyAll(hosts, hostBefore)
    const url = applyAll(urls, query === '' ? path : `${path}?${query}`)
    if (host !== undefined && !HOST.test(host)) return 'failed'
    if (url !== undefined && (url.length > MAX_URL_BYTES || !URL_TEXT.test(url))) return 'failed'
    return { ...(host !== undefined && { host }), ...(url !== undefined && { url }) }
  }
}

type Replacement = (text: string) => string | undefined

function compileAll(transforms: readonly Transform[], wanted: Transform['type']): readonly Replacement[] {
  return transforms
    .filter(({ type }) => type === wanted)
    .map(({ type, regex, replace }) =>
      compileReplacement(regex, replace, { ignoresCase: type === 'host-header-rewrite' }),
    )
}

/** Undefined when none of them matches. */
function applyAll(replacements: readonly Replacement[], text: string): string | undefined {
  let changed: string | undefined
  for (const replace of replacements) changed = replace(changed ?? text) ?? changed
  return changed
}
