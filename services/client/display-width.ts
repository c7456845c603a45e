/** Characters that take two cells: East Asian wide and full-width (Unicode UAX #11), and pictures. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u

const ELLIPSIS = '…'

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Cells that `text` takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** The end of `text` that fits into `cells`, with an ellipsis where something was left off. The newest words are last. */
export function cutToWidth(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text
  const segments = Array.from(graphemes.segment(text), ({ segment }) => segment)
  let left = cells - 1
  let from = segments.length
  while (from > 0) {
    const width = displayWidth(segments[from - 1] ?? '')
    if (width > left) break
    left -= width
    from -= 1
  }
  return cells < 1 ? '' : ELLIPSIS + segments.slice(from).join('')
}
