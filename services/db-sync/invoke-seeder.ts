import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { awsOptions, silenceVersionWarning } from './aws.ts'
import type { DbSyncConfig } from './config.ts'

export interface InvokeSeeder {
  /** Resolves when every organisation is copied. @throws when the function fails or cannot be reached. */
  seedAll(signal: AbortSignal): Promise<void>
  abandon(): void
}

/** A function has 15 minutes; what it could not do in time it names, to be asked for again. */
const Answer = Type.Object({ next: Type.Optional(Type.String()) })

export function createSeeder(functionName: string, config: DbSyncConfig): InvokeSeeder {
  silenceVersionWarning()
  const lambda = new LambdaClient(awsOptions(config, config.AWS_ENDPOINT_URL_LAMBDA))

  async function invoke(event: object, signal: AbortSignal): Promise<unknown> {
    const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) })
    const { FunctionError, Payload } = await lambda.send(command, { abortSignal: signal })
    const text = Payload?.transformToString() ?? ''
    if (FunctionError !== undefined) throw new Error(`The seeder failed (${FunctionError}): ${text}`)
    return JSON.parse(text)
  }

  return {
    async seedAll(signal) {
      let after: string | undefined
      do {
        const answer = await invoke({ seed_all: true, ...(after !== undefined && { after }) }, signal)
        after = Value.Check(Answer, answer) ? answer.next : undefined
      } while (after !== undefined)
    },
    abandon: () => lambda.destroy(),
  }
}
