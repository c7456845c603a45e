import * as sdk from '@aws-sdk/client-sqs'
import { test } from 'vitest'
import { actions } from './actions.ts'

test('every action that the SDK has is there', ({ expect }) => {
  const commands = Object.keys(sdk).filter((name) => /^[A-Z]\w+Command$/.test(name))
  expect([...actions.keys()].toSorted()).toEqual(commands.map((name) => name.slice(0, -'Command'.length)).toSorted())
})
