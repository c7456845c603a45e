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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
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

/** Every box at the end of `path`, such as `moov/trak/mdia`. */
export function findBoxes(bytes: Uint8Array, path: string): Box[] {
  let found: Box[] = [{ type: '', start: 0, bodyStart: 0, end: bytes.length }]
  for (const type of path.split('/')) {
    found = found.flatMap((box) => boxesOf(bytes, box.bodyStart, box.end).filter((each) => each.type === type))
  }
  return found
}
