/** The parts of the document, in its order, and which paths belong to each; the first that fits counts. */
const SECTIONS: readonly (readonly [name: string, path: RegExp])[] = [
  ['Accounts', /^\/(?:sign-|me\b|invitations\/accept)/],
  ['Keys', /\/keys\b/],
  ['Members', /\/(?:members|invitations)\b/],
  ['Usage and billing', /\/(?:usage|plans?|credit|invoice-preview)$/],
  ['Organisations', /^\/organisations\b/],
]

/** As they are listed: the general before the particular. */
export const SECTION_NAMES = ['Accounts', 'Organisations', 'Members', 'Keys', 'Usage and billing']

/** @throws Error for a path that belongs to none. */
export function sectionOf(path: string): string {
  const [name] = SECTIONS.find(([, pattern]) => pattern.test(path)) ?? []
  if (name === undefined) throw new Error(`${path} belongs to no section of the document.`)
  return name
}
