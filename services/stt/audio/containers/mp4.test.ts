import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { mp4Box } from '../testing.ts'
import { createMp4Decoder } from './mp4.ts'
import { framesOfFragment, framesOfIndex } from './mp4-frames.ts'
import { createMp4Reader, type Mp4Item } from './mp4-reader.ts'
import { readMp4Track } from './mp4-track.ts'

const FOLDER = 'fixtures/audio/formats'

async function indexOf(name: string): Promise<Buffer> {
  const file = await readFile(`${FOLDER}/${name}`)
  const start = file.indexOf('moov') - 4
  return file.subarray(start, start + file.readUInt32BE(start))
}

test.for([
  ['fellow.fragmented.m4a', { name: 'aac', profile: 1, rateIndex: 4, channels: 1 }, 0],
  ['fellow.m4a', { name: 'aac' }, 1_024 / 44_100],
  ['fellow.alac.m4a', { name: 'alac' }, 0],
] as const)('reads from the index of %s what it holds', async ([name, codec, leadSeconds], { expect }) => {
  expect(readMp4Track(await indexOf(name))).toMatchObject({ id: 1, codec, leadSeconds })
})

test('the header of Opus is the one it has in Ogg', async ({ expect }) => {
  const { codec } = readMp4Track(await indexOf('fellow.opus.mp4'))

  const header = Buffer.from('header' in codec ? codec.header : [])
  expect(header.subarray(0, 9).toString('latin1')).toBe('OpusHead\x01')
  expect([header[9], header.readUInt32LE(12), header[18]]).toEqual([1, 48_000, 0])
})

test('the tables of an index say where each frame lies', async ({ expect }) => {
  const file = await readFile(`${FOLDER}/fellow.m4a`)
  const index = await indexOf('fellow.m4a')

  const frames = framesOfIndex(index, readMp4Track(index))

  const mdat = file.indexOf('mdat') - 4
  expect(frames[0]?.start).toBe(mdat + 8)
  expect(frames.reduce((sum, { size }) => sum + size, 0)).toBe(file.readUInt32BE(mdat) - 8)
})

test('a table that says it has billions of chunks is as long as its box', async ({ expect }) => {
  const index = Buffer.from(await indexOf('fellow.m4a'))
  // No frame lies in any chunk, so that no frame ends the search.
  index.writeUInt32BE(0, index.indexOf('stsc') + 4 + 8 + 4)
  index.writeUInt32BE(0xff_ff_ff_ff, index.indexOf('stco') + 8)

  expect(framesOfIndex(index, readMp4Track(index)).length).toBeLessThan(200)
})

test.for([
  [
    'a size for each, and where they begin',
    0x02_00_00,
    [],
    0x2_01,
    [2, 100, 30, 40],
    [
      [1_100, 30],
      [1_130, 40],
    ],
  ],
  [
    'the size of all',
    0x02_00_10,
    [25],
    0x1,
    [2, 100],
    [
      [1_100, 25],
      [1_125, 25],
    ],
  ],
  [
    'the size by the index, from the start of the fragment',
    0,
    [],
    0,
    [2],
    [
      [1_000, 7],
      [1_007, 7],
    ],
  ],
  ['a place of its own, and other fields', 0x1, [0, 5_000], 0x7_05, [1, 8, 0, 960, 30, 0], [[5_008, 30]]],
] as const)('a fragment with %s', ([, headerFlags, header, runFlags, run, frames], { expect }) => {
  const fragment = mp4Box(
    'moof',
    [],
    mp4Box('traf', [], mp4Box('tfhd', [headerFlags, 1, ...header]), mp4Box('trun', [runFlags, ...run])),
  )

  const found = framesOfFragment(fragment, 1_000, { id: 1, usualSize: 7 })

  expect(found.map(({ start, size }) => [start, size])).toEqual(frames)
  expect(framesOfFragment(fragment, 1_000, { id: 2, usualSize: 7 })).toEqual([])
})

test('a second run goes on where the first one ends', ({ expect }) => {
  const runs = [mp4Box('trun', [0x2_01, 1, 50, 30]), mp4Box('trun', [0x2_00, 1, 40])]
  const fragment = mp4Box('moof', [], mp4Box('traf', [], mp4Box('tfhd', [0, 1]), ...runs))

  expect(framesOfFragment(fragment, 0, { id: 1, usualSize: 0 })).toEqual([
    { start: 50, size: 30 },
    { start: 80, size: 40 },
  ])
})

test('a few bytes that announce millions of frames are refused', async ({ expect }) => {
  const stream = await readFile(`${FOLDER}/fellow.opus.mp4`)
  const many = mp4Box('moof', [], mp4Box('traf', [], mp4Box('tfhd', [0x10, 1, 1]), mp4Box('trun', [0, 0x7f_ff_ff_ff])))
  const some = mp4Box(
    'moof',
    [],
    mp4Box('traf', [], mp4Box('tfhd', [0x10, 1, 1]), mp4Box('trun', [0x1, 400_000, 1 << 30])),
  )

  for (const bomb of [[many], [some, some]]) {
    const decoder = createMp4Decoder()
    await expect(decoder.push(Buffer.concat([stream, ...bomb]))).rejects.toMatchObject({ status: 415 })
    decoder.close()
  }
})

test('finds frames wherever they lie in the sound, and leaves out those that were passed', ({ expect }) => {
  const reader = createMp4Reader()
  const items: Mp4Item[] = []
  const take = (): void => {
    for (let item = reader.next(); item; item = reader.next()) items.push(item)
  }
  // Box heads are 8 bytes: the sound begins at 12 + 8, and at 40 + 8 again.
  const stream = Buffer.concat([mp4Box('free', [1]), mp4Box('mdat', [1, 2, 3, 4, 5]), mp4Box('mdat', [6, 7])])
  reader.expect([
    { start: 48, size: 8 },
    { start: 24, size: 4 },
    { start: 26, size: 4 },
    { start: 32, size: 8 },
  ])

  for (let at = 0; at < stream.length; at += 3) {
    reader.push(stream.subarray(at, at + 3))
    take()
  }

  expect(items.map((item) => (item.type === 'frame' ? Array.from(item.bytes) : item.type))).toEqual([
    'sound',
    [0, 0, 0, 2],
    [0, 0, 0, 4, 0, 0, 0, 5],
    'sound',
    [0, 0, 0, 6, 0, 0, 0, 7],
  ])
})
