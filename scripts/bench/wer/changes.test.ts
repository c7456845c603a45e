import { test } from 'vitest'
import { changesOf } from './changes.ts'

test.for([
  { heard: 'He was not an ill-disposed young man.', changes: [] },
  { heard: 'he was not an old-sposed young man', changes: ['ill → old', 'disposed → sposed'] },
  { heard: 'he was an ill disposed young man', changes: ['− not'] },
  { heard: 'and he was not an ill disposed young young man', changes: ['+ and', '+ young'] },
  { heard: '', changes: ['− he', '− was', '− not', '− an', '− ill', '− disposed', '− young', '− man'] },
])('"$heard" differs by $changes', ({ heard, changes }, { expect }) => {
  expect(changesOf('He was not an ill-disposed young man,', heard)).toEqual(changes)
})
