/** A box of an MP4 file (ISO 14496-12 §4.2). */
export interface Box {
  readonly type: string
  readonly start: number
  /** Of what it holds. */
  readonly bodyStart: number
  readonly end: number
}

/** The boxes between two offsets; one that says it is longer than what there is ends the list. */
export function boxesOf(bytes: Uint8Array, from = 0, to = bytes.length): Box[] {
  const view = viewOf(bytes)
  const boxes: Box[] = []
  let start = from
  while (start + 8 <= to) {
    const short = view.getUint32(start)
    const isLong = short === 1
    if (isLong && start + 16 > to) return boxes
    const size = isLong ? Number(view.getBigUint64(start + 8)) : short === 0 ? to - start : short
    const bodyStart = start + (isLong ? 16 : 8)
    const end = start + size
    if (end < bodyStart || end > to) return boxes
    boxes.push({ type: Buffer.from(bytes.subarray(start + 4, start + 8)).toString('latin1'), start, bodyStart, end })
    start = end
  }
  return boxes
}

/** Every box at the end of `path`, such as `moov/trak/mdia`, of the whole or of what one box holds. */
export function findBoxes(bytes: Uint8Array, path: string, within?: Box): Box[] {
  let found: Box[] = [within ?? { type: '', start: 0, bodyStart: 0, end: bytes.length }]
  for (const type of path.split('/')) {
    found = found.flatMap((box) => boxesOf(bytes, box.bodyStart, box.end).filter((each) => each.type === type))
  }
  return found
}

/** A number of 32 bits of a box, counted from where its body begins; 0 beyond its end. */
export function numberIn(bytes: Uint8Array, { bodyStart, end }: Box, offset: number): number {
  const at = bodyStart + offset
  return at + 4 <= end ? viewOf(bytes).getUint32(at) : 0
}

/** The same of 64 bits. */
export function longNumberIn(bytes: Uint8Array, { bodyStart, end }: Box, offset: number): number {
  const at = bodyStart + offset
  return at + 8 <= end ? Number(viewOf(bytes).getBigUint64(at)) : 0
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
