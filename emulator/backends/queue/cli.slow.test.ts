import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, test, type TestContext } from 'vitest'
import { serveAdapter } from './contract/adapter-server.ts'
import { embeddedQueue } from './embedded.ts'

const run = promisify(execFile)

/** Where Debian installs its command, which speaks the query protocol until 2.13; others are found by the path. */
const DEBIAN_COMMAND = '/usr/bin/aws'

const COMMANDS = [
  { name: "Debian's aws command (query protocol)", command: DEBIAN_COMMAND },
  { name: 'the aws command of the path', command: onPath('aws') },
] as const

for (const { name, command } of COMMANDS) {
  const skipped = isExecutable(command) ? '' : ' (skipped: it is not installed)'
  describe.skipIf(skipped !== '')(`queues by ${name}${skipped}`, () => {
    test('a message is sent, received and deleted', async ({ expect, onTestFinished }) => {
      const sqs = await startQueue(command, onTestFinished)
      const { QueueUrl } = await sqs('create-queue', '--queue-name', 'by-cli', '--attributes', 'VisibilityTimeout=7')
      const url = ['--queue-url', String(QueueUrl)]
      await sqs(
        'send-message',
        ...url,
        '--message-body',
        'grüße & <tags>',
        '--message-attributes',
        '{"count":{"DataType":"Number","StringValue":"3"}}',
      )
      const { Messages } = await sqs(
        'receive-message',
        ...url,
        '--message-attribute-names',
        'All',
        '--attribute-names',
        'All',
      )
      expect(Messages).toMatchObject([
        {
          Body: 'grüße & <tags>',
          Attributes: { ApproximateReceiveCount: '1' },
          MessageAttributes: { count: { DataType: 'Number', StringValue: '3' } },
        },
      ])
      const [{ ReceiptHandle }] = Messages as [{ ReceiptHandle: string }]
      await sqs('delete-message', ...url, '--receipt-handle', ReceiptHandle)
      expect(await sqs('get-queue-attributes', ...url, '--attribute-names', 'All')).toMatchObject({
        Attributes: { VisibilityTimeout: '7', ApproximateNumberOfMessagesNotVisible: '0' },
      })
    })

    test('a refusal has the code of AWS', async ({ expect, onTestFinished }) => {
      const sqs = await startQueue(command, onTestFinished)
      await expect(sqs('get-queue-url', '--queue-name', 'nobody')).rejects.toThrow(
        /AWS\.SimpleQueueService\.NonExistentQueue|QueueDoesNotExist/,
      )
    })
  })
}

type Sqs = (...args: readonly string[]) => Promise<Readonly<Record<string, unknown>>>

/** Runs `aws sqs …` against a queue server of its own. */
async function startQueue(command: string, onTestFinished: TestContext['onTestFinished']): Promise<Sqs> {
  const { endpoint, stop } = await serveAdapter(embeddedQueue())
  onTestFinished(stop)
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_PAGER: '',
  }
  return async (...args) => {
    const { stdout } = await run(command, ['--endpoint-url', endpoint, '--output', 'json', 'sqs', ...args], { env })
    return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
  }
}

function onPath(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? ''
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return path !== ''
  } catch {
    return false
  }
}
